/**
 * A build's manifest and a profile as a catalog. A request that several tasks watch is answered by one recipe for all of them, and
 * what they share counts once. Cascades are left out: what they take depends on the context.
 */
import {DnncRuntimeError} from '../errors.js';
import type {Manifest, Segment, Split, Variant} from '../manifest.js';
import type {Catalog, CatalogSegment, CatalogVariant, RequestKind, SplitCost} from './catalog.js';
import type {Profile, ProfileRequest} from './profile.js';
import {readCatalog} from './read-catalog.js';

const mega = 1e6;
const giga = 1e9;

/** Throws `profile.invalid` where the two do not fit, and `manifest.invalid` where accuracies were not measured. */
export function catalogFromManifest(manifest: Manifest, profile: Profile): Catalog {
  const used = new Map<string, CatalogSegment>();
  const requests = profile.requests.map((request, i) => requestOf(manifest, profile, request, `requests[${i}]`, used));
  return readCatalog({
    ...{schema: 1, name: manifest.name, segments: [...used.values()], requests},
    source: `build ${manifest.buildHash}; energies, cloud times and prices modelled by profile "${profile.name}"`,
  });
}

function requestOf(
  manifest: Manifest,
  profile: Profile,
  {name, tasks, rate, latencyLimit, inputBytes}: ProfileRequest,
  path: string,
  used: Map<string, CatalogSegment>,
): RequestKind {
  const recipes = tasks.map(task => {
    if (manifest.tasks[task.name]) return plainVariants(manifest, task.name);
    const known = Object.keys(manifest.tasks).join(', ');
    throw new DnncRuntimeError('profile.invalid', path, `"${task.name}" is no task of the build`, `use tasks out of ${known}`);
  });
  const common = [...recipes[0]!.keys()].filter(recipe => recipes.every(each => each.has(recipe)));
  if (common.length === 0)
    throw new DnncRuntimeError(
      'profile.invalid',
      path,
      'its tasks have no recipe in common',
      'build all of its tasks with the same recipes',
    );
  const [input] = manifest.tasks[tasks[0]!.name]!.inputs;
  const bytes = inputBytes ?? input?.shape.reduce((n, size) => n * size, 1) ?? 0;
  const variants = common.map(recipe =>
    variantOf(
      manifest,
      profile,
      `${name}/${recipe}`,
      recipes.map(each => each.get(recipe)!),
      bytes,
      used,
    ),
  );
  return {name, tasks, rate, variants, ...(latencyLimit !== undefined && {latencyLimit})};
}

/** By recipe; of two with one recipe the first. */
function plainVariants({variants}: Manifest, task: string): ReadonlyMap<string, Variant> {
  const own = variants.filter(variant => variant.task === task && !variant.cascade);
  return new Map(own.reverse().map(variant => [variant.recipe, variant]));
}

function variantOf(
  manifest: Manifest,
  profile: Profile,
  id: string,
  parts: readonly Variant[],
  inputBytes: number,
  used: Map<string, CatalogSegment>,
): CatalogVariant {
  const {device, link, cloud} = profile;
  const accuracy = parts.map(({id: variant, quality}) => {
    if (quality) return quality.value;
    throw new DnncRuntimeError('manifest.invalid', variant, 'has no measured accuracy', 'build with --evaluate DATA');
  });
  const shared = distinctSegments(manifest, parts);
  // What no segment of the path holds, such as the head of an exit, runs once per task.
  const own = parts.map(part => Math.max(0, part.macs - sum(segmentsOf(manifest, part), ({macs}) => macs)));
  const macs = sum(shared, segment => segment.macs) + sum(own, count => count);
  const ids = shared.map(segment => loadable(segment.id, segment.weightBytes, profile, used));
  if (shared.length === 0) for (const {id: part, loadBytes} of parts) ids.push(loadable(part, loadBytes, profile, used));
  const [only] = parts;
  const target = device.target ?? manifest.libraries[0]?.target ?? '';
  const measured = parts.length === 1 ? only?.latency?.[target]?.p50 : undefined;
  const metered = parts.length === 1 ? only?.energy?.[target]?.millijoules : undefined;
  const latency = measured ?? (macs / giga) * device.millisecondsPerGmac;
  const watts = measured !== undefined && device.watts !== undefined ? (device.watts * measured) / 1000 : undefined;
  const energy = metered !== undefined ? metered / 1000 : (watts ?? (macs / giga) * device.joulesPerGmac);
  const sent = (bytes: number): number => (link.joulesPerRequest ?? 0) + (bytes / mega) * link.joulesPerMegabyte;
  const remote = (count: number): {money: number; latency: number} => {
    const milliseconds = (count / giga) * cloud.millisecondsPerGmac;
    return {money: (milliseconds / 3.6e6) * cloud.dollarsPerHour, latency: milliseconds + (link.milliseconds ?? 0)};
  };
  const splitCost = (split: Split): SplitCost => {
    const before = shared.slice(0, shared.findIndex(({to}) => to === split.cut) + 1);
    const part = macs > 0 ? sum(before, segment => segment.macs) / macs : 0;
    const rest = remote(macs * (1 - part));
    return {
      ...{cut: split.cut, bytes: Math.round(split.bytes), money: rest.money, latency: part * latency + rest.latency},
      ...{energy: part * energy + sent(split.bytes), segments: before.map(segment => segment.id)},
    };
  };
  const splits = parts.length === 1 ? (only?.splits ?? []).map(splitCost) : [];
  return {
    ...{id, accuracy, parts: parts.map(part => part.id), device: {energy, latency, segments: ids}},
    cloud: {...remote(macs), bytes: inputBytes, energy: sent(inputBytes)},
    ...(splits.length > 0 && {splits}),
  };
}

function loadable(id: string, bytes: number, {device}: Profile, used: Map<string, CatalogSegment>): string {
  const megabytes = bytes / mega;
  const loadLatency = megabytes * (device.loadMillisecondsPerMegabyte ?? 0);
  used.set(id, {id, bytes, loadEnergy: megabytes * device.loadJoulesPerMegabyte, loadLatency});
  return id;
}

const segmentsOf = ({segments}: Manifest, {path}: Variant): readonly Segment[] =>
  path.flatMap(id => segments.find(segment => segment.id === id) ?? []);

const distinctSegments = (manifest: Manifest, parts: readonly Variant[]): readonly Segment[] => [
  ...new Set(parts.flatMap(part => segmentsOf(manifest, part))),
];

const sum = <T>(items: readonly T[], of: (item: T) => number): number => items.reduce((total, item) => total + of(item), 0);
