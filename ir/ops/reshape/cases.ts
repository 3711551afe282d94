import type {DType} from '../../types.js';
import type {OpCase} from '../common/cases.js';

const reshape = (name: string, from: readonly number[], shape: readonly number[], dtype: DType = 'f32'): OpCase => ({
  name,
  attrs: {shape},
  inputs: [{dtype, shape: from}],
});

export const cases: readonly OpCase[] = [
  reshape('flatten', [1, 3, 4, 5], [1, 60]),
  reshape('split an axis', [6, 4], [2, 3, 4]),
  reshape('across axes', [4, 6], [3, 8]),
  reshape('to a scalar', [1, 1, 1], []),
  reshape('from a scalar', [], [1, 1]),
  reshape('new axes of one', [3, 5], [1, 3, 1, 5, 1]),
  reshape('bytes', [2, 9], [3, 6], 'u8'),
  reshape('64-bit integers', [5], [5, 1], 'i64'),
  reshape('truth values', [2, 2], [4], 'bool'),
];
