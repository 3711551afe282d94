/** Sliding windows over the axes of an image [n][c][h][w] or [n][c][d][h][w]: sizes, padding, and their ONNX attributes. */
import type {OnnxCall} from '../../op.js';
import type {Border} from '../../plan.js';

/** pads are [top, left, bottom, right]: all starts, then all ends. */
export type Window = {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
};

/** Cells that a dilated kernel spans. */
export const span = (kernel: number, dilation: number): number => (kernel - 1) * dilation + 1;

/** Windows along each axis. With `ceil`, the last may hang over the end, but must begin inside the image or its left padding. */
export function windowCount(
  {kernel, strides, dilations, pads}: Window,
  size: readonly number[],
  ceil = false,
): readonly number[] {
  return size.map((length, axis) => {
    const room = length + pads[axis]! + pads[axis + size.length]! - span(kernel[axis]!, dilations[axis]!);
    const stride = strides[axis]!;
    const count = (ceil ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
    return ceil && (count - 1) * stride >= length + pads[axis]! ? count - 1 : count;
  });
}

export const borderOf = ({pads}: {readonly pads: readonly number[]}, value = 0): Border => ({
  top: pads[0]!,
  left: pads[1]!,
  bottom: pads[2]!,
  right: pads[3]!,
  value,
});

/** The attributes of one image that is a row of height 1. */
const rowOf = ({kernel, strides, dilations, pads}: Window): Window => ({
  kernel: [1, ...kernel],
  strides: [1, ...strides],
  dilations: [1, ...dilations],
  pads: [0, pads[0]!, 0, pads[1]!],
});

/** The part of a window along some of its axes. */
export function windowAlong<W extends Window>(window: W, axes: readonly number[]): W {
  const [rank, along] = [window.kernel.length, (list: readonly number[]) => axes.map(axis => list[axis]!)];
  const pads = [...along(window.pads), ...along(window.pads.slice(rank))];
  return {...window, kernel: along(window.kernel), strides: along(window.strides), dilations: along(window.dilations), pads};
}

/**
 * Reads kernel_shape, strides, dilations, pads and auto_pad for one, two or three spatial axes; one axis becomes a row of
 * height 1.
 */
export function windowFromOnnx(onnx: OnnxCall, size: readonly number[], kernelShape?: readonly number[]): Window {
  const rank = size.length;
  if (rank < 1 || rank > 3) onnx.unsupported(`${rank} spatial axes`, 'only one, two or three spatial axes are supported');
  const ones = new Array<number>(rank).fill(1);
  const kernel = onnx.ints('kernel_shape', kernelShape);
  const strides = onnx.ints('strides', ones);
  const dilations = onnx.ints('dilations', ones);
  const explicit = onnx.ints('pads', new Array<number>(2 * rank).fill(0));
  const auto = onnx.string('auto_pad', 'NOTSET');
  for (const [name, list, length] of [
    ['kernel_shape', kernel, rank],
    ['strides', strides, rank],
    ['dilations', dilations, rank],
    ['pads', explicit, 2 * rank],
  ] as const)
    if (list.length !== length) onnx.invalid(`${name} has ${list.length} entries, not ${length}`);
  if ([...kernel, ...strides, ...dilations].some(n => n < 1))
    onnx.invalid('kernel_shape, strides and dilations must be positive');
  const pads = auto === 'NOTSET' || auto === '' ? explicit : autoPads(onnx, auto, {kernel, strides, dilations}, size);
  const window = {kernel, strides, dilations, pads};
  return rank === 1 ? rowOf(window) : window;
}

function autoPads(onnx: OnnxCall, auto: string, window: Omit<Window, 'pads'>, size: readonly number[]): readonly number[] {
  if (auto === 'VALID') return new Array<number>(2 * size.length).fill(0);
  if (auto !== 'SAME_UPPER' && auto !== 'SAME_LOWER')
    onnx.invalid(`auto_pad "${auto}" is not one of NOTSET, VALID, SAME_UPPER, SAME_LOWER`);
  const totals = size.map((length, axis) => {
    const windows = Math.ceil(length / window.strides[axis]!);
    return Math.max(0, (windows - 1) * window.strides[axis]! + span(window.kernel[axis]!, window.dilations[axis]!) - length);
  });
  const small = totals.map(total => Math.floor(total / 2));
  const large = totals.map((total, axis) => total - small[axis]!);
  return auto === 'SAME_UPPER' ? [...small, ...large] : [...large, ...small];
}
