/**
 * Checks a parsed catalog: every field of its type and nothing else, all names known and unique, one accuracy per task. An error
 * names the path in the document.
 */
import {array, type Check, checked, integer, number, object, oneOf, optional, show, text, wrong} from '../check.js';
import type {
  Catalog,
  CatalogSegment,
  CatalogTask,
  CatalogVariant,
  CloudCost,
  DeviceCost,
  RequestKind,
  SplitCost,
} from './catalog.js';

const word = text(/\S/, 'a string that is not empty');
const amount = number(0);
const names = array(word);

const variant = object<CatalogVariant>({
  id: word,
  accuracy: array(number(0, 100), 1),
  parts: optional(array(word, 1)),
  device: optional(object<DeviceCost>({energy: amount, latency: amount, segments: names})),
  cloud: optional(
    object<CloudCost>({money: amount, latency: amount, bytes: integer(0), energy: amount, loadLatency: optional(amount)}),
  ),
  splits: optional(
    array(object<SplitCost>({cut: word, energy: amount, latency: amount, segments: names, money: amount, bytes: integer(0)})),
  ),
});

const shape = object<Catalog>({
  schema: oneOf(1),
  name: word,
  source: optional(word),
  segments: array(object<CatalogSegment>({id: word, bytes: integer(0), loadEnergy: amount, loadLatency: optional(amount)})),
  requests: array(
    object<RequestKind>({
      name: word,
      tasks: array(object<CatalogTask>({name: word, weight: optional(amount)}), 1),
      rate: amount,
      latencyLimit: optional(amount),
      variants: array(variant, 1),
    }),
    1,
  ),
});

const catalog: Check<Catalog> = (value, path) => {
  shape(value, path);
  const known: Catalog = value as Catalog; // the line above has thrown otherwise
  const segments = new Set(known.segments.map(({id}) => id));
  unique(
    known.segments.map(({id}) => id),
    'segments',
  );
  unique(
    known.requests.map(({name}) => name),
    'requests',
  );
  for (const [i, request] of known.requests.entries()) checkRequest(request, segments, `requests[${i}]`);
};

function checkRequest({tasks, variants}: RequestKind, segments: ReadonlySet<string>, path: string): void {
  unique(
    variants.map(({id}) => id),
    `${path}.variants`,
  );
  for (const [i, {accuracy, parts = accuracy, device, splits = []}] of variants.entries()) {
    const at = `${path}.variants[${i}]`;
    if (accuracy.length !== tasks.length)
      wrong(`${at}.accuracy`, `must be ${tasks.length}, one for each task, are ${accuracy.length}`);
    if (parts.length !== tasks.length) wrong(`${at}.parts`, `must be ${tasks.length}, one for each task, are ${parts.length}`);
    for (const id of [device, ...splits].flatMap(place => place?.segments ?? []))
      if (!segments.has(id)) wrong(at, `${show(id)} is no segment; there are ${[...segments].join(', ') || 'none'}`);
  }
}

function unique(ids: readonly string[], path: string): void {
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined) wrong(path, `${show(twice)} is there twice`, 'names must be unique');
}

/** Throws `catalog.invalid`. */
export function readCatalog(value: unknown): Catalog {
  checked(catalog, value, 'catalog.invalid', 'catalog', 'correct this field');
  return value;
}
