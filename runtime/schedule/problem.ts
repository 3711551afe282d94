/**
 * A catalog made ready for decisions: every variant and place is an *option* with its value and costs, every name a number.
 * Options that are too slow for their request are left out.
 */
import type {Catalog, CatalogVariant, RequestKind} from './catalog.js';

export type Place = 'device' | 'cloud' | 'split';

export type Option = {
  /** Its position over the options of all kinds. */
  readonly at: number;
  readonly variant: string;
  readonly place: Place;
  /** Of a split: where it is cut. */
  readonly cut?: string;
  /** Sum over tasks of weight times accuracy, in percent: what is maximised. */
  readonly value: number;
  /** The same without weights. */
  readonly accuracy: number;
  /** Joules of execution and transmission, as annotated; loads come on top. */
  readonly energy: number;
  readonly money: number;
  readonly bytes: number;
  /** Milliseconds. */
  readonly latency: number;
  /** Until the answer, where nothing is loaded yet. Milliseconds. */
  readonly coldLatency: number;
  /** It needs a connection. */
  readonly linked: boolean;
  /** Positions in `Problem.segments`. */
  readonly segments: readonly number[];
  /** Of these: what must fit into memory, everything else evicted. */
  readonly weightBytes: number;
};

export type Kind = {
  readonly name: string;
  /** Answers per request: its tasks. */
  readonly results: number;
  /** Value of an answer that is right for all tasks, in percent: 100 times their weights. */
  readonly full: number;
  readonly rate: number;
  /** Milliseconds. Infinity: none. */
  readonly latencyLimit: number;
  readonly options: readonly Option[];
};

export type Segment = {
  readonly id: string;
  readonly bytes: number;
  readonly loadEnergy: number;
  readonly loadLatency: number;
};

export type Problem = {readonly name: string; readonly kinds: readonly Kind[]; readonly segments: readonly Segment[]};

export function problemOf(catalog: Catalog): Problem {
  const segments = catalog.segments.map(({loadLatency = 0, ...segment}) => ({...segment, loadLatency}));
  const at = new Map(segments.map(({id}, i) => [id, i]));
  let count = 0;
  const kinds = catalog.requests.map(request => {
    const {latencyLimit = Number.POSITIVE_INFINITY} = request;
    const all = request.variants.flatMap(variant => optionsOf(variant, request, at, segments));
    const options = all
      .filter(option => option.latency <= latencyLimit && option.value > 0)
      .map((option): Option => ({...option, at: count++}));
    const full = request.tasks.reduce((sum, {weight = 1}) => sum + 100 * weight, 0);
    return {name: request.name, full, results: request.tasks.length, rate: request.rate, latencyLimit, options};
  });
  return {name: catalog.name, kinds, segments};
}

function optionsOf(
  {id, accuracy, device, cloud, splits = []}: CatalogVariant,
  {tasks}: RequestKind,
  at: ReadonlyMap<string, number>,
  segments: readonly Segment[],
): readonly Omit<Option, 'at'>[] {
  const sum = (weightOf: (weight: number) => number): number =>
    accuracy.reduce((total, percent, i) => total + weightOf(tasks[i]?.weight ?? 1) * percent, 0);
  const worth = {variant: id, value: sum(weight => weight), accuracy: sum(() => 1)};
  const positions = (ids: readonly string[]): readonly number[] =>
    [...new Set(ids)].map(segment => at.get(segment) ?? -1).filter(i => i >= 0);
  const loading = (needed: readonly number[]): number => needed.reduce((ms, i) => ms + (segments[i]?.loadLatency ?? 0), 0);
  const holding = (needed: readonly number[]) => ({
    segments: needed,
    weightBytes: needed.reduce((bytes, i) => bytes + (segments[i]?.bytes ?? 0), 0),
  });
  const options: Omit<Option, 'at'>[] = [];
  if (device) {
    const needed = positions(device.segments);
    options.push({
      ...{...worth, place: 'device', energy: device.energy, money: 0, bytes: 0, latency: device.latency},
      ...{coldLatency: device.latency + loading(needed), linked: false, ...holding(needed)},
    });
  }
  if (cloud)
    options.push({
      ...{...worth, place: 'cloud', energy: cloud.energy, money: cloud.money, bytes: cloud.bytes, latency: cloud.latency},
      ...{coldLatency: cloud.latency + (cloud.loadLatency ?? 0), linked: true, ...holding([])},
    });
  for (const split of splits) {
    const needed = positions(split.segments);
    options.push({
      ...{...worth, place: 'split', cut: split.cut, energy: split.energy, money: split.money, bytes: split.bytes},
      ...{latency: split.latency, coldLatency: split.latency + loading(needed), linked: true, ...holding(needed)},
    });
  }
  return options;
}
