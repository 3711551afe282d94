/**
 * From an image to the input tensor of one sample, as the manifest says: channel order, resize where sizes differ,
 * then `(x - mean) / std`. Resizing takes pixel centres at half coordinates, repeats the border, and does not smooth first:
 * `bilinear` is what ONNX Resize does with `half_pixel` and linear.
 */
import {DnncRuntimeError} from './errors.js';
import type {Input, Preparation} from './manifest.js';
import {arrayTypes, type TypedArray} from './tensors.js';

/** Rows of pixels from the top left, channels together: grey, red green blue, or with alpha, which is ignored. Values 0..255. */
export type Image = {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
  readonly data: Uint8Array | Uint8ClampedArray | Float32Array;
};

export const isImage = (value: unknown): value is Image =>
  typeof value === 'object' && value !== null && 'width' in value && 'height' in value && 'channels' in value && 'data' in value;

/** One plane per channel of the model, in its order. */
type Planes = {readonly width: number; readonly height: number; readonly planes: readonly Float32Array[]};

/** A new tensor. Throws `session.input` where the image cannot become this input. */
export function prepare(image: Image, input: Input, where: string): TypedArray {
  const {width, height, channels, layout} = geometryOf(input, where);
  checkImage(image, where);
  const order = input.preparation?.channels ?? (channels === 1 ? 'grey' : 'rgb');
  if ((order === 'grey' ? 1 : 3) !== channels)
    refuse(where, `has ${channels} channels, the preparation gives ${order}`, 'correct the manifest');
  const {planes} = resize(planesOf(image, order), width, height, input.preparation, where);
  const tensor = new arrayTypes[input.dtype].create(width * height * channels);
  const write = writer(tensor, input, where);
  for (const [c, plane] of planes.entries()) {
    const mean = perChannel(input.preparation?.mean, c, 0, where);
    const std = perChannel(input.preparation?.std, c, 1, where);
    for (let i = 0; i < plane.length; i++)
      write(layout === 'NCHW' ? c * plane.length + i : i * channels + c, (plane[i]! - mean) / std);
  }
  return tensor;
}

function refuse(where: string, says: string, cure: string): never {
  throw new DnncRuntimeError('session.input', where, says, cure);
}

/** The last three dimensions are C H W or H W C; C is 1 or 3. */
function geometryOf({shape}: Input, where: string): {width: number; height: number; channels: number; layout: 'NCHW' | 'NHWC'} {
  const [a = 0, b = 0, c = 0] = shape.slice(-3);
  const isChannels = (n: number) => n === 1 || n === 3;
  if (shape.length < 3 || shape.slice(0, -3).some(n => n !== 1) || !(isChannels(a) || isChannels(c))) {
    return refuse(where, `[${shape.join(',')}] is not one image`, 'give the tensor itself');
  }
  return isChannels(a) ? {channels: a, height: b, width: c, layout: 'NCHW'} : {height: a, width: b, channels: c, layout: 'NHWC'};
}

function checkImage({width, height, channels, data}: Image, where: string): void {
  const whole = [width, height].every(n => Number.isSafeInteger(n) && n > 0) && [1, 3, 4].includes(channels);
  if (!whole || data.length !== width * height * channels) {
    refuse(
      where,
      `an image of ${width}x${height}x${channels} does not have ${data.length} values`,
      'give width * height * channels values',
    );
  }
}

function planesOf({width, height, channels, data}: Image, order: 'rgb' | 'bgr' | 'grey'): Planes {
  const size = width * height;
  const plane = (c: number) => Float32Array.from({length: size}, (_, i) => data[i * channels + (channels === 1 ? 0 : c)]!);
  if (order === 'rgb') return {width, height, planes: [plane(0), plane(1), plane(2)]};
  if (order === 'bgr') return {width, height, planes: [plane(2), plane(1), plane(0)]};
  if (channels === 1) return {width, height, planes: [plane(0)]};
  // ITU-R BT.601, as JPEG has it.
  const grey = Float32Array.from({length: size}, (_, i) => {
    const at = i * channels;
    return 0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!;
  });
  return {width, height, planes: [grey]};
}

function resize(from: Planes, width: number, height: number, preparation: Preparation | undefined, where: string): Planes {
  if (from.width === width && from.height === height) return from;
  const method = preparation?.resize;
  if (!method)
    return refuse(
      where,
      `is ${width}x${height}, the image ${from.width}x${from.height}`,
      'resize it, or state "resize" when building',
    );
  const columns = method === 'nearest' ? nearest(from.width, width) : linear(from.width, width);
  const rows = method === 'nearest' ? nearest(from.height, height) : linear(from.height, height);
  const planes = from.planes.map(plane => {
    const out = new Float32Array(width * height);
    for (const [y, row] of rows.entries()) {
      for (const [x, column] of columns.entries()) {
        const at = (r: number, c: number) => plane[r * from.width + c]!;
        const above = at(row.low, column.low) * (1 - column.part) + at(row.low, column.high) * column.part;
        const below = at(row.high, column.low) * (1 - column.part) + at(row.high, column.high) * column.part;
        out[y * width + x] = above * (1 - row.part) + below * row.part;
      }
    }
    return out;
  });
  return {width, height, planes};
}

/** Between which two source pixels a pixel falls, and how far it is towards the second. */
type Tap = {readonly low: number; readonly high: number; readonly part: number};

const linear = (from: number, to: number): Tap[] =>
  Array.from({length: to}, (_, i) => {
    const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.floor(at);
    return {low, high: Math.min(low + 1, from - 1), part: at - low};
  });

const nearest = (from: number, to: number): Tap[] =>
  Array.from({length: to}, (_, i) => {
    const low = Math.min(Math.floor(((i + 0.5) * from) / to), from - 1);
    return {low, high: low, part: 0};
  });

function perChannel(values: readonly number[] | undefined, c: number, absent: number, where: string): number {
  if (!values) return absent;
  const value = values.length === 1 ? values[0] : values[c];
  return (
    value ??
    refuse(where, `mean or std has ${values.length} numbers, channel ${c} has none`, 'give one number, or one per channel')
  );
}

/** Integers take the nearest value that they can hold. */
function writer(tensor: TypedArray, {dtype}: Input, where: string): (i: number, value: number) => void {
  if (tensor instanceof Float32Array || tensor instanceof Float64Array) {
    return (i, value) => {
      tensor[i] = value;
    };
  }
  if (dtype !== 'u8' && dtype !== 'i8')
    return refuse(where, `is ${dtype}: images become f32, f64, u8 or i8`, 'give the tensor itself');
  const [least, most] = dtype === 'u8' ? [0, 255] : [-128, 127];
  return (i, value) => {
    tensor[i] = Math.min(Math.max(Math.round(value), least), most);
  };
}
