import type {DType} from '../../types.js';
import type {OpCase} from '../common/cases.js';

type Attrs = OpCase['attrs'];

/** x [n][c][h][w], w [o][i][r][s], a bias unless told otherwise. */
const conv = (name: string, x: readonly number[], w: readonly number[], attrs: Attrs = {}, bias = true): OpCase => ({
  name,
  attrs,
  inputs: [{dtype: 'f32', shape: x}, {dtype: 'f32', shape: w}, bias ? {dtype: 'f32', shape: [w[0]!]} : null],
});

const fused = (name: string, epilogue: string, extras: readonly (readonly number[])[]): OpCase => {
  const {inputs} = conv(name, [1, 3, 6, 5], [17, 3, 3, 3]);
  return {
    name,
    attrs: {pads: [1, 1, 1, 1], epilogue},
    inputs: [...inputs, ...extras.map(shape => ({dtype: 'f32', shape}) as const)],
  };
};

/** Weights of another type; scales with `group`. */
const narrow = (dtype: DType, w: readonly number[], attrs: Attrs = {}): OpCase => {
  const groups = typeof attrs.groups === 'number' ? attrs.groups : 1;
  const [o, i, r, s] = w as [number, number, number, number];
  const rows = typeof attrs.group === 'number' ? [{dtype: 'f32', shape: [o, Math.ceil((i * r * s) / attrs.group)]} as const] : [];
  const inputs: OpCase['inputs'] = [
    ...conv('', [1, i * groups, 6, 5], w).inputs.map((type, at) => (at === 1 && type ? {...type, dtype} : type)),
    ...rows,
  ];
  return {name: `${dtype} ${JSON.stringify(attrs)} ${w}`, attrs, inputs};
};

export const cases: readonly OpCase[] = [
  conv('3x3, same size', [1, 3, 8, 8], [16, 3, 3, 3], {pads: [1, 1, 1, 1]}),
  conv('no bias', [1, 3, 8, 8], [4, 3, 3, 3], {}, false),
  conv('1x1', [1, 17, 7, 7], [19, 17, 1, 1]),
  conv('1x1, stride 2', [1, 4, 7, 7], [8, 4, 1, 1], {strides: [2, 2]}),
  conv('1x1, padded', [1, 4, 3, 3], [8, 4, 1, 1], {pads: [1, 0, 0, 1]}),
  conv('stride larger than kernel', [1, 3, 11, 11], [5, 3, 2, 2], {strides: [3, 4]}),
  conv('rows dilated, columns not', [1, 2, 9, 9], [3, 2, 3, 3], {dilations: [2, 1]}),
  conv('dilated, strided, padded', [1, 2, 11, 10], [3, 2, 3, 3], {dilations: [2, 3], strides: [2, 1], pads: [2, 3, 1, 0]}),
  conv('two groups', [1, 6, 5, 5], [10, 3, 3, 3], {groups: 2, pads: [1, 1, 1, 1]}),
  conv('three groups of 17 channels', [1, 6, 5, 4], [51, 2, 2, 2], {groups: 3}),
  conv('depthwise', [1, 19, 7, 7], [19, 1, 3, 3], {groups: 19, pads: [1, 1, 1, 1]}),
  conv('depthwise, no bias, stride 2', [1, 8, 7, 7], [8, 1, 3, 3], {groups: 8, strides: [2, 2], pads: [0, 0, 1, 1]}, false),
  conv('depthwise, dilated', [1, 16, 9, 9], [16, 1, 3, 3], {groups: 16, dilations: [2, 2]}),
  conv('depthwise with multiplier 3', [1, 4, 5, 5], [12, 1, 3, 3], {groups: 4, pads: [1, 1, 1, 1]}),
  conv('padded on one side', [1, 3, 6, 6], [4, 3, 3, 3], {pads: [0, 0, 2, 1]}),
  conv('padded on the other side', [1, 3, 6, 6], [4, 3, 3, 3], {pads: [2, 1, 0, 0]}),
  conv('padding wider than the image', [1, 1, 2, 2], [1, 1, 3, 3], {pads: [3, 4, 4, 3]}),
  conv('padding wider than the kernel', [1, 2, 4, 4], [3, 2, 1, 2], {pads: [2, 3, 1, 2]}),
  conv('one channel in and out', [1, 1, 7, 7], [1, 1, 3, 3]),
  conv('17 channels in and out', [1, 17, 5, 5], [17, 17, 3, 3], {pads: [1, 1, 1, 1]}),
  conv('33 output channels', [1, 3, 4, 6], [33, 3, 1, 3]),
  conv('one pixel', [1, 5, 1, 1], [7, 5, 1, 1]),
  conv('one pixel, 3x3 in padding', [1, 5, 1, 1], [7, 5, 3, 3], {pads: [1, 1, 1, 1]}),
  conv('kernel as large as the image', [1, 3, 7, 7], [10, 3, 7, 7]),
  conv('a row', [1, 4, 1, 23], [6, 4, 1, 5], {pads: [0, 2, 0, 2]}),
  conv('a column', [1, 4, 23, 1], [6, 4, 5, 1], {pads: [2, 0, 2, 0], strides: [2, 1]}),
  conv('1x3, along rows', [1, 16, 5, 8], [16, 16, 1, 3], {pads: [0, 1, 0, 1]}),
  conv('3x1, along columns', [1, 16, 8, 5], [24, 16, 3, 1], {pads: [1, 0, 1, 0]}),
  conv('1x3, rows of odd length, batch 2', [2, 40, 3, 11], [33, 40, 1, 3]),
  conv('3x1, columns of odd length, no bias', [1, 33, 13, 2], [17, 33, 3, 1], {pads: [2, 0, 1, 0]}, false),
  {
    name: '3x1 with a residual, scaled',
    attrs: {pads: [1, 0, 1, 0], epilogue: 'max(add(mul(x0, x1), x2), 0)'},
    inputs: [
      ...conv('', [1, 32, 7, 6], [20, 32, 3, 1]).inputs,
      {dtype: 'f32', shape: [20, 1, 1]},
      {dtype: 'f32', shape: [1, 20, 7, 6]},
    ],
  },
  conv('batch 2', [2, 3, 7, 7], [8, 3, 3, 3], {pads: [1, 1, 1, 1], strides: [2, 2]}),
  conv('batch 3, grouped, no padding', [3, 4, 4, 4], [4, 2, 2, 2], {groups: 2}),
  fused('relu in the epilogue', 'max(x0, 0)', []),
  fused('residual in the epilogue', 'max(add(x0, x1), 0)', [[1, 17, 6, 5]]),
  fused('scale per channel and residual', 'add(mul(x0, x1), x2)', [
    [17, 1, 1],
    [1, 17, 6, 5],
  ]),
  narrow('f16', [17, 3, 3, 3], {pads: [1, 1, 1, 1]}),
  narrow('bf16', [16, 5, 1, 1]),
  narrow('i8', [33, 4, 3, 3], {strides: [2, 1]}),
  narrow('i4', [6, 2, 2, 2], {groups: 3}),
  narrow('i8', [19, 1, 3, 3], {groups: 19, pads: [1, 1, 1, 1]}),
  narrow('i4', [40, 40, 1, 1], {group: 32}),
  narrow('i8', [20, 5, 3, 3], {group: 8, pads: [1, 0, 0, 1]}),
  narrow('i4', [34, 3, 3, 1], {group: 4, groups: 2}),
  {
    name: 'scales within and after the sum, and a residual',
    attrs: {group: 32, epilogue: 'add(mul(x0, x1), x2)'},
    inputs: [
      ...narrow('i4', [17, 33, 1, 1], {group: 32}).inputs,
      {dtype: 'f32', shape: [17, 1, 1]},
      {dtype: 'f32', shape: [1, 17, 6, 5]},
    ],
  },
  fused('residual without a batch axis', 'add(x0, x1)', [[17, 6, 5]]),
  fused('residual of one row and of one value', 'add(mul(x0, x2), x1)', [[1, 17, 1, 5], []]),
];
