import type {DType} from '../../types.js';
import type {OpCase} from '../common/cases.js';

const transpose = (name: string, shape: readonly number[], perm: readonly number[], dtype: DType = 'f32'): OpCase => ({
  name,
  attrs: {perm},
  inputs: [{dtype, shape}],
});

export const cases: readonly OpCase[] = [
  transpose('matrix', [5, 17], [1, 0]),
  transpose('channels to the end', [1, 3, 4, 5], [0, 2, 3, 1]),
  transpose('channels to the front', [2, 4, 5, 3], [0, 3, 1, 2]),
  transpose('heads of attention', [2, 6, 3, 4], [0, 2, 1, 3]),
  transpose('reversed', [2, 3, 4, 5], [3, 2, 1, 0]),
  transpose('axes of one', [1, 7, 1], [2, 1, 0]),
  transpose('the identity', [2, 3], [0, 1]),
  transpose('a scalar', [], []),
  transpose('five axes', [2, 3, 1, 4, 2], [4, 2, 0, 3, 1]),
  transpose('doubles', [3, 4], [1, 0], 'f64'),
  transpose('bytes', [3, 4, 2], [2, 0, 1], 'i8'),
];
