/** Scales and zero points of ONNX's quantized forms, shaped so that they broadcast against what they belong to. */
import type {OnnxCall} from '../../op.js';
import {elements} from '../../tensor.js';
import type {DType, Value} from '../../types.js';
import {cast} from '../elementwise/index.js';
import {axisOf, reshapeTo} from '../reshape/index.js';

/** Smallest and largest number of the integer types that quantization uses. */
export const limits: Readonly<Partial<Record<DType, readonly [low: number, high: number]>>> = {
  u4: [0, 15],
  i4: [-8, 7],
  u8: [0, 255],
  i8: [-128, 127],
  u16: [0, 65535],
  i16: [-32768, 32767],
  i32: [-(2 ** 31), 2 ** 31 - 1],
};

/** x, and scale and zero point as operands of an element-wise op; `shape` is what the result must take. */
export type Affine = {readonly x: Value; readonly scale: Value; readonly zero: Value | null; readonly shape: readonly number[]};

/** Reads operands 0 to 2: one scale for all, one per channel of `axis`, or one per block of channels. */
export function affineOf(onnx: OnnxCall): Affine {
  const [x, scale, zero] = [onnx.input(0), onnx.input(1), onnx.inputs[2] ?? null];
  const {shape} = x.type;
  if (!limits[zero?.type.dtype ?? 'u8']) onnx.unsupported(`a zero point of type ${zero?.type.dtype}`);
  if (zero && elements(zero.type.shape) !== elements(scale.type.shape)) onnx.invalid('scale and zero point differ in shape');
  const block = onnx.int('block_size', 0);
  const all = elements(scale.type.shape) === 1;
  if (all && block === 0) return placed(onnx, x, scale, zero, []);
  const axis = axisOf(onnx, onnx.int('axis', 1), shape.length);
  const [size, rest] = [shape[axis]!, shape.slice(axis + 1)];
  if (block === 0) {
    if (scale.type.shape.length !== 1 || scale.type.shape[0] !== size)
      onnx.invalid(`the scale is [${scale.type.shape}], but axis ${axis} of x has ${size} elements`);
    return placed(onnx, x, scale, zero, [size, ...rest.map(() => 1)]);
  }
  // [a][b * block][c] -> [a][b][block][c], with scales [a][b][1][c]
  const blocks = Math.ceil(size / block);
  if (size % block !== 0) onnx.unsupported(`blocks of ${block} along an axis of ${size}`);
  if (String(scale.type.shape) !== String(shape.with(axis, blocks)))
    onnx.invalid(`the scale is [${scale.type.shape}] for blocks of ${block} along axis ${axis}`);
  const [apart] = reshapeTo(onnx, x, shape.toSpliced(axis, 1, blocks, block));
  return {...placed(onnx, apart, scale, zero, shape.toSpliced(axis, 1, blocks, 1)), shape};
}

function placed(onnx: OnnxCall, x: Value, scale: Value, zero: Value | null, shape: readonly number[]): Affine {
  const real = zero && zero.type.dtype !== scale.type.dtype ? onnx.emit(cast, [zero], {to: scale.type.dtype})[0] : zero;
  return {x, scale: reshapeTo(onnx, scale, shape)[0], zero: real && reshapeTo(onnx, real, shape)[0], shape: x.type.shape};
}
