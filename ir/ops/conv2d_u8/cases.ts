import type {DType, TensorType} from '../../types.js';
import type {OpCase} from '../common/cases.js';

type Attrs = OpCase['attrs'];
type Extra = readonly [dtype: DType, ...shape: number[]];

const typed = ([dtype, ...shape]: Extra): TensorType => ({dtype, shape});

/** x [n][c][h][w], w [o][i][r][s] in bytes, a bias of 32 bits. */
const conv = (
  name: string,
  x: readonly number[],
  w: readonly number[],
  attrs: Attrs = {},
  extras: readonly Extra[] = [],
  weights: DType = 'i8',
): OpCase => ({
  name,
  attrs,
  inputs: [
    {dtype: 'u8', shape: x},
    {dtype: weights, shape: w},
    {dtype: weights === 'f32' ? 'f32' : 'i32', shape: [w[0]!]},
    ...extras.map(typed),
  ],
});

const toByte = 'u8(clamp(add(round(mul(x0, 0.01)), 7), 0, 255))';
const padded = {pads: [1, 1, 1, 1], outside: 7};

export const cases: readonly OpCase[] = [
  conv('3x3, padded with the zero point', [1, 3, 8, 8], [16, 3, 3, 3], padded),
  conv('to bytes', [1, 16, 6, 7], [17, 16, 3, 3], {...padded, epilogue: toByte}),
  conv('1x1 of 18 channels, stride 2', [1, 18, 7, 7], [19, 18, 1, 1], {strides: [2, 2]}),
  conv('dilated, strided', [1, 5, 11, 10], [3, 5, 3, 3], {dilations: [2, 3], strides: [2, 1], pads: [2, 3, 1, 0], outside: 255}),
  conv('two groups', [1, 6, 5, 5], [10, 3, 3, 3], {groups: 2, ...padded}),
  conv('batch 2, one channel', [2, 1, 7, 7], [33, 1, 3, 3], {...padded, strides: [2, 2]}),
  conv('weights beyond a byte', [1, 6, 6, 6], [18, 6, 3, 3], padded, [], 'i16'),
  conv('weights beyond a byte, groups', [1, 6, 6, 6], [8, 3, 1, 1], {groups: 2}, [], 'i16'),
  conv(
    'a residual of bytes',
    [1, 8, 6, 5],
    [17, 8, 1, 1],
    {epilogue: 'u8(clamp(add(round(add(mul(x0, 0.01), f32(x1))), 0), 0, 255))'},
    [['u8', 1, 17, 6, 5]],
  ),
  conv(
    'scales per channel, a residual of bytes',
    [1, 8, 6, 5],
    [20, 8, 3, 3],
    {...padded, epilogue: 'add(mul(x0, x1), sub(f32(x2), 128))'},
    [
      ['f32', 20, 1, 1],
      ['u8', 1, 20, 6, 5],
    ],
  ),
  conv('depthwise', [1, 19, 7, 7], [19, 1, 3, 3], {groups: 19, ...padded}),
  conv('depthwise of eight channels, to bytes', [1, 8, 7, 8], [8, 1, 3, 3], {groups: 8, ...padded, epilogue: toByte}),
  conv('depthwise of 80 channels, 5x5, stride 2', [1, 80, 9, 9], [80, 1, 5, 5], {
    groups: 80,
    strides: [2, 2],
    pads: [2, 2, 2, 2],
    outside: 7,
    epilogue: toByte,
  }),
  conv(
    'depthwise of 32 channels, scales per channel, a residual of bytes',
    [1, 32, 6, 6],
    [32, 1, 3, 3],
    {groups: 32, ...padded, epilogue: 'u8(clamp(add(round(add(mul(x0, x1), f32(x2))), 0), 0, 255))'},
    [
      ['f32', 32, 1, 1],
      ['u8', 1, 32, 6, 6],
    ],
  ),
  conv('depthwise by weights beyond a byte', [1, 19, 7, 7], [19, 1, 3, 3], {groups: 19, ...padded}, [], 'f32'),
  conv(
    'depthwise to bytes, stride 2',
    [1, 32, 7, 7],
    [32, 1, 3, 3],
    {groups: 32, strides: [2, 2], ...padded, epilogue: toByte},
    [],
    'f32',
  ),
  conv(
    'depthwise with a residual of bytes',
    [1, 16, 9, 9],
    [16, 1, 3, 3],
    {groups: 16, ...padded, epilogue: 'add(x0, f32(x1))'},
    [['u8', 1, 16, 9, 9]],
    'f32',
  ),
];
