/**
 * From what a data file holds to what the network reads: channels, resize, (x - mean) / std, layout; in this order, in
 * float32. Whole numbers stay whole until they are normalized, as in the image libraries that networks are trained with.
 * All of it is said by the configuration and goes into the manifest, so that every place prepares inputs alike.
 */
import {fail} from '../../ir/diagnostics.js';
import {elements, numberAt, type Tensor} from '../../ir/tensor.js';
import {resizePlane} from '../../runtime/resize.js';

export type Layout = 'NHWC' | 'NCHW';

export type InputPreparation = {
  /** What the network wants; images are decoded as rgb. Absent: the channels as they are. */
  readonly channels?: 'rgb' | 'bgr' | 'grey';
  /** Subtracted; in units of the data (pixels: 0..255). One, or one per channel. Absent: 0. */
  readonly mean?: number | readonly number[];
  /** Divided by. Absent: 1. */
  readonly std?: number | readonly number[];
  /** What the data holds. Absent: the layout of the network where the shapes are equal, else NHWC. */
  readonly dataLayout?: Layout;
  /** Where sizes differ; 'none' makes that an error. Absent: bilinear. */
  readonly resize?: 'bilinear' | 'nearest' | 'none';
};

/** One plane per channel, each height x width. `whole`: the data holds integers. */
type Planes = {
  readonly height: number;
  readonly width: number;
  readonly whole: boolean;
  readonly planes: readonly Float32Array[];
};

/**
 * One sample as the network's input, in row-major order of `inputShape`, which has a batch of 1 where it has a batch:
 * [1,C,H,W] or [C,H,W] ([1,H,W,C] or [H,W,C] for `modelLayout` NHWC). Inputs of other ranks, and [1,A,B], take features:
 * as many elements as the sample has, images in the order of `modelLayout`.
 * Errors: input prepare.batch, prepare.shape, prepare.channels, prepare.size, prepare.mean, prepare.std.
 */
export function prepare(
  sample: Tensor,
  preparation: InputPreparation,
  inputShape: readonly number[],
  modelLayout: Layout = 'NCHW',
): Float32Array<ArrayBuffer> {
  const target = imageShape(inputShape, modelLayout);
  const converted = withChannels(
    planesOf(withoutBatch(sample, inputShape), preparation, target, modelLayout),
    preparation,
    target?.channels ?? null,
  );
  const sized = target ? withSize(converted, target, preparation.resize ?? 'bilinear') : converted;
  const count = sized.planes.length * sized.height * sized.width;
  if (count !== elements(inputShape))
    fail(
      'input',
      'prepare.shape',
      'sample',
      `[${sample.shape}] has ${count} elements, the input [${inputShape}] ${elements(inputShape)}`,
    );
  return laidOut(normalized(sized, preparation), modelLayout);
}

type ImageShape = {readonly channels: number; readonly height: number; readonly width: number};

/** What image the network reads; null where it reads features. */
function imageShape(shape: readonly number[], layout: Layout): ImageShape | null {
  if (shape.length > 1 && shape.length !== 3 && shape[0] !== 1)
    fail('input', 'prepare.batch', 'input', `[${shape}] takes ${shape[0]} samples at once`, 'build the model with a batch of 1');
  const isImage = shape.length === 4 || (shape.length === 3 && shape[0] !== 1);
  if (!isImage) return null;
  const [a = 1, b = 1, c = 1] = shape.slice(-3);
  return layout === 'NCHW' ? {channels: a, height: b, width: c} : {height: a, width: b, channels: c};
}

/** A batch of one is one sample. */
function withoutBatch(sample: Tensor, {length, 0: batch}: readonly number[]): Tensor {
  const [first, ...rest] = sample.shape;
  const hasBatch = first === 1 && (rest.length >= 3 || (batch === 1 && rest.length + 1 === length));
  return hasBatch ? {...sample, shape: rest} : sample;
}

function planesOf(sample: Tensor, {dataLayout}: InputPreparation, target: ImageShape | null, modelLayout: Layout): Planes {
  const {shape} = sample;
  const [a = 1, b = 1, c = 1] = shape;
  switch (shape.length) {
    case 0:
    case 1:
      // Without a shape of its own it is what the network reads, element by element.
      if (target && a === target.channels * target.height * target.width) return split(sample, target, modelLayout);
      return split(sample, {channels: a, height: 1, width: 1}, 'NHWC');
    case 2:
      return split(sample, {channels: 1, height: a, width: b}, 'NHWC');
    case 3: {
      const layout = dataLayout ?? (target && sameShape(shape, target, modelLayout) ? modelLayout : 'NHWC');
      const image = layout === 'NHWC' ? {height: a, width: b, channels: c} : {channels: a, height: b, width: c};
      return split(sample, image, layout);
    }
    default:
      return fail('input', 'prepare.shape', 'sample', `[${shape}] is neither an image nor features`, 'give one sample at a time');
  }
}

function sameShape([a, b, c]: readonly number[], {channels, height, width}: ImageShape, layout: Layout): boolean {
  return layout === 'NCHW' ? a === channels && b === height && c === width : a === height && b === width && c === channels;
}

function split(sample: Tensor, {channels, height, width}: ImageShape, layout: Layout): Planes {
  const size = height * width;
  const at = layout === 'NCHW' ? (c: number, i: number) => c * size + i : (c: number, i: number) => i * channels + c;
  const plane = (c: number): Float32Array => {
    const values = new Float32Array(size);
    for (let i = 0; i < size; i++) values[i] = numberAt(sample, at(c, i));
    return values;
  };
  return {height, width, whole: !/^b?f/.test(sample.dtype), planes: Array.from({length: channels}, (_, c) => plane(c))};
}

/** `wanted` is null where the network takes any number of features. */
function withChannels(image: Planes, {channels}: InputPreparation, wanted: number | null): Planes {
  const [first, second, third, ...more] = image.planes;
  const isColour = first && second && third && more.length === 0;
  let {planes} = image;
  if (channels === 'bgr' && isColour) planes = [third, second, first];
  if (channels === 'grey' && isColour) planes = [greyOf(first, second, third, image.whole)];
  if ((channels !== undefined && planes.length !== 1 && planes.length !== 3) || (wanted !== null && planes.length !== wanted)) {
    // A grey picture among coloured ones: as every image library converts it.
    if (planes.length === 1 && wanted === 3) return {...image, planes: [planes[0]!, planes[0]!, planes[0]!]};
    const says = `the sample has ${planes.length} channels (${channels ?? 'as they are'}), the network reads ${wanted ?? '1 or 3'}`;
    fail('input', 'prepare.channels', 'sample', says, 'set "channels" or "dataLayout" of the input');
  }
  return {...image, planes};
}

/** Luma of ITU-R BT.601. */
const greyOf = (red: Float32Array, green: Float32Array, blue: Float32Array, whole: boolean): Float32Array =>
  red.map((r, i) => {
    const luma = 0.299 * r + 0.587 * green[i]! + 0.114 * blue[i]!;
    return whole ? Math.round(luma) : luma;
  });

function withSize(image: Planes, {height, width}: ImageShape, how: 'bilinear' | 'nearest' | 'none'): Planes {
  if (image.height === height && image.width === width) return image;
  const from = {height: image.height, width: image.width};
  if (how === 'none' || from.height * from.width === 0) {
    const says = `the sample is ${from.height} x ${from.width}, the network reads ${height} x ${width}`;
    fail('input', 'prepare.size', 'sample', says, 'set "resize" of the input to "bilinear", or check "dataLayout"');
  }
  const to = {height, width};
  return {...image, ...to, planes: image.planes.map(plane => resizePlane(plane, from, to, {how, whole: image.whole}))};
}

function normalized(image: Planes, {mean = 0, std = 1}: InputPreparation): Planes {
  if (mean === 0 && std === 1) return image;
  const count = image.planes.length;
  const means = perChannel(mean, count, 'mean');
  const stds = perChannel(std, count, 'std');
  if (stds.some(value => Math.fround(value) === 0)) fail('input', 'prepare.std', 'input', 'a std of 0', 'give what to divide by');
  const planes = image.planes.map((plane, c) => {
    const [m, s] = [Math.fround(means[c]!), Math.fround(stds[c]!)];
    return plane.map(x => Math.fround(x - m) / s);
  });
  return {...image, planes};
}

function perChannel(value: number | readonly number[], channels: number, what: 'mean' | 'std'): readonly number[] {
  const given = typeof value === 'number' ? [value] : value;
  const [only] = given;
  if (!given.every(Number.isFinite))
    fail('input', `prepare.${what}`, 'input', `a ${what} of ${given.join(', ')}`, 'give finite numbers');
  if (given.length === 1 && only !== undefined) return Array.from({length: channels}, () => only);
  if (given.length !== channels)
    fail(
      'input',
      `prepare.${what}`,
      'input',
      `${given.length} values of ${what} for ${channels} channels`,
      'give one, or one per channel',
    );
  return given;
}

function laidOut({height, width, planes}: Planes, layout: Layout): Float32Array<ArrayBuffer> {
  const size = height * width;
  const result = new Float32Array(planes.length * size);
  planes.forEach((plane, c) => {
    if (layout === 'NCHW') result.set(plane, c * size);
    else for (let i = 0; i < size; i++) result[i * planes.length + c] = plane[i]!;
  });
  return result;
}
