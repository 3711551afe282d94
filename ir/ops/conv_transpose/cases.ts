import type {OpCase} from '../common/cases.js';

const x = {dtype: 'f32', shape: [2, 4, 5, 3]} as const;
const plain = {strides: [1, 1], dilations: [1, 1], start: [0, 0], groups: 1};

export const cases: readonly OpCase[] = [
  {name: 'plain', attrs: {...plain, size: [7, 5]}, inputs: [x, {dtype: 'f32', shape: [4, 3, 3, 3]}, null]},
  {
    name: 'stride 2, cut, bias',
    attrs: {...plain, strides: [2, 2], start: [1, 1], size: [10, 6]},
    inputs: [x, {dtype: 'f32', shape: [4, 3, 4, 4]}, {dtype: 'f32', shape: [3]}],
  },
  {
    name: 'groups, dilated, stride larger than kernel',
    attrs: {strides: [3, 4], dilations: [2, 1], start: [0, 1], size: [17, 12], groups: 2},
    inputs: [x, {dtype: 'f32', shape: [4, 1, 2, 2]}, null],
  },
  {
    name: 'larger than all that is added',
    attrs: {...plain, start: [2, 3], size: [9, 9]},
    inputs: [x, {dtype: 'f32', shape: [4, 2, 1, 1]}, null],
  },
];
