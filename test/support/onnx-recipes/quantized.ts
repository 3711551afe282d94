/** Integers that stand for reals: quantized operators of ONNX. Scales are powers of two, so that no rounding is a tie by chance. */
import type {DType} from '../../../ir/types.js';
import type {Draft, Draw, Known, Recipe} from '../onnx-draw.js';
import {int} from '../onnx-graph.js';
import {groupsOf, windowOf} from './window.js';

const bytes: readonly DType[] = ['u8', 'i8'];

export const scaleOf = (draw: Draw, shape: readonly number[] = []): Known => {
  const count = shape.reduce((a, b) => a * b, 1);
  return draw.numbers(
    'f32',
    shape,
    Array.from({length: count}, () => draw.random.pick([0.03125, 0.0625, 0.125])),
  );
};

export const zeroOf = (draw: Draw, dtype: DType, shape: readonly number[] = []): Known =>
  draw.weight(shape, dtype === 'u8' ? 120 : -4, dtype === 'u8' ? 136 : 4, dtype);

/** A tensor of bytes, as an input or a constant. */
export const quantizedOf = (draw: Draw, shape: readonly number[], dtype: DType, constant: boolean): Known => {
  const made = draw.weight(shape, dtype === 'u8' ? 100 : -30, dtype === 'u8' ? 156 : 30, dtype);
  return {...made, name: draw.name(constant ? 'w' : 'x'), constant};
};

/** Scale and zero point for all, per axis, or in blocks. */
function parameters(draw: Draw, shape: readonly number[], dtype: DType): Draft & {readonly inputs: readonly (Known | null)[]} {
  const perAxis = draw.opset >= 13 && shape.length > 0 && draw.random.chance(0.4);
  const axis = perAxis ? draw.axis(shape.length) : 0;
  const sizes = perAxis ? [shape.at(axis)!] : draw.random.pick([[], [], [1]]);
  const zero = draw.random.chance(0.7) || dtype !== 'u8' ? [zeroOf(draw, dtype, sizes)] : [];
  return {inputs: [scaleOf(draw, sizes), ...zero], attributes: perAxis ? [int('axis', axis)] : []};
}

const quantizing: readonly Recipe[] = [
  {
    op: 'QuantizeLinear',
    opsets: [10, 99],
    exact: true,
    draw(draw) {
      const x = draw.pick({dtypes: draw.random.chance(0.1) && draw.opset < 19 ? ['i32'] : ['f32']});
      const {inputs, attributes} = parameters(draw, x.tensor.shape, draw.random.pick(bytes));
      return {inputs: [x, ...inputs], attributes: attributes ?? []};
    },
  },
  {
    op: 'DequantizeLinear',
    opsets: [10, 99],
    draw(draw) {
      const x = draw.pick({dtypes: bytes});
      const {inputs, attributes} = parameters(draw, x.tensor.shape, x.tensor.dtype);
      return {inputs: [x, ...inputs], attributes: attributes ?? []};
    },
  },
  {op: 'DynamicQuantizeLinear', opsets: [11, 99], draw: draw => ({inputs: [draw.pick()], outputs: [true, true, true]})},
];

const inner = [1, 2, 3, 5, 8, 16];

function matmulInteger(draw: Draw): Draft {
  const k = draw.random.pick(inner);
  const [left, right] = [draw.random.pick(bytes), draw.random.pick(bytes)];
  const a = quantizedOf(draw, [...draw.random.pick([[], [2]]), 1 + draw.random.below(4), k], left, false);
  const b = quantizedOf(draw, [k, draw.random.pick([1, 3, 8, 17])], right, draw.random.chance(0.7));
  const zeros = draw.random.chance(0.6) ? [zeroOf(draw, left), ...(draw.random.chance(0.7) ? [zeroOf(draw, right)] : [])] : [];
  return {inputs: [a, b, ...zeros]};
}

function qlinearMatmul(draw: Draw): Draft {
  const k = draw.random.pick(inner);
  const left = draw.random.pick(bytes);
  const right = left === 'i8' ? 'i8' : draw.random.pick(bytes);
  const a = quantizedOf(draw, [1 + draw.random.below(4), k], left, false);
  const b = quantizedOf(draw, [k, draw.random.pick([1, 3, 8, 17])], right, draw.random.chance(0.8));
  return {
    inputs: [
      a,
      scaleOf(draw),
      zeroOf(draw, left),
      b,
      scaleOf(draw),
      zeroOf(draw, right),
      draw.numbers('f32', [], [0.25]),
      zeroOf(draw, left),
    ],
  };
}

function convolution(draw: Draw, real: boolean): Draft {
  const [, channels, ...sizes] = draw.image(draw.random.chance(0.8) ? 2 : 1);
  const {kernel, attributes} = windowOf(draw, sizes, {named: false});
  const [groups, outputs] = groupsOf(draw, channels!);
  const left = real ? draw.random.pick(bytes) : 'u8';
  const right: DType = left === 'i8' ? 'i8' : draw.random.pick(bytes);
  const x = quantizedOf(draw, [1, channels!, ...sizes], left, false);
  const w = quantizedOf(draw, [outputs, channels! / groups, ...kernel], right, draw.random.chance(0.85));
  const more = [...attributes, ...(groups > 1 ? [int('group', groups)] : [])];
  if (!real) {
    const zeros = draw.random.chance(0.6) ? [zeroOf(draw, left), ...(draw.random.chance(0.6) ? [zeroOf(draw, right)] : [])] : [];
    return {inputs: [x, w, ...zeros], attributes: more};
  }
  const scales = draw.random.pick([[], [outputs]]);
  const zero = draw.numbers(
    right,
    scales,
    Array.from({length: scales[0] ?? 1}, () => (right === 'u8' ? 128 : 0)),
  );
  const bias = draw.random.chance(0.5) ? [draw.weight([outputs], -200, 200, 'i32')] : [];
  return {
    inputs: [
      x,
      scaleOf(draw),
      zeroOf(draw, left),
      w,
      scaleOf(draw, scales),
      zero,
      draw.numbers('f32', [], [0.25]),
      zeroOf(draw, left),
      ...bias,
    ],
    attributes: more,
  };
}

export const quantizedRecipes: readonly Recipe[] = [
  ...quantizing,
  {op: 'MatMulInteger', opsets: [10, 99], exact: true, draw: matmulInteger},
  {op: 'QLinearMatMul', opsets: [10, 99], exact: true, draw: qlinearMatmul},
  {op: 'ConvInteger', opsets: [10, 99], exact: true, draw: draw => convolution(draw, false)},
  {op: 'QLinearConv', opsets: [10, 99], exact: true, draw: draw => convolution(draw, true)},
];
