/** Operators of onnxruntime's own domain, com.microsoft, that its quantizer writes: dequantize, compute, quantize. */
import type {FromOnnx, OnnxCall} from '../../op.js';
import {elements, filled} from '../../tensor.js';
import type {Value} from '../../types.js';
import {avgpool} from '../avgpool/index.js';
import {poolFromOnnx} from '../common/pool.js';
import {limits} from '../common/quantization.js';
import {concat} from '../concat/index.js';
import {dequantize} from '../dequantize/index.js';
import {add, cast, div, elementwiseOps} from '../elementwise/index.js';
import {map} from '../map/index.js';
import {quantize} from '../quantize/index.js';
import {reduceAlong} from '../reduce/index.js';
import {axisOf, reshapeTo} from '../reshape/index.js';
import {softmax} from '../softmax/index.js';
import {transposeTo} from '../transpose/index.js';
import {multiplied} from './exact.js';
import {requantized, zeroPoint} from './index.js';

export const microsoftImporters: Readonly<Record<string, FromOnnx>> = {
  QLinearAdd: importAdd,
  QLinearMul: importMul,
  QLinearSigmoid: through(importerOf('Sigmoid')),
  QLinearLeakyRelu: through(importerOf('LeakyRelu')),
  QLinearSoftmax: through(onnx => softmax.fromOnnx!['Softmax']!({...onnx, opset: onnx.int('opset', 13)})),
  QLinearAveragePool: channelsFirst(onnx => (isWholeImage(onnx) ? importMean : averages)(onnx)),
  QLinearGlobalAveragePool: channelsFirst(importMean),
  QLinearConcat: importConcat,
  QGemm: importGemm,
};

const averages = through(onnx => avgpool.fromOnnx!['AveragePool']!(onnx), roundedTogether);

/** A pool of one window, as large as the image: onnxruntime then rounds as QLinearGlobalAveragePool does. */
function isWholeImage(onnx: OnnxCall): boolean {
  const {kernel, pads} = poolFromOnnx(onnx);
  return pads.every(n => n === 0) && elements(kernel) === elements(onnx.input(0).type.shape.slice(2));
}

function importerOf(name: string): FromOnnx {
  return onnx => elementwiseOps.find(op => op.fromOnnx?.[name])!.fromOnnx![name]!(onnx);
}

const scalar = (onnx: OnnxCall, value: Value): Value =>
  elements(value.type.shape) === 1 ? reshapeTo(onnx, value, [])[0] : value;

/** The operand at `index`, whose scale and zero point follow it, as real numbers. */
function real(onnx: OnnxCall, index: number): Value {
  const [zero] = onnx.emit(cast, [zeroPoint(onnx, index + 2)], {to: 'f32'});
  return onnx.emit(dequantize, [onnx.input(index), scalar(onnx, onnx.input(index + 1)), scalar(onnx, zero)], {})[0];
}

/** Quantized with the scale at `index` and the zero point after it. */
function quantized(onnx: OnnxCall, value: Value, index: number): readonly Value[] {
  const zero = zeroPoint(onnx, index + 1);
  const to = onnx.inputs[index + 1] ? zero.type.dtype : onnx.input(0).type.dtype;
  if (!limits[to]) onnx.unsupported(`${onnx.op} to ${to}`);
  const [offset] = onnx.emit(cast, [zero], {to: 'f32'});
  return onnx.emit(quantize, [value, scalar(onnx, onnx.input(index)), scalar(onnx, offset)], {to});
}

/** The same, the zero point taking part in the rounding, as onnxruntime has it here: halves go to an even sum of both. */
function roundedTogether(onnx: OnnxCall, value: Value, index: number): readonly Value[] {
  const zero = zeroPoint(onnx, index + 1);
  const to = onnx.inputs[index + 1] ? zero.type.dtype : onnx.input(0).type.dtype;
  const [low, high] = limits[to] ?? onnx.unsupported(`${onnx.op} to ${to}`);
  const [offset] = onnx.emit(cast, [zero], {to: 'f32'});
  const expression = `${to}(clamp(round(add(div(x0, x1), x2)), ${low}, ${high}))`;
  return onnx.emit(map, [value, scalar(onnx, onnx.input(index)), scalar(onnx, offset)], {expression});
}

/** The same call with another first operand. */
const withFirst = (onnx: OnnxCall, x: Value): OnnxCall => ({
  ...onnx,
  inputs: onnx.inputs.with(0, x),
  input: index => (index === 0 ? x : onnx.input(index)),
});

/** f(x) for operands x, x scale, x zero point, y scale, y zero point. */
function through(f: FromOnnx, result: typeof quantized = quantized): FromOnnx {
  return onnx => {
    const x = real(onnx, 0);
    const [y] = f(withFirst({...onnx, inputs: onnx.inputs.slice(0, 1)}, x));
    return result(onnx, y!, 3);
  };
}

/** Pools of images whose channels come last, if attribute `channels_last` says so. */
function channelsFirst(f: FromOnnx): FromOnnx {
  return onnx => {
    if (onnx.int('channels_last', 0) === 0) return f(onnx);
    const rank = onnx.input(0).type.shape.length;
    const last = rank - 1;
    const spatial = Array.from({length: rank - 2}, (_, i) => i + 1);
    const x = transposeTo(onnx, onnx.input(0), [0, last, ...spatial]);
    const [y] = f(withFirst(onnx, x));
    return [transposeTo(onnx, y!, [0, ...spatial.map(axis => axis + 1), 1])];
  };
}

/** As onnxruntime does it: the zero point of the result takes part in the rounding, so halves go to an even sum of both. */
function importAdd(onnx: OnnxCall): readonly Value[] {
  const zeros = [2, 5, 7].map(index => scalar(onnx, onnx.emit(cast, [zeroPoint(onnx, index)], {to: 'f32'})[0]));
  const scales = [1, 4, 6].map(index => scalar(onnx, onnx.input(index)));
  const ratio = (index: number): Value => onnx.emit(div, [scales[index]!, scales[2]!], {})[0];
  const [a, b] = [ratio(0), ratio(1)];
  const [fixed] = onnx.emit(map, [a, zeros[0]!, b, zeros[1]!, zeros[2]!], {expression: 'sub(x4, add(mul(x0, x1), mul(x2, x3)))'});
  const to = onnx.input(0).type.dtype;
  const [low, high] = limits[to] ?? onnx.unsupported(`${onnx.op} of ${to}`);
  const sum = 'add(mul(f32(x1), x3), add(mul(f32(x0), x2), x4))';
  return onnx.emit(map, [onnx.input(0), onnx.input(3), a, b, fixed], {
    expression: `${to}(clamp(add(round(${sum}), 0), ${low}, ${high}))`,
  });
}

/** The same for a product. */
function importMul(onnx: OnnxCall): readonly Value[] {
  const zeros = [2, 5, 7].map(index => scalar(onnx, onnx.emit(cast, [zeroPoint(onnx, index)], {to: 'f32'})[0]));
  const scales = [1, 4, 6].map(index => scalar(onnx, onnx.input(index)));
  const [ratio] = onnx.emit(map, scales, {expression: 'div(mul(x0, x1), x2)'});
  const to = onnx.input(0).type.dtype;
  const [low, high] = limits[to] ?? onnx.unsupported(`${onnx.op} of ${to}`);
  const product = 'mul(mul(sub(f32(x0), x1), sub(f32(x2), x3)), x4)';
  return onnx.emit(map, [onnx.input(0), zeros[0]!, onnx.input(3), zeros[1]!, ratio, zeros[2]!], {
    expression: `${to}(clamp(round(add(${product}, x5)), ${low}, ${high}))`,
  });
}

/** The exact sum over the image, then one rounding. */
function importMean(onnx: OnnxCall): readonly Value[] {
  const x = onnx.input(0);
  const axes = x.type.shape.map((_, axis) => axis).slice(2);
  const count = onnx.literal(filled('f32', [], elements(x.type.shape.slice(2))));
  const [zero] = onnx.emit(cast, [zeroPoint(onnx, 2)], {to: 'f32'});
  const [centered] = onnx.emit(map, [x, scalar(onnx, zero)], {expression: 'sub(f32(x0), x1)'});
  const sums = reduceAlong(onnx, centered, 'sum', axes, true);
  const scales = [scalar(onnx, onnx.input(1)), scalar(onnx, onnx.input(3)), count];
  return requantized(onnx, sums, onnx.emit(map, scales, {expression: 'div(x0, mul(x1, x2))'})[0], zeroPoint(onnx, 4));
}

/** Operands: y scale, y zero point, then x, scale and zero point of each part. */
function importConcat(onnx: OnnxCall): readonly Value[] {
  const parts = onnx.inputs.flatMap((_, i) => (i >= 2 && i % 3 === 2 ? [quantized(onnx, real(onnx, i), 0)[0]!] : []));
  return onnx.emit(concat, parts, {axis: axisOf(onnx, onnx.int('axis'), parts[0]!.type.shape.length)});
}

/** Operands: a, scale, zero; b, scale, zero; an i32 bias; y scale and zero, without which the result is real. */
function importGemm(given: OnnxCall): readonly Value[] {
  const onnx = given.int('transA', 0) !== 0 ? withFirst(given, transposeTo(given, given.input(0), [1, 0])) : given;
  const turned = onnx.int('transB', 0) !== 0;
  const product = multiplied(onnx, {left: {x: 0, zero: 2}, right: {x: 3, zero: 5}, bias: 6}, turned);
  const [bias] = onnx.inputs[6] ? onnx.emit(cast, [onnx.input(6)], {to: product.type.dtype}) : [null];
  const sums = bias ? onnx.emit(add, [product, bias], {})[0] : product;
  const one = onnx.literal(filled('f32', [], 1));
  const alpha = onnx.literal(filled('f32', [], onnx.float('alpha', 1)));
  const asked = onnx.inputs[7] ?? null;
  const operands = [onnx.input(1), onnx.input(4), asked ?? one].map(value => scalar(onnx, value));
  const [scale] = onnx.emit(map, [...operands, alpha], {expression: 'div(mul(mul(x3, x0), x1), x2)'});
  if (!asked) return onnx.emit(map, [sums, scale], {expression: 'mul(f32(x0), x1)'});
  return requantized(onnx, sums, scale, zeroPoint(onnx, 8));
}
