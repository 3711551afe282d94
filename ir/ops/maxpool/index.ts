/** Maximum over windows; cells in the padding, and NaN, do not take part. */
import {defineOp, type OnnxCall, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {Value} from '../../types.js';
import {evaluatePool, lowerPool, type PoolAttrs, poolDefaults, poolFromOnnx, poolRules, poolShape} from '../common/pool.js';
import {asRow} from '../conv2d/index.js';
import {cast} from '../elementwise/index.js';
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
  kernel: {layout: 'channels-last', lower: context => lowerPool('maxpool_f32', context, false)},
});

function importMaxPool(onnx: OnnxCall): readonly (Value | null)[] {
  if (onnx.outputCount > 1) onnx.unsupported('the Indices output', 'leave the second output out when exporting');
  return windowed(onnx, x => largest(onnx, x, poolFromOnnx(onnx)));
}

/** Integers of up to 24 bits pass through f32 unharmed. */
const narrow: ReadonlySet<string> = new Set(['i8', 'u8', 'i16', 'u16']);

function largest(onnx: OnnxCall, x: Value, attrs: PoolAttrs): Value {
  const {dtype} = x.type;
  if (!narrow.has(dtype)) return onnx.emit(maxpool, [x], attrs)[0];
  const [real] = onnx.emit(cast, [x], {to: 'f32'});
  return onnx.emit(cast, [onnx.emit(maxpool, [real], attrs)[0]], {to: dtype})[0];
}

/** Runs a pool on [n][c][h][w], or on [n][c][l] as an image of one row. */
export function windowed(onnx: OnnxCall, pool: (x: Value) => Value): readonly Value[] {
  const x = onnx.input(0);
  if (x.type.shape.length !== 3) return [pool(x)];
  const y = pool(asRow(onnx, x));
  return reshapeTo(onnx, y, [y.type.shape[0]!, y.type.shape[1]!, y.type.shape[3]!]);
}

/** A pool whose one window is the whole image; the result keeps its axes, each of size 1. */
export function overImage(onnx: OnnxCall, pool: (image: Value, attrs: PoolAttrs) => Value): readonly Value[] {
  const x = onnx.input(0);
  const [n, c, h = 1, ...rest] = x.type.shape;
  const [image] = reshapeTo(onnx, x, [n ?? 1, c ?? 1, h, rest.reduce((a, b) => a * b, 1)]);
  const pooled = pool(image, {...poolDefaults, kernel: image.type.shape.slice(2)});
  return reshapeTo(onnx, pooled, [n ?? 1, c ?? 1, ...x.type.shape.slice(2).map(() => 1)]);
}
