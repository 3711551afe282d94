import type {OpCase} from '../common/cases.js';
import {modes, paddings} from './points.js';

const sample = (name: string, attrs: OpCase['attrs'], x: readonly number[], points: readonly number[]): OpCase => ({
  name,
  attrs,
  inputs: [
    {dtype: 'f32', shape: x},
    {dtype: 'f32', shape: [x[0]!, ...points, x.length - 2]},
  ],
});

/** Images so small that points lie inside, beside and far from them. */
export const cases: readonly OpCase[] = [
  ...modes.flatMap(mode =>
    paddings.flatMap(padding =>
      [false, true].map(aligned =>
        sample(`${mode}, ${padding}, ${aligned ? 'aligned' : 'not aligned'}`, {mode, padding, aligned}, [2, 3, 2, 3], [5, 4]),
      ),
    ),
  ),
  sample('one row', {mode: 'linear', padding: 'reflection', aligned: true}, [1, 2, 1, 3], [9]),
  sample('one pixel', {mode: 'cubic', padding: 'border', aligned: false}, [1, 1, 1, 1], [3, 3]),
  sample('three axes, linear', {mode: 'linear', padding: 'zeros', aligned: false}, [2, 3, 2, 3, 2], [2, 3, 2]),
  sample('three axes, nearest', {mode: 'nearest', padding: 'border', aligned: true}, [1, 2, 3, 2, 2], [5]),
  sample('three axes, cubic', {mode: 'cubic', padding: 'reflection', aligned: false}, [1, 2, 2, 3, 4], [2, 5]),
];
