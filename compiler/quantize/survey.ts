/** What a network holds while it sees samples: ranges of all that will be bytes, and means of all that layers read. */
import {fail} from '../../ir/diagnostics.js';
import {valueAt} from '../../ir/graph.js';
import type {Head, Module, ValueId} from '../../ir/types.js';
import type {Dataset} from '../data/dataset.js';
import {noHistogram, noRange, noSums, type RangeSoFar, seeHistogram, seeRange, seeSums} from './observe.js';
import {type Affine, affineOf, type Method, needsHistogram, type Range, rangeBy} from './ranges.js';
import {forEachSample} from './samples.js';
import {type Sites, sitesOf} from './sites.js';
import {floats, type TappedEntry} from './taps.js';
import type {Means} from './weights.js';

export type Survey = {
  /** The range that is kept, of every value that is computed and becomes bytes. */
  readonly ranges: ReadonlyMap<ValueId, Range>;
  /** Of what layers read, under the scales of a network that is integer throughout. */
  readonly means: ReadonlyMap<ValueId, Means>;
  /** The largest size in each channel, of all of these. */
  readonly largest: ReadonlyMap<ValueId, ArrayLike<number>>;
  /** The part of the values of each, from 0 to 1, that is clipped. */
  readonly clipped: ReadonlyMap<ValueId, number>;
};

/** Values that a survey looks at: what becomes bytes, and what layers read. Inputs are seen without a tap. */
export function watchedOf(module: Module, sites: Sites): readonly ValueId[] {
  const read = sites.layers.flatMap(({node, float}) => (float === null ? [node.inputs[0]!] : []));
  const inputs = new Set(module.graph.inputs.map(({id}) => id));
  return [...new Set([...sites.made, ...read])].filter(id => !inputs.has(id));
}

/** All that a survey tells of, in its order. */
export function seenIn(module: Module, sites: Sites): readonly ValueId[] {
  const inputs = module.graph.inputs.map(({id}) => id).filter(id => sites.scales.has(id));
  return [...inputs, ...watchedOf(module, sites)];
}

/**
 * Two passes over the samples; three where the method needs histograms. The taps are what `watchedOf` lists.
 * Errors: input calibrate.infinite, and those of `forEachSample`.
 */
export function surveyOf(
  module: Module,
  head: Head,
  {entry, tapsOf}: TappedEntry,
  {
    data,
    indices,
    method,
    progress,
  }: {
    readonly data: Dataset;
    readonly indices: readonly number[];
    readonly method: Method;
    readonly progress: (doing: string) => void;
  },
): Survey {
  const sites = sitesOf(module, head);
  const inputs = module.graph.inputs.map(({id}) => id).filter(id => sites.scales.has(id));
  const watched = seenIn(module, sites);
  const shapes = watched.map(id => valueAt(module.graph, id).type.shape);
  const each = (doing: string, see: (values: ArrayLike<number>, at: number) => void): void =>
    forEachSample(
      entry,
      data,
      indices,
      (outputs, input) => {
        for (const [at, values] of [...inputs.map(() => floats(input)), ...tapsOf(outputs)].entries()) see(values, at);
      },
      done => progress(`${doing}: ${done} of ${indices.length} samples`),
    );

  const seen = watched.map((): RangeSoFar => noRange());
  each('ranges', (values, at) => seeRange(seen[at]!, values));
  seen.forEach(({low, high}, at) => {
    if (Number.isFinite(high - low)) return;
    const {name} = valueAt(module.graph, watched[at]!);
    fail('input', 'calibrate.infinite', name, `lies between ${low} and ${high} on these samples`, 'check the input preparation');
  });
  let kept: readonly Range[] = seen;
  if (needsHistogram(method)) {
    const histograms = seen.map(noHistogram);
    each('histograms', (values, at) => seeHistogram(histograms[at]!, values));
    kept = histograms.map(histogram => rangeBy(method, histogram));
  }
  const ranges = new Map(watched.map((id, at) => [id, kept[at]!] as const));
  const affine = affineFor(sites, ranges);
  const sums = shapes.map(noSums);
  each('means', (values, at) => seeSums(sums[at]!, values, shapes[at]!, affine.get(watched[at]!)!));
  const means = new Map(
    watched.map((id, at) => {
      const {real, stored, count} = sums[at]!;
      const perChannel = count / real.length;
      return [id, {real: real.map(sum => sum / perChannel), stored: stored.map(sum => sum / perChannel)}] as const;
    }),
  );
  return {
    ranges,
    means,
    largest: new Map(watched.map((id, at) => [id, sums[at]!.largest])),
    clipped: new Map(watched.map((id, at) => [id, sums[at]!.clipped / sums[at]!.count])),
  };
}

/** A scale for every value that is stored as bytes: the range of all that share it. */
export function affineFor({scales, made}: Sites, ranges: ReadonlyMap<ValueId, Range>): ReadonlyMap<ValueId, Affine> {
  const shared = new Map<number, Range>();
  for (const id of made) {
    const scale = scales.get(id)!;
    const [own, others] = [ranges.get(id)!, shared.get(scale)];
    shared.set(scale, others ? {low: Math.min(own.low, others.low), high: Math.max(own.high, others.high)} : own);
  }
  return new Map([...scales].map(([id, scale]) => [id, affineOf(shared.get(scale)!)]));
}
