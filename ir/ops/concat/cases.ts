import type {DType} from '../../types.js';
import type {OpCase} from '../common/cases.js';

const concat = (name: string, axis: number, shapes: readonly (readonly number[])[], dtype: DType = 'f32'): OpCase => ({
  name,
  attrs: {axis},
  inputs: shapes.map(shape => ({dtype, shape})),
});

export const cases: readonly OpCase[] = [
  concat('channels', 1, [
    [1, 3, 4, 4],
    [1, 17, 4, 4],
    [1, 1, 4, 4],
  ]),
  concat('rows of images', 2, [
    [2, 3, 1, 4],
    [2, 3, 5, 4],
  ]),
  concat('batches', 0, [
    [1, 3, 2, 2],
    [2, 3, 2, 2],
  ]),
  concat('last axis', 1, [
    [4, 2],
    [4, 7],
  ]),
  concat('vectors', 0, [[3], [1], [9]]),
  concat('one operand', 1, [[2, 3]]),
  concat(
    'bytes',
    0,
    [
      [3, 2],
      [1, 2],
    ],
    'u8',
  ),
  concat(
    '64-bit integers',
    1,
    [
      [2, 1],
      [2, 2],
    ],
    'i64',
  ),
];
