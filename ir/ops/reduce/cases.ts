import type {DType} from '../../types.js';
import type {OpCase} from '../common/cases.js';
import type {ReduceAttrs} from './index.js';
import {reduceKinds, wholeKinds} from './meaning.js';

const of = (name: string, attrs: ReduceAttrs, shape: readonly number[], dtype: DType = 'f32'): OpCase => ({
  name,
  attrs,
  inputs: [{dtype, shape}],
});
const whole = ['i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64'] as const;

export const cases: readonly OpCase[] = [
  ...reduceKinds.flatMap(kind => [
    of(`${kind}-along-last-axis`, {kind, axes: [1], keep: true}, [3, 37]),
    of(`${kind}-across-outputs`, {kind, axes: [0], keep: false}, [5, 35]),
    of(`${kind}-f64`, {kind, axes: [1], keep: false}, [2, 19], 'f64'),
  ]),
  ...whole.flatMap(dtype => [...wholeKinds].map(kind => of(`${kind}-${dtype}`, {kind, axes: [1], keep: true}, [3, 18], dtype))),
  of('any-of-truth-values', {kind: 'max', axes: [1], keep: false}, [4, 3], 'bool'),
  of('all-of-truth-values', {kind: 'min', axes: [0], keep: false}, [4, 3], 'bool'),
  of('everything', {kind: 'sum', axes: [0, 1, 2, 3], keep: true}, [2, 3, 4, 5]),
  of('a-scalar', {kind: 'sum', axes: [], keep: true}, []),
  of('axes-apart', {kind: 'mean', axes: [1, 3], keep: true}, [2, 3, 4, 5]),
  of('batch-and-image', {kind: 'sum', axes: [0, 2, 3], keep: false}, [2, 17, 3, 3]),
  of('one-element', {kind: 'log_sum_exp', axes: [0], keep: false}, [1]),
  of('channels-of-an-image', {kind: 'max', axes: [1], keep: true}, [1, 20, 3, 5]),
];
