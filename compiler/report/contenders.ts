/** Who competes in a build: its variants, and what was tried and dropped. All that the plots and tables show is read off these. */
import type {Latency, Manifest, Quality, Variant} from '../../runtime/manifest.js';
import type {CatalogLog, Tried} from '../catalog/log.js';

export type Contender = {
  readonly task: string;
  readonly recipe: string;
  /** Of its row and its points; one contender, one number. */
  readonly number: number;
  /** Of the build; null where it was dropped. */
  readonly variant: Variant | null;
  /** Of the catalog's log; null where there is none. */
  readonly tried: Tried | null;
};

export function contendersOf({variants}: Manifest, catalog: CatalogLog | undefined): readonly Contender[] {
  const tried = catalog?.tried ?? [];
  const lines = new Map(tried.map(line => [idOf(line), line]));
  const kept = variants.map(variant => ({
    ...{task: variant.task, recipe: variant.recipe, variant},
    tried: lines.get(idOf(variant)) ?? null,
  }));
  const known = new Set(variants.map(idOf));
  const dropped = tried
    .filter(line => !known.has(idOf(line)))
    .map(line => ({task: line.task, recipe: line.recipe, variant: null, tried: line}));
  return [...kept, ...dropped].map((contender, number) => ({...contender, number}));
}

export const fullAmong = (contenders: readonly Contender[]): Contender | undefined =>
  contenders.find(({recipe, variant}) => recipe === 'full' && variant !== null);

const idOf = ({task, recipe}: {readonly task: string; readonly recipe: string}): string => `${task}/${recipe}`;

type Accuracy = {readonly value: number; readonly interval: readonly [low: number, high: number]; readonly n: number};

/** On labelled data, in percent. A cascade has one in its context only, which is not of the same requests. */
export const accuracyOf = ({variant, tried}: Contender): Accuracy | null => variant?.quality ?? tried?.accuracy ?? null;

/** Percentage points of right answers below `full`, and the standard error of that where both answered the same samples. */
export type Loss = {readonly points: number; readonly error: number | null};

export function lossOf({variant, tried}: Contender, full: Variant | undefined): Loss | null {
  if (tried?.accuracy) return {points: tried.accuracy.loss, error: tried.accuracy.error};
  const [own, other] = [variant?.quality, full?.quality];
  if (variant === full || !own || !other || !sameData(own, other)) return null;
  return {points: other.value - own.value, error: null};
}

/** Whether its accuracy and that of `full` are of the same samples, as far as is known: else they are not to be compared. */
export function isComparable({variant, tried}: Contender, full: Variant | undefined): boolean {
  const [own, other] = [variant?.quality, full?.quality];
  return tried?.accuracy !== undefined || !own || !other || sameData(own, other);
}

const sameData = (a: Quality, b: Quality): boolean => a.data === b.data && a.n === b.n;

/** Milliseconds: median and 90th percentile, and the 10th where it is known. */
export type Times = Pick<Latency, 'p50' | 'p90'> & Partial<Pick<Latency, 'p10'>>;

/** What was dropped was timed where the first target was. */
export function timesOf({variant, tried}: Contender, target: string, isFirst: boolean): Times | null {
  return variant?.latency?.[target] ?? (isFirst ? (tried?.costs ?? null) : null);
}
