/** ONNX's Conv over one, two or three spatial axes. Kernels that the network computes, and doubles, go to plain_conv. */
import type {Builder, OnnxCall, OpDef} from '../../op.js';
import type {Value} from '../../types.js';
import type {ConvolutionAttrs} from '../common/convolution.js';
import {noEpilogue} from '../common/epilogue.js';
import {type Window, windowAlong, windowCount, windowFromOnnx} from '../common/window.js';
import {concat} from '../concat/index.js';
import {add} from '../elementwise/index.js';
import {placeAlong} from '../pad/index.js';
import {plainConv} from '../plain_conv/index.js';
import {reshapeTo} from '../reshape/index.js';
import {slice, sliceAxis} from '../slice/index.js';
import {transposeTo} from '../transpose/index.js';

/** A 2-D convolution of x with w in these windows, the bias added or not. */
type Convolve = (x: Value, w: Value, window: Window, bias: boolean) => Value;

export function importConv(onnx: OnnxCall, conv2d: OpDef<ConvolutionAttrs>): readonly Value[] {
  const [x, w] = [onnx.input(0), onnx.input(1)];
  const b = onnx.inputs[2] ?? null;
  const rank = x.type.shape.length;
  if (rank < 3) onnx.invalid(`x is ${x.type.dtype}[${x.type.shape}], which has no spatial axis`);
  if (w.type.shape.length !== rank) onnx.invalid(`x is [${x.type.shape}] and w [${w.type.shape}]`);
  const window = windowFromOnnx(onnx, x.type.shape.slice(2), w.type.shape.slice(2));
  const groups = onnx.int('group', 1);
  const packed = x.type.dtype !== 'f64' && isConstant(onnx, 1);
  const inside = packed && b !== null && isConstant(onnx, 2);
  const convolve: Convolve = (image, kernel, {strides, dilations, pads}, bias) =>
    packed
      ? onnx.emit(conv2d, [image, kernel, bias && inside ? b : null], {strides, dilations, pads, groups, ...noEpilogue})[0]
      : onnx.emit(plainConv, [image, kernel], {strides, dilations, pads, groups})[0];
  const y = overAxes(onnx, x, w, window, convolve);
  if (!b || inside) return [y];
  const perChannel = reshapeTo(onnx, b, [...b.type.shape, ...y.type.shape.slice(2).map(() => 1)]);
  return onnx.emit(add, [y, ...perChannel], {});
}

const isConstant = (onnx: OnnxCall, index: number): boolean => onnx.isConstant(index) || onnx.constantOrNull(index) !== null;

function overAxes(onnx: OnnxCall, x: Value, w: Value, window: Window, convolve: Convolve): Value {
  const rank = x.type.shape.length;
  if (rank === 4) return convolve(x, w, window, true);
  if (rank === 5) return inDepth(onnx, x, w, window, convolve);
  const y = convolve(asRow(onnx, x), asRow(onnx, w), window, true);
  return reshapeTo(onnx, y, [y.type.shape[0]!, y.type.shape[1]!, y.type.shape[3]!])[0];
}

/** [n][c][l] as an image of one row. */
export function asRow(build: Builder, value: Value): Value {
  const [n, c, l] = value.type.shape as [number, number, number];
  return reshapeTo(build, value, [n, c, 1, l])[0];
}

/**
 * x [n][c][d][h][w]: the slices that one slice of the result sees become channels of one image, [n * depth][c * r][h][w];
 * the kernels [o][i][r][s][t] are [o][i * r][s][t] as they lie. A kernel of its own for each channel must stay one: there the
 * slices are convolved apart and added up.
 */
function inDepth(onnx: OnnxCall, x: Value, w: Value, window: Window, convolve: Convolve): Value {
  const along = windowAlong(window, [0]);
  const [n, c, before, height, width] = x.type.shape as [number, number, number, number, number];
  const [outputs, inputs, kernel, ...rest] = w.type.shape as [number, number, number, ...number[]];
  const [depth] = windowCount(along, [before]) as [number];
  if (depth < 1) onnx.invalid(`${kernel} slices do not fit into the padded image`);
  const padded = placeAlong(onnx, x, 2, along.pads[0]!, before + along.pads[0]! + along.pads[1]!);
  const slices = Array.from({length: kernel}, (_, r) => {
    const [part] = onnx.emit(slice, [padded], {
      starts: [0, 0, r * along.dilations[0]!, 0, 0],
      steps: [1, 1, along.strides[0]!, 1, 1],
      shape: [n, c, depth, height, width],
    });
    return reshapeTo(onnx, transposeTo(onnx, part, [0, 2, 1, 3, 4]), [n * depth, c, 1, height, width])[0];
  });
  const image = windowAlong(window, [1, 2]);
  const part = (r: number): Value => {
    const [kernels] = reshapeTo(onnx, sliceAxis(onnx, w, 2, r, 1), [outputs, inputs, ...rest]);
    return convolve(reshapeTo(onnx, slices[r]!, [n * depth, c, height, width])[0], kernels, image, r === 0);
  };
  const whole = (): Value => {
    const [images] = reshapeTo(onnx, onnx.emit(concat, slices, {axis: 2})[0], [n * depth, c * kernel, height, width]);
    return convolve(images, reshapeTo(onnx, w, [outputs, inputs * kernel, ...rest])[0], image, true);
  };
  const separate = kernel === 1 || (inputs === 1 && c > 1);
  const y = separate ? slices.map((_, r) => part(r)).reduce((sum, next) => onnx.emit(add, [sum, next], {})[0]) : whole();
  const [apart] = reshapeTo(onnx, y, [n, depth, ...y.type.shape.slice(1)]);
  return transposeTo(onnx, apart, [0, 2, 1, 3, 4]);
}
