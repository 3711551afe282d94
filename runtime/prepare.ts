/**
 * From an image to the input tensor of one sample, as the manifest says: channels, resize, `(x - mean) / std`, layout; in
 * this order, in float32. Whole numbers stay whole until they are normalized, as in the image libraries that networks are
 * trained with. The compiler prepares data in the same way when it measures accuracy; a test holds the two together.
 */
import {DnncRuntimeError} from './errors.js';
import type {Input, Preparation} from './manifest.js';
import {resizePlane} from './resize.js';
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

type Plane = Float32Array<ArrayBuffer>;
type Size = {readonly width: number; readonly height: number};

/** A new tensor. Throws `session.input` where the image cannot become this input. */
export function prepare(image: Image, input: Input, where: string): TypedArray {
  const preparation = input.preparation ?? {};
  const {channels, layout, ...size} = geometryOf(input, where);
  checkImage(image, where);
  const whole = !(image.data instanceof Float32Array);
  const planes = channelsOf(image, preparation, channels, whole, where)
    .map(plane => resized(plane, image, size, preparation, whole, where))
    .map((plane, c) => normalized(plane, c, preparation, where));
  return laidOut(planes, layout, input, where);
}

function refuse(where: string, says: string, cure: string): never {
  throw new DnncRuntimeError('session.input', where, says, cure);
}

/** The last three dimensions are C H W, where the first of them is 1 or 3, or H W C. */
function geometryOf({shape}: Input, where: string): Size & {readonly channels: number; readonly layout: 'NCHW' | 'NHWC'} {
  const [a = 0, b = 0, c = 0] = shape.slice(-3);
  const isChannels = (n: number) => n === 1 || n === 3;
  if (shape.length < 3 || shape.slice(0, -3).some(n => n !== 1) || !(isChannels(a) || isChannels(c))) {
    return refuse(where, `[${shape.join(',')}] is not one image`, 'give the tensor itself');
  }
  return isChannels(a) ? {channels: a, height: b, width: c, layout: 'NCHW'} : {height: a, width: b, channels: c, layout: 'NHWC'};
}

function checkImage({width, height, channels, data}: Image, where: string): void {
  const whole = [width, height].every(n => Number.isSafeInteger(n) && n > 0) && [1, 3, 4].includes(channels);
  if (whole && ArrayBuffer.isView(data) && data.length === width * height * channels) return;
  refuse(
    where,
    `an image of ${width}x${height}x${channels} does not have ${data?.length} values`,
    'give width * height * channels',
  );
}

/** One plane per channel of the model, in its order. */
function channelsOf(image: Image, {channels: order}: Preparation, wanted: number, whole: boolean, where: string): Plane[] {
  const {width, height, channels, data} = image;
  const plane = (value: (at: number) => number): Plane => {
    const values = new Float32Array(width * height);
    for (let i = 0; i < values.length; i++) values[i] = value(i * channels);
    return values;
  };
  const channel = (c: number): Plane => plane(at => data[at + c]!);
  if (channels === 1) return new Array<Plane>(wanted).fill(channel(0));
  if (order === 'grey' && wanted === 1) {
    // ITU-R BT.601, as JPEG has it.
    const luma = (at: number): number => 0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!;
    return [plane(whole ? at => Math.round(luma(at)) : luma)];
  }
  if (order === 'grey' || wanted !== 3)
    refuse(where, `reads ${wanted} channels, the image has ${order ?? 'red, green and blue'}`, 'state "channels" when building');
  return (order === 'bgr' ? [2, 1, 0] : [0, 1, 2]).map(channel);
}

function resized(plane: Plane, from: Size, to: Size, {resize = 'bilinear'}: Preparation, whole: boolean, where: string): Plane {
  if (from.width === to.width && from.height === to.height) return plane;
  if (resize === 'none')
    refuse(
      where,
      `is ${to.width}x${to.height}, the image ${from.width}x${from.height}`,
      'resize it, or state "resize" when building',
    );
  return resizePlane(plane, from, to, {how: resize, whole});
}

function normalized(plane: Plane, c: number, {mean = [0], std = [1]}: Preparation, where: string): Plane {
  const of = (values: readonly number[]): number => {
    const value = values.length === 1 ? values[0] : values[c];
    return (
      value ?? refuse(where, `mean or std has ${values.length} numbers, channel ${c} has none`, 'give one, or one per channel')
    );
  };
  const [m, s] = [Math.fround(of(mean)), Math.fround(of(std))];
  return m === 0 && s === 1 ? plane : plane.map(x => Math.fround(x - m) / s);
}

/** In the element type of the input; integers take the nearest value that they can hold. */
function laidOut(planes: readonly Plane[], layout: 'NCHW' | 'NHWC', {dtype}: Input, where: string): TypedArray {
  if (!['f32', 'f64', 'u8', 'i8'].includes(dtype))
    refuse(where, `is ${dtype}: images become f32, f64, u8 or i8`, 'give the tensor itself');
  const size = planes[0]?.length ?? 0;
  const tensor = new arrayTypes[dtype].create(planes.length * size);
  const [least, most] = dtype === 'u8' ? [0, 255] : [-128, 127];
  const whole = dtype === 'u8' || dtype === 'i8';
  for (const [c, plane] of planes.entries()) {
    for (let i = 0; i < size; i++) {
      const x = plane[i]!;
      tensor[layout === 'NCHW' ? c * size + i : i * planes.length + c] = whole
        ? Math.min(Math.max(Math.round(x), least), most)
        : x;
    }
  }
  return tensor;
}
