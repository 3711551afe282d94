/** ONNX's operators on quantized tensors. No op of their own: exact sums, and the same rounding as onnxruntime. */
import type {FromOnnx, OnnxCall} from '../../op.js';
import {elements, filled} from '../../tensor.js';
import type {Value} from '../../types.js';
import {limits} from '../common/quantization.js';
import {cast} from '../elementwise/index.js';
import {map} from '../map/index.js';
import {quantize} from '../quantize/index.js';
import {reduceAlong} from '../reduce/index.js';
import {reshapeTo} from '../reshape/index.js';
import {convolved, multiplied} from './exact.js';

export const qlinearImporters: Readonly<Record<string, FromOnnx>> = {
  QLinearConv: onnx => {
    const sums = convolved(onnx, {left: {x: 0, zero: 2}, right: {x: 3, zero: 5}, bias: 8});
    const perChannel = onnx
      .input(0)
      .type.shape.slice(2)
      .map(() => 1);
    return requantized(onnx, sums, scaleOf(onnx, 1, 4, 6, perChannel), onnx.input(7));
  },
  QLinearMatMul: onnx => {
    if ([1, 6].some(index => elements(onnx.input(index).type.shape) > 1)) onnx.unsupported('a scale per row');
    const sums = multiplied(onnx, {left: {x: 0, zero: 2}, right: {x: 3, zero: 5}, bias: -1});
    return requantized(onnx, sums, scaleOf(onnx, 1, 4, 6, []), onnx.input(7));
  },
  ConvInteger: onnx => whole(onnx, convolved(onnx, {left: {x: 0, zero: 2}, right: {x: 1, zero: 3}, bias: -1})),
  MatMulInteger: onnx => whole(onnx, multiplied(onnx, {left: {x: 0, zero: 2}, right: {x: 1, zero: 3}, bias: -1})),
  DynamicQuantizeLinear: importDynamic,
};

const whole = (onnx: OnnxCall, sums: Value): readonly Value[] => onnx.emit(cast, [sums], {to: 'i32'});

/** x scale * w scale / y scale, in f32 in this order; one for all, or one per channel followed by axes of 1. */
export function scaleOf(onnx: OnnxCall, x: number, w: number, y: number, ones: readonly number[]): Value {
  const shaped = (index: number): Value => {
    const scale = onnx.input(index);
    const single = elements(scale.type.shape) === 1;
    return reshapeTo(onnx, scale, single ? [] : [...scale.type.shape, ...ones])[0];
  };
  return onnx.emit(map, [shaped(x), shaped(w), shaped(y)], {expression: 'div(mul(x0, x1), x2)'})[0];
}

/** Rounds sums * scale, half to even, adds the zero point of the result and saturates. */
export function requantized(onnx: OnnxCall, sums: Value, scale: Value, zero: Value): readonly Value[] {
  const to = zero.type.dtype;
  const [low, high] = limits[to] ?? onnx.unsupported(`${onnx.op} to ${to}`);
  const [real] = onnx.emit(cast, [zero], {to: 'f32'});
  const [offset] = reshapeTo(onnx, real, elements(real.type.shape) === 1 ? [] : real.type.shape);
  const expression = `${to}(clamp(add(round(mul(f32(x0), x1)), x2), ${low}, ${high}))`;
  return onnx.emit(map, [sums, scale, offset], {expression});
}

/** The range of x, made to include 0, in 255 steps. */
function importDynamic(onnx: OnnxCall): readonly Value[] {
  const x = onnx.input(0);
  const axes = x.type.shape.map((_, axis) => axis);
  const [low, high] = [reduceAlong(onnx, x, 'min', axes, false), reduceAlong(onnx, x, 'max', axes, false)];
  const [scale] = onnx.emit(map, [low, high], {
    expression: 'select(eq(min(x0, 0), max(x1, 0)), 1, div(sub(max(x1, 0), min(x0, 0)), 255))',
  });
  const [zero] = onnx.emit(map, [low, scale], {expression: 'round(clamp(sub(0, div(min(x0, 0), x1)), 0, 255))'});
  const [y] = onnx.emit(quantize, [x, scale, zero], {to: 'u8'});
  return [y, scale, onnx.emit(cast, [zero], {to: 'u8'})[0]];
}

/** An operand of zeros where ONNX allows to leave a zero point out. */
export const zeroPoint = (onnx: OnnxCall, index: number): Value => onnx.inputs[index] ?? onnx.literal(filled('u8', [], 0));
