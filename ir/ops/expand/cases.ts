import type {OpCase} from '../common/cases.js';

export const cases: readonly OpCase[] = [
  {name: 'an axis of one stretches', attrs: {shape: [3, 4]}, inputs: [{dtype: 'f32', shape: [3, 1]}]},
  {name: 'new axes in front', attrs: {shape: [2, 5, 3]}, inputs: [{dtype: 'i64', shape: [3]}]},
  {name: 'a scalar', attrs: {shape: [2, 2]}, inputs: [{dtype: 'f64', shape: []}]},
  {name: 'channels of an image', attrs: {shape: [1, 4, 3, 3]}, inputs: [{dtype: 'u8', shape: [1, 4, 1, 1]}]},
];
