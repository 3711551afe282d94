/** Operators of onnxruntime's own domain, com.microsoft, that its quantizer writes: dequantize, compute, quantize. */
import type {FromOnnx, OnnxCall} from '../../op.js';
import {elements, filled} from '../../tensor.js';
import type {Value} from '../../types.js';
import {avgpool} from '../avgpool/index.js';
import {limits} from '../common/quantization.js';
import {concat} from '../concat/index.js';
import {dequantize} from '../dequantize/index.js';
import {add, cast, elementwiseOps, mul} from '../elementwise/index.js';
import {map} from '../map/index.js';
import {quantize} from '../quantize/index.js';
import {axisOf, reshapeTo} from '../reshape/index.js';
import {softmax} from '../softmax/index.js';
import {transposeTo} from '../transpose/index.js';
import {multiplied} from './exact.js';
import {requantized, zeroPoint} from './index.js';

export const microsoftImporters: Readonly<Record<string, FromOnnx>> = {
  QLinearAdd: onnx => quantized(onnx, onnx.emit(add, [real(onnx, 0), real(onnx, 3)], {})[0], 6),
  QLinearMul: onnx => quantized(onnx, onnx.emit(mul, [real(onnx, 0), real(onnx, 3)], {})[0], 6),
  QLinearSigmoid: through(importerOf('Sigmoid')),
  QLinearLeakyRelu: through(importerOf('LeakyRelu')),
  QLinearSoftmax: through(onnx => softmax.fromOnnx!['Softmax']!({...onnx, opset: onnx.int('opset', 13)})),
  QLinearAveragePool: through(channelsFirst(onnx => avgpool.fromOnnx!['AveragePool']!(onnx))),
  QLinearGlobalAveragePool: through(channelsFirst(onnx => avgpool.fromOnnx!['GlobalAveragePool']!(onnx))),
  QLinearConcat: importConcat,
  QGemm: importGemm,
};

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

/** f(x) for operands x, x scale, x zero point, y scale, y zero point. */
function through(f: FromOnnx): FromOnnx {
  return onnx => {
    const x = real(onnx, 0);
    const [y] = f({...onnx, inputs: [x], input: index => (index === 0 ? x : onnx.input(index))});
    return quantized(onnx, y!, 3);
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
    const [y] = f({...onnx, inputs: [x], input: () => x});
    return [transposeTo(onnx, y!, [0, ...spatial.map(axis => axis + 1), 1])];
  };
}

/** Operands: y scale, y zero point, then x, scale and zero point of each part. */
function importConcat(onnx: OnnxCall): readonly Value[] {
  const parts = onnx.inputs.flatMap((_, i) => (i >= 2 && i % 3 === 2 ? [quantized(onnx, real(onnx, i), 0)[0]!] : []));
  return onnx.emit(concat, parts, {axis: axisOf(onnx, onnx.int('axis'), parts[0]!.type.shape.length)});
}

/** Operands: a, scale, zero; b, scale, zero; an i32 bias; y scale and zero, without which the result is real. */
function importGemm(onnx: OnnxCall): readonly Value[] {
  if (onnx.int('transA', 0) !== 0) onnx.unsupported('QGemm with a transposed first operand');
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
