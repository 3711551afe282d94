import type {DType} from '../../types.js';
import type {OpCase} from '../common/cases.js';

const of = (name: string, axis: number, k: number, shape: readonly number[], dtype: DType = 'f32', largest = true): OpCase => ({
  name,
  attrs: {axis, k, largest},
  inputs: [{dtype, shape}],
});

export const cases: readonly OpCase[] = [
  of('five-classes', 1, 5, [2, 23]),
  of('all-of-them', 1, 7, [3, 7]),
  of('middle-axis', 1, 2, [2, 5, 3]),
  of('one', 0, 1, [1]),
  of('smallest', 1, 3, [2, 9], 'f32', false),
  of('equal-elements', 1, 6, [2, 300], 'u8'),
  ...(['f64', 'i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64'] as const).map(dtype => of(dtype, 1, 3, [2, 8], dtype)),
];
