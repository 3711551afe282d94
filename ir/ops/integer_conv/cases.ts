import type {OpCase} from '../common/cases.js';

const plain = {strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], groups: 1};
const x = {dtype: 'i32', shape: [2, 4, 6, 5]} as const;

export const cases: readonly OpCase[] = [
  {name: 'plain', attrs: plain, inputs: [x, {dtype: 'i32', shape: [3, 4, 3, 3]}]},
  {
    name: 'padding larger than the kernel, stride, groups',
    attrs: {...plain, strides: [2, 3], pads: [3, 1, 0, 4], groups: 2},
    inputs: [x, {dtype: 'i32', shape: [2, 2, 2, 3]}],
  },
  {name: 'depthwise, dilated', attrs: {...plain, dilations: [2, 2], groups: 4}, inputs: [x, {dtype: 'i32', shape: [4, 1, 3, 2]}]},
];
