import type {OpCase} from '../common/cases.js';

const of = (name: string, groups: number, shape: readonly number[]): OpCase => ({
  name,
  attrs: {groups, epsilon: 1e-5},
  inputs: [
    {dtype: 'f32', shape},
    {dtype: 'f32', shape: shape.slice(1, 2)},
    {dtype: 'f32', shape: shape.slice(1, 2)},
  ],
});

export const cases: readonly OpCase[] = [
  of('groups-of-two', 2, [3, 4, 2, 2]),
  of('one-group', 1, [2, 19, 3, 3]),
  of('groups-wider-than-the-lanes', 2, [1, 40, 2, 3]),
  of('instances', 5, [2, 5, 3, 4]),
  of('instances-past-the-lanes', 21, [1, 21, 3, 2]),
  of('one-pixel', 2, [1, 8, 1, 1]),
  of('one-row', 3, [2, 3, 1, 9]),
];
