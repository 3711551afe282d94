import type {DType} from '../../types.js';
import type {OpCase} from '../common/cases.js';

const slice = (
  name: string,
  from: readonly number[],
  starts: readonly number[],
  shape: readonly number[],
  steps: readonly number[] = shape.map(() => 1),
  dtype: DType = 'f32',
): OpCase => ({name, attrs: {starts, steps, shape}, inputs: [{dtype, shape: from}]});

export const cases: readonly OpCase[] = [
  slice('channels', [1, 20, 4, 4], [0, 3, 0, 0], [1, 17, 4, 4]),
  slice('a window', [1, 3, 8, 9], [0, 0, 2, 3], [1, 3, 4, 5]),
  slice('every second', [9, 4], [1, 0], [4, 4], [2, 1]),
  slice('backwards', [7], [6], [7], [-1]),
  slice('backwards by three', [2, 10], [1, 9], [2, 4], [-1, -3]),
  slice('one element', [4, 5], [3, 4], [1, 1]),
  slice('all', [2, 3], [0, 0], [2, 3]),
  slice('bytes', [3, 8], [0, 5], [3, 3], [1, 1], 'u8'),
  slice('doubles', [3, 8], [2, 7], [2, 2], [-1, -4], 'f64'),
];
