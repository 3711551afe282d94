import type {OpCase} from '../common/cases.js';

const one = {dtype: 'f32', shape: []} as const;
const x = {dtype: 'f32', shape: [2, 3, 5]} as const;

export const cases: readonly OpCase[] = [
  {name: 'one scale, to u8', attrs: {to: 'u8'}, inputs: [x, one, one]},
  {name: 'one scale, to i8', attrs: {to: 'i8'}, inputs: [x, one, one]},
  {name: 'a scale per channel', attrs: {to: 'i8'}, inputs: [x, {dtype: 'f32', shape: [3, 1]}, {dtype: 'f32', shape: [3, 1]}]},
  {name: 'to 16 bits', attrs: {to: 'i16'}, inputs: [x, one, one]},
  {name: 'from integers', attrs: {to: 'u8'}, inputs: [{dtype: 'i32', shape: [7]}, one, one]},
];
