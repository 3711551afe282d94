/**
 * From what was seen of a tensor to a scale and a zero point: x is stored as round(x / scale) + zero, from 0 to 255. Methods
 * differ in the range that they keep; what lies outside is clipped.
 */
import {fail} from '../../ir/diagnostics.js';

/** Real = scale (stored - zero). Both are f32; `zero` is a whole number. */
export type Affine = {readonly scale: number; readonly zero: number};

/** A range that is kept. */
export type Range = {readonly low: number; readonly high: number};

/** How often values fell into equal bins from `low` to `high`. */
export type Histogram = Range & {readonly counts: Float64Array};

export type Method =
  /** All that was seen. */
  | {readonly kind: 'min-max'}
  /** So many percent of the values; the rest is clipped, half of it at either end. */
  | {readonly kind: 'percentile'; readonly percent: number}
  /** The range of least mean squared error. */
  | {readonly kind: 'mse'};

/** `min-max`, `percentile:99.99` or `mse`. Errors: usage calibration.method, calibration.percent. */
export function parseMethod(text: string): Method {
  if (text === 'min-max' || text === 'mse') return {kind: text};
  const cure = 'min-max, percentile:99.99 or mse';
  const match = /^percentile:(\d+(?:\.\d+)?)$/.exec(text);
  if (!match) return fail('usage', 'calibration.method', text, 'is not a way to choose ranges', cure);
  const percent = Number(match[1]);
  if (percent <= 50 || percent > 100) fail('usage', 'calibration.percent', text, 'must be above 50 and at most 100', cure);
  return {kind: 'percentile', percent};
}

export const methodText = (method: Method): string =>
  method.kind === 'percentile' ? `percentile:${method.percent}` : method.kind;

/** Zero is in every range: paddings and the results of relu are exact. A range of one value gets the scale 1. */
export function affineOf({low, high}: Range): Affine {
  const [from, to] = [Math.min(low, 0), Math.max(high, 0)];
  const scale = Math.fround((to - from) / 255);
  if (!(scale > 0)) return {scale: 1, zero: 0};
  return {scale, zero: Math.min(255, Math.max(0, Math.round(-from / scale)))};
}

/** The number that stands for x. */
export function stored(x: number, {scale, zero}: Affine): number {
  const whole = Math.round(x / scale) + zero;
  return whole < 0 ? 0 : whole > 255 ? 255 : whole;
}

export const rounded = (x: number, affine: Affine): number => (stored(x, affine) - affine.zero) * affine.scale;

/** Whether a method needs more than the smallest and largest value. */
export const needsHistogram = ({kind}: Method): boolean => kind !== 'min-max';

/** The range that a method keeps. */
export function rangeBy(method: Method, seen: Histogram): Range {
  if (method.kind === 'percentile') return percentileOf(seen, method.percent);
  return method.kind === 'mse' ? leastError(seen) : seen;
}

const binsOf = ({low, high, counts}: Histogram) => {
  const width = (high - low) / counts.length;
  return {
    width,
    total: counts.reduce((sum, count) => sum + count, 0),
    middle: (bin: number): number => low + (bin + 0.5) * width,
  };
};

function percentileOf(seen: Histogram, percent: number): Range {
  const {width, total} = binsOf(seen);
  const outside = (total * (100 - percent)) / 200;
  const {counts} = seen;
  let [first, last] = [0, counts.length - 1];
  for (let sum = counts[first]!; sum <= outside && first < last; sum += counts[first]!) first++;
  for (let sum = counts[last]!; sum <= outside && last > first; sum += counts[last]!) last--;
  return {low: seen.low + first * width, high: seen.low + (last + 1) * width};
}

/** How finely the ends of a range are tried, as parts of it. */
const tries = 80;

/** Either end in turn is moved towards zero as long as that makes the error smaller. */
function leastError(seen: Histogram): Range {
  let best: Range = {low: Math.min(seen.low, 0), high: Math.max(seen.high, 0)};
  let least = errorOf(seen, best);
  for (const end of ['high', 'low'] as const) {
    const whole = best[end];
    for (let i = tries - 1; i > 0 && whole !== 0; i--) {
      const range = {...best, [end]: (whole * i) / tries};
      const error = errorOf(seen, range);
      if (error < least) [best, least] = [range, error];
    }
  }
  return best;
}

function errorOf(seen: Histogram, range: Range): number {
  const affine = affineOf(range);
  const {middle} = binsOf(seen);
  return seen.counts.reduce(
    (sum, count, bin) => (count === 0 ? sum : sum + count * (middle(bin) - rounded(middle(bin), affine)) ** 2),
    0,
  );
}
