/**
 * A build's manifest and a profile as a catalog. A request that several tasks watch is answered by one variant of each: all by one
 * recipe, or mixtures that no others beat; what they share counts once. Cascades are among them where the profile says how
 * much of the requests their contexts hold.
 */
import {DnncRuntimeError} from '../errors.js';
import type {Manifest, Split} from '../manifest.js';
import type {Catalog, CatalogSegment, CatalogVariant, RequestKind, SplitCost} from './catalog.js';
import {bestMixtures} from './combinations.js';
import {type Part, partOf, type Work, workOf} from './parts.js';
import type {Profile, ProfileRequest, ProfileTask} from './profile.js';
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
  request: ProfileRequest,
  path: string,
  used: Map<string, CatalogSegment>,
): RequestKind {
  const {name, tasks, rate, latencyLimit, inputBytes} = request;
  const keys = keysOf(manifest, profile);
  const parts = tasks.map(task => partsOf(manifest, keys.times, task, path));
  const alike = sameRecipes(parts, manifest, tasks);
  const [input] = manifest.tasks[tasks[0]!.name]!.inputs;
  const bytes = inputBytes ?? input?.shape.reduce((n, size) => n * size, 1) ?? 0;
  const perMac = profile.device.millisecondsPerGmac / giga;
  const mixed = bestMixtures(parts, chosen => ({
    value: chosen.reduce((sum, {accuracy}, i) => sum + (tasks[i]!.weight ?? 1) * accuracy, 0),
    cost: energyOf(profile, workOf(chosen, perMac), chosen, keys),
  })).map(mixture => mixture.parts);
  const isAlike = (chosen: readonly Part[]): boolean => chosen.every(({variant}) => variant.recipe === chosen[0]!.variant.recipe);
  const all = [...alike, ...mixed.filter(chosen => !isAlike(chosen))];
  if (all.length === 0)
    throw new DnncRuntimeError(
      'profile.invalid',
      path,
      'its tasks have no recipe in common',
      'build all of its tasks with the same recipes',
    );
  const variants = all.map(chosen => variantOf(profile, name, chosen, keys, bytes, used));
  return {
    ...{name, rate, variants, tasks: tasks.map(({share: _, ...task}) => task)},
    ...(latencyLimit !== undefined && {latencyLimit}),
  };
}

/** Under which keys the manifest has times and energies that count; '' where none do. */
type Keys = {readonly times: string; readonly energy: string};

function keysOf({libraries}: Manifest, {device}: Profile): Keys {
  const target = device.target ?? libraries[0]?.target ?? '';
  // Times of this machine are none of another device's.
  return {times: device.profile !== undefined && device.target === undefined ? '' : target, energy: device.profile ?? target};
}

/** What may answer a task: of two variants with one recipe the first. */
function partsOf(manifest: Manifest, target: string, {name, share}: ProfileTask, path: string): readonly Part[] {
  if (!manifest.tasks[name]) {
    const known = Object.keys(manifest.tasks).join(', ');
    throw new DnncRuntimeError('profile.invalid', path, `"${name}" is no task of the build`, `use tasks out of ${known}`);
  }
  const own = manifest.variants.filter(({task}) => task === name);
  const [general] = own;
  if (general && !general.quality)
    throw new DnncRuntimeError('manifest.invalid', general.id, 'has no measured accuracy', 'build with --evaluate DATA');
  const first = own.filter(({recipe}, i) => own.findIndex(each => each.recipe === recipe) === i);
  return first.flatMap(variant => partOf(manifest, target, variant, share) ?? []);
}

/** One recipe for all tasks, where all have it. */
const sameRecipes = (parts: readonly (readonly Part[])[], {variants}: Manifest, tasks: readonly ProfileTask[]) =>
  [...new Set(variants.filter(({task}) => task === tasks[0]!.name).map(({recipe}) => recipe))]
    .map(recipe => parts.flatMap(each => each.find(({variant}) => variant.recipe === recipe) ?? []))
    .filter(chosen => chosen.length === tasks.length);

/** Joules on the device: metered, or watts times measured time, or by the number of operations. */
function energyOf({device}: Profile, {macs, milliseconds}: Work, parts: readonly Part[], keys: Keys): number {
  const [only] = parts;
  const metered = parts.length === 1 ? only?.variant.energy?.[keys.energy]?.millijoules : undefined;
  if (metered !== undefined) return metered / 1000;
  const whole = parts.length === 1 ? only?.variant.latency?.[keys.times]?.p50 : undefined;
  const measured = only?.variant.cascade ? milliseconds?.expected : (whole ?? milliseconds?.expected);
  return measured !== undefined && device.watts !== undefined
    ? (device.watts * measured) / 1000
    : (macs / giga) * device.joulesPerGmac;
}

/** Milliseconds that 9 of 10 runs are within, or what the number of operations says. */
function latencyOf({device}: Profile, {mostMacs, milliseconds}: Work, parts: readonly Part[], keys: Keys): number {
  const whole = parts.length === 1 ? parts[0]!.variant.latency?.[keys.times]?.p90 : undefined;
  return whole ?? milliseconds?.most ?? (mostMacs / giga) * device.millisecondsPerGmac;
}

function variantOf(
  profile: Profile,
  request: string,
  parts: readonly Part[],
  keys: Keys,
  inputBytes: number,
  used: Map<string, CatalogSegment>,
): CatalogVariant {
  const {link, cloud, device} = profile;
  const variants = parts.map(({variant}) => variant);
  const work = workOf(parts, device.millisecondsPerGmac / giga);
  const [energy, latency] = [energyOf(profile, work, parts, keys), latencyOf(profile, work, parts, keys)];
  const ids = work.pieces.map(({id, bytes}) => loadable(id, bytes, profile, used));
  const recipes = [...new Set(variants.map(({recipe}) => recipe))];
  const sent = (bytes: number): number => (link.joulesPerRequest ?? 0) + (bytes / mega) * link.joulesPerMegabyte;
  const [only] = variants;
  const priced = variants.length === 1 && cloud.profile !== undefined ? only!.price?.[cloud.profile] : undefined;
  const milliseconds = priced?.milliseconds ?? (work.macs / giga) * cloud.millisecondsPerGmac;
  const dollars = priced?.dollars ?? (milliseconds / 3.6e6) * cloud.dollarsPerHour;
  const remote = (part: number): {money: number; latency: number} => ({
    money: dollars * part,
    latency: milliseconds * part + (link.milliseconds ?? 0),
  });
  const splitCost = (split: Split): SplitCost => {
    const before = work.pieces.slice(0, work.pieces.findIndex(({to}) => to === split.cut) + 1);
    const part = work.macs > 0 ? before.reduce((sum, {macs}) => sum + macs, 0) / work.macs : 0;
    const rest = remote(1 - part);
    return {
      ...{cut: split.cut, bytes: Math.round(split.bytes), money: rest.money, latency: part * latency + rest.latency},
      ...{energy: part * energy + sent(split.bytes), segments: before.map(({id}) => id)},
    };
  };
  const isPlain = recipes.length === 1 && variants.every(({cascade}) => !cascade);
  const splits = isPlain && variants.length === 1 ? (only!.splits ?? []).map(splitCost) : [];
  return {
    ...{id: `${request}/${recipes.length === 1 ? recipes[0] : variants.map(({recipe}) => recipe).join(',')}`},
    ...{
      accuracy: parts.map(({accuracy}) => accuracy),
      parts: variants.map(({id}) => id),
      device: {energy, latency, segments: ids},
    },
    ...(isPlain && {cloud: {...remote(1), bytes: inputBytes, energy: sent(inputBytes)}}),
    ...(splits.length > 0 && {splits}),
  };
}

function loadable(id: string, bytes: number, {device}: Profile, used: Map<string, CatalogSegment>): string {
  const megabytes = bytes / mega;
  const loadLatency = megabytes * (device.loadMillisecondsPerMegabyte ?? 0);
  used.set(id, {id, bytes, loadEnergy: megabytes * device.loadJoulesPerMegabyte, loadLatency});
  return id;
}
