/** What a tensor held over all samples, gathered one sample after the other: range, means of channels, histogram. */
import type {Affine, Histogram, Range} from './ranges.js';
import {rounded} from './ranges.js';

type Numbers = ArrayLike<number>;

/** Bins of a histogram. */
const bins = 2048;

export type RangeSoFar = {low: number; high: number; count: number};

export const noRange = (): RangeSoFar => ({low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY, count: 0});

export function seeRange(so: RangeSoFar, values: Numbers): void {
  let {low, high} = so;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  Object.assign(so, {low, high, count: so.count + values.length});
}

export const noHistogram = ({low, high}: Range): Histogram => ({low, high, counts: new Float64Array(bins)});

export function seeHistogram({low, high, counts}: Histogram, values: Numbers): void {
  const perUnit = high > low ? bins / (high - low) : 0;
  for (let i = 0; i < values.length; i++) {
    const bin = Math.floor((values[i]! - low) * perUnit);
    counts[bin < 0 ? 0 : bin >= bins ? bins - 1 : bin]!++;
  }
}

/** By channel: sums of a tensor and of what quantization makes of it, the largest sizes; and how many values are clipped. */
export type SumsSoFar = {
  readonly real: Float64Array;
  readonly stored: Float64Array;
  readonly largest: Float64Array;
  clipped: number;
  count: number;
};

/** Where channels lie: those of images on axis 1, others on the last axis. */
export function channelsOf(shape: readonly number[]): {readonly channels: number; readonly inner: number} {
  if (shape.length !== 4) return {channels: shape.at(-1) ?? 1, inner: 1};
  return {channels: shape[1]!, inner: shape[2]! * shape[3]!};
}

export function noSums(shape: readonly number[]): SumsSoFar {
  const {channels} = channelsOf(shape);
  const zeros = (): Float64Array => new Float64Array(channels);
  return {real: zeros(), stored: zeros(), largest: zeros(), clipped: 0, count: 0};
}

export function seeSums(so: SumsSoFar, values: Numbers, shape: readonly number[], affine: Affine): void {
  const {channels, inner} = channelsOf(shape);
  const {scale, zero} = affine;
  // Half a step beyond the ends is still rounded to them.
  const [low, high] = [(-0.5 - zero) * scale, (255.5 - zero) * scale];
  for (let start = 0, c = 0; start < values.length; start += inner, c = c + 1 === channels ? 0 : c + 1) {
    let [real, stored, largest] = [0, 0, so.largest[c]!];
    for (let i = start; i < start + inner; i++) {
      const value = values[i]!;
      real += value;
      stored += rounded(value, affine);
      if (value < low || value > high) so.clipped++;
      if (value > largest || -value > largest) largest = Math.abs(value);
    }
    so.largest[c] = largest;
    so.real[c]! += real;
    so.stored[c]! += stored;
  }
  so.count += values.length;
}

/** Energies of a signal and of its error: their ratio is the SQNR. */
export type ErrorSoFar = {signal: number; noise: number};

export function seeError(so: ErrorSoFar, real: Numbers, other: Numbers): void {
  let [signal, noise] = [0, 0];
  for (let i = 0; i < real.length; i++) {
    const value = real[i]!;
    const error = value - other[i]!;
    signal += value * value;
    noise += error * error;
  }
  so.signal += signal;
  so.noise += noise;
}

/** In decibels; no more than 150, which is more than f32 can tell. */
export const sqnrOf = ({signal, noise}: ErrorSoFar): number =>
  signal === 0 && noise > 0 ? 0 : noise === 0 ? 150 : Math.min(150, 10 * Math.log10(signal / noise));
