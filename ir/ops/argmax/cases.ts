import type {DType} from '../../types.js';
import type {OpCase} from '../common/cases.js';

const of = (
  name: string,
  axis: number,
  shape: readonly number[],
  dtype: DType = 'f32',
  largest = true,
  last = false,
): OpCase => ({
  name,
  attrs: {axis, largest, last},
  inputs: [{dtype, shape}],
});

export const cases: readonly OpCase[] = [
  of('classes', 1, [3, 19]),
  of('channels-of-an-image', 1, [2, 3, 4, 5]),
  of('one-class', 1, [3, 1]),
  of('more-outputs-than-lanes', 0, [4, 35]),
  of('smallest', 2, [2, 2, 7], 'f32', false),
  of('last-of-equals', 1, [4, 9], 'u8', true, true),
  ...(['f64', 'i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64'] as const).map(dtype => of(dtype, 1, [3, 9], dtype, false)),
];
