import type {DType} from '../../types.js';
import type {OpCase} from '../common/cases.js';

const linear = (
  name: string,
  x: readonly number[],
  outputs: number,
  epilogue = '',
  extras: readonly (readonly number[])[] = [],
  bias = true,
): OpCase => ({
  name,
  attrs: {epilogue},
  inputs: [
    {dtype: 'f32', shape: x},
    {dtype: 'f32', shape: [outputs, x.at(-1)!]},
    bias ? {dtype: 'f32', shape: [outputs]} : null,
    ...extras.map(shape => ({dtype: 'f32', shape}) as const),
  ],
});

/** Weights of another type; scales with a group. */
const narrow = (dtype: DType, x: readonly number[], outputs: number, group?: number): OpCase => ({
  name: `${dtype} ${x} ${group ?? ''}`,
  attrs: group === undefined ? {epilogue: 'max(x0, 0)'} : {group},
  inputs: [
    {dtype: 'f32', shape: x},
    {dtype, shape: [outputs, x.at(-1)!]},
    {dtype: 'f32', shape: [outputs]},
    ...(group === undefined ? [] : [{dtype: 'f32', shape: [outputs, Math.ceil(x.at(-1)! / group)]} as const]),
  ],
});

export const cases: readonly OpCase[] = [
  linear('one row', [1, 64], 10),
  linear('no bias', [1, 33], 17, '', [], false),
  linear('one input, one output', [1, 1], 1),
  linear('one output', [1, 100], 1),
  linear('a vector', [12], 5),
  linear('17 rows of 7', [17, 7], 31),
  linear('leading axes', [2, 3, 8], 20),
  linear('relu in the epilogue', [2, 16], 16, 'max(x0, 0)'),
  linear('residual by row', [3, 8], 19, 'add(x0, x1)', [[3, 19]]),
  linear('one extra row for all', [3, 8], 19, 'mul(x0, x1)', [[19]]),
  linear('one value per row', [5, 8], 18, 'mul(x0, x1)', [[5, 1]]),
  linear('two extras', [2, 3, 4], 5, 'add(mul(x0, x1), x2)', [[], [2, 3, 5]]),
  narrow('f16', [1, 64], 33),
  narrow('bf16', [3, 8], 5),
  narrow('i8', [1, 100], 16),
  narrow('i4', [2, 31], 17),
  narrow('i4', [1, 100], 33, 32),
  narrow('i8', [5, 40], 16, 16),
];
