import type {DType, TensorType} from '../../types.js';
import type {OpCase} from '../common/cases.js';

const linear = (
  name: string,
  x: readonly number[],
  outputs: number,
  epilogue = '',
  extras: readonly TensorType[] = [],
  weights: DType = 'i8',
): OpCase => ({
  name,
  attrs: {epilogue},
  inputs: [{dtype: 'u8', shape: x}, {dtype: weights, shape: [outputs, x.at(-1)!]}, {dtype: 'i32', shape: [outputs]}, ...extras],
});

export const cases: readonly OpCase[] = [
  linear('one row', [1, 64], 10),
  linear('inner axis of 33', [1, 33], 17),
  linear('one input, one output', [1, 1], 1),
  linear('17 rows of 7, to bytes', [17, 7], 31, 'u8(clamp(add(round(mul(x0, 0.01)), 128), 0, 255))'),
  linear('leading axes', [2, 3, 8], 20),
  linear('scale per output, residual of bytes by row', [3, 8], 19, 'add(mul(x0, x1), f32(x2))', [
    {dtype: 'f32', shape: [19]},
    {dtype: 'u8', shape: [3, 19]},
  ]),
  linear('weights beyond a byte', [2, 37], 18, '', [], 'i16'),
];
