import type {DType} from '../../types.js';
import type {OpCase} from '../common/cases.js';

const of = (
  name: string,
  axis: number,
  shape: readonly number[],
  exclusive: boolean,
  reverse: boolean,
  dtype: DType = 'f32',
  kind = 'sum',
): OpCase => ({
  name,
  attrs: {kind, axis, exclusive, reverse},
  inputs: [{dtype, shape}],
});

export const cases: readonly OpCase[] = [
  of('last-axis', 1, [3, 7], false, false),
  of('first-axis', 0, [4, 9], false, false),
  of('exclusive', 1, [2, 5, 3], true, false),
  of('reverse', 1, [2, 5, 3], false, true),
  of('exclusive-reverse', 2, [2, 3, 6], true, true),
  of('one-element', 0, [1], true, false),
  ...(['f64', 'i32', 'u32', 'i64', 'u64'] as const).map(dtype => of(dtype, 1, [2, 6], false, false, dtype)),
  of('product', 1, [2, 5, 3], false, false, 'f32', 'prod'),
  of('product-exclusive-reverse', 0, [4, 3], true, true, 'f64', 'prod'),
  of('product-that-wraps', 1, [2, 20], false, false, 'i32', 'prod'),
  of('product-of-unsigned', 0, [9], true, false, 'u64', 'prod'),
];
