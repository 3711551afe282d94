import type {OpCase} from '../common/cases.js';

const one = {dtype: 'f32', shape: []} as const;

export const cases: readonly OpCase[] = [
  {name: 'one scale, from u8', attrs: {}, inputs: [{dtype: 'u8', shape: [2, 3, 5]}, one, one]},
  {
    name: 'a scale per channel',
    attrs: {},
    inputs: [
      {dtype: 'i8', shape: [4, 3]},
      {dtype: 'f32', shape: [4, 1]},
      {dtype: 'f32', shape: [4, 1]},
    ],
  },
  {name: 'biases', attrs: {}, inputs: [{dtype: 'i32', shape: [6]}, {dtype: 'f32', shape: [6]}, one]},
  {name: 'from 16 bits', attrs: {}, inputs: [{dtype: 'u16', shape: [9]}, one, one]},
];
