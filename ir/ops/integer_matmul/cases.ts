import type {OpCase} from '../common/cases.js';

export const cases: readonly OpCase[] = [
  {
    name: 'one matrix',
    attrs: {},
    inputs: [
      {dtype: 'i32', shape: [3, 5]},
      {dtype: 'i32', shape: [5, 4]},
    ],
  },
  {
    name: 'a batch of single rows',
    attrs: {},
    inputs: [
      {dtype: 'i32', shape: [2, 3, 1, 7]},
      {dtype: 'i32', shape: [2, 3, 7, 1]},
    ],
  },
];
