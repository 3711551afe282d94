import type {DType} from '../../types.js';
import type {OpCase} from '../common/cases.js';

const pad = (name: string, shape: readonly number[], pads: readonly number[], value = 0, dtype: DType = 'f32'): OpCase => ({
  name,
  attrs: {pads, value},
  inputs: [{dtype, shape}],
});

export const cases: readonly OpCase[] = [
  pad('an image', [1, 3, 5, 5], [0, 0, 1, 1, 0, 0, 1, 1]),
  pad('one side only', [1, 3, 5, 5], [0, 0, 2, 0, 0, 0, 0, 3]),
  pad('the other side only', [2, 3, 4], [0, 1, 2, 0, 0, 0]),
  pad('channels', [1, 3, 2, 2], [0, 2, 0, 0, 0, 5, 0, 0]),
  pad('with a value', [2, 3], [1, 0, 0, 2], 1.5),
  pad('with minus infinity', [1, 1, 2, 2], [0, 0, 1, 1, 0, 0, 1, 1], Number.NEGATIVE_INFINITY),
  pad('nothing', [2, 2], [0, 0, 0, 0], 7),
  pad('a vector', [4], [3, 1]),
  pad('bytes', [3], [1, 2], 255, 'u8'),
  pad('64-bit integers', [2, 2], [0, 1, 1, 0], -3, 'i64'),
];
