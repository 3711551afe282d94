import type {OpCase} from '../common/cases.js';

const x = {dtype: 'f32', shape: [5, 3]} as const;
const indices = {dtype: 'i64', shape: [4]} as const;
const updates = {dtype: 'f32', shape: [4, 3]} as const;

export const cases: readonly OpCase[] = [
  {name: 'rows replaced', attrs: {reduction: 'none'}, inputs: [x, indices, updates]},
  {name: 'rows added', attrs: {reduction: 'add'}, inputs: [x, indices, updates]},
  {name: 'rows multiplied', attrs: {reduction: 'mul'}, inputs: [x, indices, updates]},
  {name: 'smallest', attrs: {reduction: 'min'}, inputs: [x, indices, updates]},
  {name: 'largest byte', attrs: {reduction: 'max'}, inputs: [{dtype: 'u8', shape: [9]}, indices, {dtype: 'u8', shape: [4]}]},
  {name: '64-bit sum', attrs: {reduction: 'add'}, inputs: [{dtype: 'i64', shape: [2]}, indices, {dtype: 'i64', shape: [4]}]},
  {name: 'truth values', attrs: {reduction: 'none'}, inputs: [{dtype: 'bool', shape: [9]}, indices, {dtype: 'bool', shape: [4]}]},
];
