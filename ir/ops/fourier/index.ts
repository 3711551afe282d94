/**
 * ONNX's DFT and STFT: products with sines and cosines, computed when the model is imported. For the lengths that audio
 * models use (up to some thousand) that is a small part of the network, and needs no kernel of its own.
 */
import type {FromOnnx, OnnxCall} from '../../op.js';
import {elements, numberAt, tensorFrom} from '../../tensor.js';
import type {DType, Value} from '../../types.js';
import {forEachIndex} from '../common/broadcast.js';
import {noEpilogue} from '../common/epilogue.js';
import {conv2d} from '../conv2d/index.js';
import {mul} from '../elementwise/index.js';
import {matmul} from '../matmul/index.js';
import {plainConv} from '../plain_conv/index.js';
import {axisOf, reshapeTo} from '../reshape/index.js';
import {sliceAxis} from '../slice/index.js';
import {transposeTo} from '../transpose/index.js';
import {coefficient, type Transform} from './basis.js';

export const fourierImporters: Readonly<Record<string, FromOnnx>> = {DFT: importTransform, STFT: importFrames};

/** Coefficients beyond this many are refused: 64 MiB in memory. */
const mostCoefficients = 2 ** 24;

function scalarAt(onnx: OnnxCall, index: number, what: string): number | null {
  return onnx.inputs[index] ? numberAt(onnx.constant(index, what), 0) : null;
}

/** Coefficients in the order of the shape, whose axes `place` names. */
function table(onnx: OnnxCall, dtype: DType, shape: readonly number[], value: (index: readonly number[]) => number): Value {
  if (elements(shape) > mostCoefficients)
    onnx.unsupported(
      `a transform of ${elements(shape)} coefficients`,
      'use a shorter transform, or compute it before the network',
    );
  const values: number[] = [];
  forEachIndex(shape, index => {
    values.push(value(index));
  });
  return onnx.literal(tensorFrom(dtype, shape, values));
}

/** x [...][n][...][1 or 2], the transform standing at an axis but the last: real numbers, or pairs. */
function importTransform(onnx: OnnxCall): readonly Value[] {
  const x = onnx.input(0);
  const {shape} = x.type;
  const rank = shape.length;
  const parts = shape.at(-1)!;
  const given = onnx.opset < 20 ? onnx.int('axis', 1) : (scalarAt(onnx, 2, 'the axis') ?? -2);
  const axis = axisOf(onnx, given, rank);
  if (rank < 2 || parts > 2 || axis === rank - 1) onnx.invalid(`x is [${shape}] and the axis ${given}`);
  const [inverse, half] = [onnx.int('inverse', 0) !== 0, onnx.int('onesided', 0) !== 0];
  const mirrored = inverse && half;
  const length = scalarAt(onnx, 1, 'the length') ?? (mirrored ? 2 * (shape[axis]! - 1) : shape[axis]!);
  if (length < 1) onnx.invalid(`the length is ${length}`);
  const firstHalf = Math.floor(length / 2) + 1;
  const taps = Math.min(shape[axis]!, mirrored ? firstHalf : length);
  const [count, results] = [half && !inverse ? firstHalf : length, mirrored ? 1 : 2];
  const transform: Transform = {length, inverse, mirrored};
  const basis = table(onnx, x.type.dtype, [taps, parts, count, results], ([tap, from, at, to]) =>
    coefficient(transform, at!, to!, tap!, from!),
  );
  // The axis goes beside the parts, all others become rows; and back.
  const others = shape.map((_, i) => i).filter(i => i !== axis && i !== rank - 1);
  const rows = others.map(i => shape[i]!);
  const signal = transposeTo(onnx, sliceAxis(onnx, x, axis, 0, taps), [...others, axis, rank - 1]);
  const [left] = reshapeTo(onnx, signal, [elements(rows), taps * parts]);
  const [right] = reshapeTo(onnx, basis, [taps * parts, count * results]);
  const [y] = reshapeTo(onnx, onnx.emit(matmul, [left, right], noEpilogue)[0], [...rows, count, results]);
  const back = shape.map((_, i) => (i === axis ? rank - 2 : i === rank - 1 ? rank - 1 : others.indexOf(i)));
  return [transposeTo(onnx, y, back)];
}

/** Frames of a signal [batch][samples][1 or 2]: a convolution of a row, whose kernels are the basis times the window. */
function importFrames(onnx: OnnxCall): readonly Value[] {
  const x = onnx.input(0);
  const [batch, samples, parts = 1] = x.type.shape as [number, number, number?];
  if (x.type.shape.length < 2 || x.type.shape.length > 3 || parts > 2) onnx.invalid(`the signal is [${x.type.shape}]`);
  const step = scalarAt(onnx, 1, 'the frame step') ?? onnx.invalid('the frame step is missing');
  const window = onnx.inputs[2] ?? null;
  const length = scalarAt(onnx, 3, 'the frame length') ?? window?.type.shape[0] ?? samples;
  if (window && String(window.type.shape) !== String([length]))
    onnx.invalid(`the window is [${window.type.shape}] for frames of ${length}`);
  if (step < 1 || length < 1 || length > samples) onnx.invalid(`frames of ${length} with step ${step} in ${samples} samples`);
  const count = onnx.int('onesided', 1) !== 0 ? Math.floor(length / 2) + 1 : length;
  const transform: Transform = {length, inverse: false, mirrored: false};
  const basis = table(onnx, x.type.dtype, [count, 2, parts, 1, length], ([at, to, from, , tap]) =>
    coefficient(transform, at!, to!, tap!, from!),
  );
  const kernels = window ? onnx.emit(mul, [basis, window], {})[0] : basis;
  const [signal] = reshapeTo(onnx, x, [batch, samples, parts]);
  const [row] = reshapeTo(onnx, transposeTo(onnx, signal, [0, 2, 1]), [batch, parts, 1, samples]);
  const [weights] = reshapeTo(onnx, kernels, [count * 2, parts, 1, length]);
  const attrs = {strides: [1, step], dilations: [1, 1], pads: [0, 0, 0, 0], groups: 1};
  const known = window === null || onnx.constantOrNull(2) !== null;
  const [y] = known
    ? onnx.emit(conv2d, [row, weights, null], {...attrs, ...noEpilogue})
    : onnx.emit(plainConv, [row, weights], attrs);
  const [apart] = reshapeTo(onnx, y, [batch, count, 2, y.type.shape[3]!]);
  return [transposeTo(onnx, apart, [0, 3, 1, 2])];
}
