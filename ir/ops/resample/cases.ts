import type {OpCase} from '../common/cases.js';

export const cases: readonly OpCase[] = [
  {
    name: 'rows of an image, two taps',
    attrs: {axis: 2},
    inputs: [
      {dtype: 'f32', shape: [1, 2, 4, 5]},
      {dtype: 'i32', shape: [7, 2]},
      {dtype: 'f32', shape: [7, 2]},
    ],
  },
  {
    name: 'last axis, four taps',
    attrs: {axis: 1},
    inputs: [
      {dtype: 'f32', shape: [3, 6]},
      {dtype: 'i32', shape: [2, 4]},
      {dtype: 'f32', shape: [2, 4]},
    ],
  },
  {
    name: 'double, one tap',
    attrs: {axis: 0},
    inputs: [
      {dtype: 'f64', shape: [3, 2]},
      {dtype: 'i32', shape: [5, 1]},
      {dtype: 'f64', shape: [5, 1]},
    ],
  },
];
