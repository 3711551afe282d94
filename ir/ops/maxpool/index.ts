/** Maximum over windows; cells in the padding, and NaN, do not take part. */
import {defineOp, type OnnxCall, type OpDef, tensorAt, typeAt} from '../../op.js';
import {elements} from '../../tensor.js';
import type {Value} from '../../types.js';
import {evaluatePool, lowerPool, type PoolAttrs, poolDefaults, poolFromOnnx, poolRules, poolShape} from '../common/pool.js';
import {windowAlong} from '../common/window.js';
import {asRow} from '../conv2d/onnx.js';
import {cast} from '../elementwise/index.js';
import {gather} from '../gather/index.js';
import {map} from '../map/index.js';
import {maxpoolIndices} from '../maxpool_indices/index.js';
import {reshapeTo} from '../reshape/index.js';

export const maxpool: OpDef<PoolAttrs> = defineOp<PoolAttrs>({
  name: 'maxpool',
  summary: 'maximum over windows of the last two axes',
  operands: ['x'],
  defaults: poolDefaults,
  rules: poolRules('maxpool'),
  infer: call => [{dtype: typeAt(call, 0).dtype, shape: poolShape(call)}],
  evaluate: (call, inputs) => [
    evaluatePool(call, tensorAt(inputs, 0), inside => inside.reduce((a, b) => (b > a ? b : a), Number.NEGATIVE_INFINITY)),
  ],
  fromOnnx: {
    MaxPool: importMaxPool,
    GlobalMaxPool: onnx => overImage(onnx, (image, attrs) => largest(onnx, image, attrs)),
  },
  kernel: {layout: 'channels-last', dtypes: ['f32', 'u8'], lower: context => lowerPool('maxpool_f32', context, false)},
});

function importMaxPool(onnx: OnnxCall): readonly (Value | null)[] {
  if (onnx.outputCount > 1) return withPlaces(onnx);
  return windowed(onnx, onnx.input(0), poolFromOnnx(onnx), (image, attrs) => largest(onnx, image, attrs));
}

/** The second output: where in x each maximum is, in the order of memory, or with columns before rows. */
function withPlaces(onnx: OnnxCall): readonly Value[] {
  const [x, {dtype}] = [onnx.input(0), onnx.input(0).type];
  const [real] = narrow.has(dtype) ? onnx.emit(cast, [x], {to: 'f32'}) : [x];
  let places: Value | null = null;
  const [y] = windowed(onnx, real, poolFromOnnx(onnx), (image, attrs) => {
    const [best, found] = onnx.emit(maxpoolIndices, [image], attrs);
    // The places that windows along the depth find are those of slices that have been pooled already.
    const [table] = places ? reshapeTo(onnx, places, [elements(places.type.shape)]) : [null];
    places = table ? onnx.emit(gather, [table, found!], {axis: 0})[0] : found!;
    return best;
  });
  const [first] = reshapeTo(onnx, places!, y.type.shape);
  return [
    narrow.has(dtype) ? onnx.emit(cast, [y], {to: dtype})[0] : y,
    onnx.int('storage_order', 0) === 0 ? first : columnsFirst(onnx, first, x.type.shape.slice(2)),
  ];
}

/** Places of [row][column] as those of [column][row]; with three axes, the first becomes the innermost in the same way. */
function columnsFirst(onnx: OnnxCall, places: Value, image: readonly number[]): Value {
  const size = elements(image);
  let [expression, weight, rest] = [`mul(div(x0, ${size}), ${size})`, 1, size];
  for (const length of image) {
    rest /= length;
    expression = `add(${expression}, mul(mod(div(x0, ${rest}), ${length}), ${weight}))`;
    weight *= length;
  }
  return onnx.emit(map, [places], {expression})[0];
}

/** Integers of up to 24 bits pass through f32 unharmed. */
const narrow: ReadonlySet<string> = new Set(['i8', 'u8', 'i16', 'u16']);

function largest(onnx: OnnxCall, x: Value, attrs: PoolAttrs): Value {
  const {dtype} = x.type;
  if (!narrow.has(dtype)) return onnx.emit(maxpool, [x], attrs)[0];
  const [real] = onnx.emit(cast, [x], {to: 'f32'});
  return onnx.emit(cast, [onnx.emit(maxpool, [real], attrs)[0]], {to: dtype})[0];
}

/**
 * Runs a pool on [n][c][h][w], or on [n][c][l] as an image of one row. On [n][c][d][h][w] it runs twice, along h and w and
 * then along d: the maximum of maxima and the mean of means, as all windows at one place along d have as many cells.
 */
export function windowed(
  onnx: OnnxCall,
  x: Value,
  attrs: PoolAttrs,
  pool: (image: Value, attrs: PoolAttrs) => Value,
): readonly [Value] {
  const [n, c, ...size] = x.type.shape as [number, number, ...number[]];
  if (size.length === 2) return [pool(x, attrs)];
  if (size.length === 1) {
    const y = pool(asRow(onnx, x), attrs);
    return reshapeTo(onnx, y, [n, c, y.type.shape[3]!]);
  }
  const [depth, height, width] = size as [number, number, number];
  const slices = pool(reshapeTo(onnx, x, [n, c * depth, height, width])[0], windowAlong(attrs, [1, 2]));
  const image = slices.type.shape.slice(2);
  const y = pool(reshapeTo(onnx, slices, [n, c, depth, elements(image)])[0], alongDepth(attrs));
  return reshapeTo(onnx, y, [n, c, y.type.shape[2]!, ...image]);
}

/** Windows of one column of an image whose rows are the slices. */
function alongDepth(attrs: PoolAttrs): PoolAttrs {
  const {kernel, strides, dilations, pads} = windowAlong(attrs, [0]);
  const column = {kernel: [...kernel, 1], strides: [...strides, 1], dilations: [...dilations, 1]};
  return {...attrs, ...column, pads: [pads[0]!, 0, pads[1]!, 0]};
}

/** A pool whose one window is the whole image; the result keeps its axes, each of size 1. */
export function overImage(onnx: OnnxCall, pool: (image: Value, attrs: PoolAttrs) => Value): readonly Value[] {
  const x = onnx.input(0);
  const [n, c, h = 1, ...rest] = x.type.shape;
  const [image] = reshapeTo(onnx, x, [n ?? 1, c ?? 1, h, rest.reduce((a, b) => a * b, 1)]);
  const pooled = pool(image, {...poolDefaults, kernel: image.type.shape.slice(2)});
  return reshapeTo(onnx, pooled, [n ?? 1, c ?? 1, ...x.type.shape.slice(2).map(() => 1)]);
}
