import type {OpCase} from '../common/cases.js';

const plain = {strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], groups: 1};
const x = {dtype: 'i32', shape: [2, 4, 6, 5]} as const;

const real = {dtype: 'f32', shape: [2, 4, 6, 5]} as const;

export const cases: readonly OpCase[] = [
  {name: 'plain', attrs: plain, inputs: [x, {dtype: 'i32', shape: [3, 4, 3, 3]}]},
  {
    name: 'padding larger than the kernel, stride, groups',
    attrs: {...plain, strides: [2, 3], pads: [3, 1, 0, 4], groups: 2},
    inputs: [x, {dtype: 'i32', shape: [2, 2, 2, 3]}],
  },
  {name: 'depthwise, dilated', attrs: {...plain, dilations: [2, 2], groups: 4}, inputs: [x, {dtype: 'i32', shape: [4, 1, 3, 2]}]},
  {
    name: 'f32, padding wider than the kernel',
    attrs: {...plain, pads: [2, 4, 1, 3]},
    inputs: [real, {dtype: 'f32', shape: [3, 4, 2, 3]}],
  },
  {
    name: 'f32, groups, stride larger than the kernel',
    attrs: {...plain, strides: [3, 2], groups: 2},
    inputs: [real, {dtype: 'f32', shape: [4, 2, 2, 1]}],
  },
  {
    name: 'f64, kernel as large as the image',
    attrs: plain,
    inputs: [
      {dtype: 'f64', shape: [1, 3, 4, 4]},
      {dtype: 'f64', shape: [2, 3, 4, 4]},
    ],
  },
];
