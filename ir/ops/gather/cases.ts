import type {OpCase} from '../common/cases.js';

const x = {dtype: 'f32', shape: [3, 4, 5]} as const;

export const cases: readonly OpCase[] = [
  {name: 'rows, out of order', attrs: {axis: 0}, inputs: [x, {dtype: 'i64', shape: [2]}]},
  {name: 'middle axis by a matrix of indices', attrs: {axis: 1}, inputs: [x, {dtype: 'i32', shape: [2, 3]}]},
  {name: 'last axis by one index', attrs: {axis: 2}, inputs: [x, {dtype: 'i64', shape: []}]},
  {
    name: 'bytes',
    attrs: {axis: 1},
    inputs: [
      {dtype: 'u8', shape: [2, 7]},
      {dtype: 'i64', shape: [9]},
    ],
  },
  {
    name: 'an axis of one',
    attrs: {axis: 0},
    inputs: [
      {dtype: 'f64', shape: [1, 3]},
      {dtype: 'i32', shape: [4]},
    ],
  },
];
