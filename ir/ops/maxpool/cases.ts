import type {OpCase} from '../common/cases.js';

/** Windows that both pools must get right. */
export const windows: readonly OpCase[] = [
  pool('2x2', [1, 3, 8, 8], {kernel: [2, 2], strides: [2, 2]}),
  pool('3x3, overlapping', [1, 17, 7, 7], {kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1]}),
  pool('stride larger than kernel', [1, 2, 9, 9], {kernel: [2, 2], strides: [3, 4]}),
  pool('dilated', [1, 4, 9, 9], {kernel: [2, 3], dilations: [3, 2]}),
  pool('dilated in padding', [1, 4, 7, 7], {kernel: [3, 3], dilations: [2, 2], pads: [2, 2, 2, 2]}),
  pool('ceil', [1, 3, 6, 7], {kernel: [3, 3], strides: [2, 2], ceil: true}),
  pool('ceil, where the last window would begin in the padding', [1, 1, 4, 4], {
    kernel: [2, 2],
    strides: [3, 3],
    pads: [1, 1, 1, 1],
    ceil: true,
  }),
  pool('ceil, padded on one side', [1, 2, 7, 6], {kernel: [3, 2], strides: [2, 3], pads: [0, 1, 2, 0], ceil: true}),
  pool('padded on one side', [1, 5, 6, 6], {kernel: [3, 3], pads: [0, 0, 2, 1]}),
  pool('padded on the other side', [1, 5, 6, 6], {kernel: [3, 3], pads: [1, 2, 0, 0]}),
  pool('whole image', [1, 19, 7, 7], {kernel: [7, 7]}),
  pool('one pixel', [1, 4, 1, 1], {kernel: [1, 1]}),
  pool('one channel', [1, 1, 5, 5], {kernel: [2, 2]}),
  pool('33 channels', [1, 33, 3, 3], {kernel: [2, 1]}),
  pool('a row', [1, 3, 1, 12], {kernel: [1, 4], strides: [1, 3]}),
  pool('batch 2', [2, 3, 5, 4], {kernel: [2, 2], strides: [2, 1], pads: [1, 0, 0, 1]}),
];

/** All of them, and some on bytes. */
export const cases: readonly OpCase[] = [
  ...windows,
  ...windows
    .filter(({attrs}) => 'pads' in attrs)
    .map(({name, attrs, inputs}) => ({
      name: `${name}, of bytes`,
      attrs,
      inputs: inputs.map(type => type && {...type, dtype: 'u8' as const}),
    })),
];

function pool(name: string, shape: readonly number[], attrs: OpCase['attrs']): OpCase {
  return {name, attrs, inputs: [{dtype: 'f32', shape}]};
}
