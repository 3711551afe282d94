import type {OpCase} from '../common/cases.js';

const pool = (name: string, shape: readonly number[], attrs: OpCase['attrs']): OpCase => ({
  name,
  attrs,
  inputs: [{dtype: 'f32', shape}],
});

export const cases: readonly OpCase[] = [
  pool('overlapping, two images', [2, 3, 7, 6], {kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1]}),
  pool('stride larger than kernel', [1, 2, 9, 9], {kernel: [2, 2], strides: [3, 4]}),
  pool('dilated in padding', [1, 4, 7, 7], {kernel: [3, 3], dilations: [2, 2], pads: [2, 2, 2, 2]}),
  pool('ceil, padded on one side', [1, 2, 7, 6], {kernel: [3, 2], strides: [2, 3], pads: [0, 1, 2, 0], ceil: true}),
  pool('one pixel', [1, 4, 1, 1], {kernel: [1, 1]}),
  pool('a row', [1, 3, 1, 12], {kernel: [1, 4], strides: [1, 3]}),
];
