/** Operators of onnxruntime's own domain. */
import type {DType} from '../../../ir/types.js';
import type {Draft, Draw, Known, Recipe} from '../onnx-draw.js';
import {float, int} from '../onnx-graph.js';
import {range} from './common.js';
import {quantizedOf, scaleOf, zeroOf} from './quantized.js';
import {windowOf} from './window.js';

const microsoft = (op: string, draw: Recipe['draw']): Recipe => ({op, domain: 'com.microsoft', exact: true, draw});

const bytes: readonly DType[] = ['u8', 'i8'];

/** An operand with its scale and zero point. */
const real = (draw: Draw, shape: readonly number[], dtype: DType, constant = false): readonly Known[] => [
  quantizedOf(draw, shape, dtype, constant),
  scaleOf(draw),
  zeroOf(draw, dtype),
];

const scaled = (draw: Draw, dtype: DType, scale: number): readonly Known[] => [
  draw.numbers('f32', [], [scale]),
  zeroOf(draw, dtype),
];

function elementwise(draw: Draw, scale: number): Draft {
  const dtype = draw.random.pick(bytes);
  const shape = draw.shape(1);
  const other = draw.random.pick([shape, shape.map(size => (draw.random.chance(0.5) ? 1 : size)), shape.slice(1)]);
  return {
    inputs: [...real(draw, shape, dtype), ...real(draw, other, dtype, draw.random.chance(0.3)), ...scaled(draw, dtype, scale)],
  };
}

const unary = (op: string, scale: number, more: (draw: Draw, rank: number) => Draft['attributes'] = () => []): Recipe =>
  microsoft(op, draw => {
    const dtype = draw.random.pick(bytes);
    const shape = draw.shape(1);
    return {inputs: [...real(draw, shape, dtype), ...scaled(draw, dtype, scale)], attributes: more(draw, shape.length) ?? []};
  });

function pooled(draw: Draw, windowed: boolean): Draft {
  const dtype = draw.random.pick(bytes);
  const [, channels, ...sizes] = draw.image(2);
  const last = draw.random.chance(0.3);
  const shape = last ? [1, ...sizes, channels!] : [1, channels!, ...sizes];
  const inputs = [...real(draw, shape, dtype), ...scaled(draw, dtype, 0.0625)];
  const flag = last ? [int('channels_last', 1)] : draw.maybe(int('channels_last', 0));
  if (!windowed) return {inputs, attributes: [int('channels_last', last ? 1 : 0)]};
  const {attributes} = windowOf(draw, sizes, {dilated: false});
  return {inputs, attributes: [...attributes, ...flag, ...draw.maybe(int('count_include_pad', draw.random.below(2)))]};
}

function concat(draw: Draw): Draft {
  const dtype = draw.random.pick(bytes);
  const shape = draw.shape(1);
  const axis = draw.axis(shape.length);
  const at = (axis + shape.length) % shape.length;
  const parts = range(1 + draw.random.below(3)).flatMap(() =>
    real(draw, shape.with(at, 1 + draw.random.below(4)), dtype, draw.random.chance(0.3)),
  );
  return {inputs: [...scaled(draw, dtype, 0.0625), ...parts], attributes: [int('axis', axis)]};
}

function gemm(draw: Draw): Draft {
  const dtype = draw.random.pick(bytes);
  const [rows, inner, columns] = [
    1 + draw.random.below(4),
    draw.random.pick([1, 2, 3, 5, 8, 16]),
    draw.random.pick([1, 3, 8, 17]),
  ];
  const turned = draw.random.chance(0.5);
  const a = real(draw, [rows, inner], dtype);
  const b = real(draw, turned ? [columns, inner] : [inner, columns], dtype, true);
  const bias = draw.random.chance(0.5) ? draw.weight([columns], -200, 200, 'i32') : null;
  const result = draw.random.chance(0.8) ? scaled(draw, dtype, 0.25) : [];
  return {
    inputs: [...a, ...b, bias, ...result],
    attributes: [...(turned ? [int('transB', 1)] : []), ...draw.maybe(float('alpha', draw.random.pick([1, 0.5, 2])))],
  };
}

export const microsoftRecipes: readonly Recipe[] = [
  microsoft('QLinearAdd', draw => elementwise(draw, 0.125)),
  microsoft('QLinearMul', draw => elementwise(draw, 0.25)),
  unary('QLinearSigmoid', 0.0078125),
  unary('QLinearLeakyRelu', 0.0625, draw => draw.maybe(float('alpha', draw.random.pick([0.25, 0.5])))),
  unary('QLinearSoftmax', 0.0078125, (draw, rank) => [int('axis', draw.axis(rank)), int('opset', 13)]),
  microsoft('QLinearAveragePool', draw => pooled(draw, true)),
  microsoft('QLinearGlobalAveragePool', draw => pooled(draw, false)),
  microsoft('QLinearConcat', concat),
  {...microsoft('QGemm', gemm), exact: false},
];
