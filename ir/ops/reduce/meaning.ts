/** What each kind of reduction means, slow and obvious. */
import {convert} from '../../scalar/convert.js';
import {numberAt, setElement, type Tensor, zeros} from '../../tensor.js';
import type {DType} from '../../types.js';
import {dot, forEachIndex, stridesOf} from '../common/broadcast.js';

/** In the order of the enum in kernel.h. */
export const reduceKinds = ['sum', 'mean', 'prod', 'max', 'min', 'l1', 'l2', 'sum_square', 'log_sum', 'log_sum_exp'] as const;
export type ReduceKind = (typeof reduceKinds)[number];

/** Kinds that stay within the integers. */
export const wholeKinds: ReadonlySet<ReduceKind> = new Set(['sum', 'prod', 'max', 'min', 'l1', 'sum_square']);

export const isReal = (dtype: DType): boolean => dtype === 'f64' || dtype === 'f32' || dtype === 'f16' || dtype === 'bf16';

export const reducedShape = (shape: readonly number[], axes: readonly number[], keep: boolean): readonly number[] =>
  keep ? shape.map((size, axis) => (axes.includes(axis) ? 1 : size)) : shape.filter((_, axis) => !axes.includes(axis));

export function evaluateReduce(x: Tensor, kind: ReduceKind, axes: readonly number[], keep: boolean): Tensor {
  const y = zeros(x.dtype, reducedShape(x.shape, axes, keep));
  const groups: number[][] = Array.from({length: y.data.length}, () => []);
  const strides = stridesOf(reducedShape(x.shape, axes, true));
  forEachIndex(x.shape, (index, flat) => {
    const kept = index.map((i, axis) => (axes.includes(axis) ? 0 : i));
    groups[dot(kept, strides)]!.push(flat);
  });
  const real = isReal(x.dtype) || x.dtype === 'bool';
  groups.forEach((group, at) => {
    const whole = (): number | bigint =>
      wholeMeaning(
        kind,
        group.map(flat => BigInt(x.data[flat]!)),
      );
    const value = real ? realMeanings[kind](group.map(flat => numberAt(x, flat))) : convert(whole(), x.dtype, x.dtype);
    setElement(y, at, value);
  });
  return y;
}

type Real = readonly number[];
const total = (x: Real): number => x.reduce((sum, value) => sum + value, 0);
const highest = (x: Real): number => x.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);

const realMeanings: Readonly<Record<ReduceKind, (x: Real) => number>> = {
  sum: total,
  mean: x => total(x) / x.length,
  prod: x => x.reduce((product, value) => product * value, 1),
  max: highest,
  min: x => x.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
  l1: x => total(x.map(Math.abs)),
  l2: x => Math.sqrt(total(x.map(value => value * value))),
  sum_square: x => total(x.map(value => value * value)),
  log_sum: x => Math.log(total(x)),
  log_sum_exp: x => {
    const high = highest(x);
    return Number.isFinite(high) ? high + Math.log(total(x.map(value => Math.exp(value - high)))) : high;
  },
};

function wholeMeaning(kind: ReduceKind, x: readonly bigint[]): bigint {
  if (kind === 'prod') return x.reduce((product, value) => product * value, 1n);
  const ordered = x.toSorted((a, b) => (a < b ? -1 : 1));
  if (kind === 'max') return ordered.at(-1)!;
  if (kind === 'min') return ordered[0]!;
  const term = (value: bigint): bigint => (kind === 'sum_square' ? value * value : kind === 'l1' && value < 0n ? -value : value);
  return x.reduce((sum, value) => sum + term(value), 0n);
}

/** What is left when there is nothing to reduce: for a maximum the lowest value of the type. */
export function emptyReduction(kind: ReduceKind, dtype: DType): number | bigint {
  if (dtype === 'bool') return kind === 'min' ? 1 : 0;
  return convert(emptyReal(kind), 'f64', dtype);
}

function emptyReal(kind: ReduceKind): number {
  if (kind === 'max' || kind === 'log_sum' || kind === 'log_sum_exp') return Number.NEGATIVE_INFINITY;
  if (kind === 'min') return Number.POSITIVE_INFINITY;
  if (kind === 'mean') return Number.NaN;
  return kind === 'prod' ? 1 : 0;
}
