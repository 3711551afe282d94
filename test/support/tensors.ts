/** Seeded tensors, and how far two tensors are apart. */
import {printType} from '../../ir/print.js';
import {elements, isBig, numberAt, type Tensor, tensorFrom} from '../../ir/tensor.js';
import type {DType, TensorType} from '../../ir/types.js';

export type Random = {
  /** A number in [0, 1). */
  unit(): number;
  /** A whole number from 0 to below `count`. */
  below(count: number): number;
  pick<T>(list: readonly T[]): T;
  chance(probability: number): boolean;
};

/** Reproducible choices (mulberry32, T. Ettinger). */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const unit = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (count: number): number => Math.floor(unit() * count);
  return {unit, below, pick: list => list[below(list.length)]!, chance: probability => unit() < probability};
}

const signed: ReadonlySet<DType> = new Set(['i4', 'i8', 'i16', 'i32', 'i64']);

export const isReal = (dtype: DType): boolean => dtype === 'f64' || dtype === 'f32' || dtype === 'f16' || dtype === 'bf16';

/** Floats in [-4, 4), small integers around 0 (from 0 on where unsigned), truth values. */
export function randomTensor({dtype, shape}: TensorType, random: Random): Tensor {
  const value = (): number => {
    if (isReal(dtype)) return random.unit() * 8 - 4;
    return dtype === 'bool' ? random.below(2) : random.below(8) - (signed.has(dtype) ? 4 : 0);
  };
  return tensorFrom(dtype, shape, Array.from({length: elements(shape)}, value));
}

/** NaN for floats, the largest value for everything else: what a buffer holds that nobody should read. */
export const poison = ({dtype, shape}: TensorType): Tensor => {
  const value = isReal(dtype) ? Number.NaN : dtype === 'bool' ? 1 : isBig(dtype) ? 127n : 127;
  return tensorFrom(
    dtype,
    shape,
    Array.from({length: elements(shape)}, () => value),
  );
};

/**
 * null where `actual` is `expected`: same type; NaN and infinities at the same places; integers equal; floats within
 * `tolerance` times the largest finite magnitude. Else what differs most.
 */
export function difference(actual: Tensor, expected: Tensor, tolerance: number): string | null {
  const [is, wanted] = [printType(actual), printType(expected)];
  if (is !== wanted) return `is ${is}, not ${wanted}`;
  const count = expected.data.length;
  if (actual.data.length !== count) return `has ${actual.data.length} elements, not ${count}`;
  let largest = 1e-30;
  for (let i = 0; i < count; i++) {
    const size = Math.abs(numberAt(expected, i));
    if (Number.isFinite(size)) largest = Math.max(largest, size);
  }
  let worst: {readonly at: number; readonly error: number} = {at: -1, error: 0};
  for (let i = 0; i < count; i++) {
    const error = errorAt(actual, expected, i, largest);
    if (error > worst.error) worst = {at: i, error};
  }
  if (worst.error <= (isReal(expected.dtype) ? tolerance : 0)) return null;
  const [a, b] = [actual.data[worst.at], expected.data[worst.at]];
  return `[${worst.at}] of ${wanted} is ${a}, not ${b} (relative error ${worst.error.toExponential(2)})`;
}

function errorAt(actual: Tensor, expected: Tensor, at: number, largest: number): number {
  if (isBig(expected.dtype)) return actual.data[at] === expected.data[at] ? 0 : Number.POSITIVE_INFINITY;
  const [a, b] = [numberAt(actual, at), numberAt(expected, at)];
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0;
  return Number.isFinite(a) && Number.isFinite(b) ? Math.abs(a - b) / largest : Number.POSITIVE_INFINITY;
}
