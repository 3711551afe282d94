/** Repetition: axes of 1 stretch, new axes appear in front. A view with strides of 0. ONNX's Expand and, with reshapes, Tile. */
import {type Builder, defineOp, type OnnxCall, type OpDef, tensorAt, typeAt} from '../../op.js';
import {numbersOf} from '../../tensor.js';
import type {Value} from '../../types.js';
import {broadcastShape, broadcastStrides, dot, gatherElements, stridesOf} from '../common/broadcast.js';
import {reshapeTo} from '../reshape/index.js';

export type ExpandAttrs = {readonly shape: readonly number[]};

export const expand: OpDef<ExpandAttrs> = defineOp<ExpandAttrs>({
  name: 'expand',
  summary: 'x broadcast to a shape',
  operands: ['x'],
  defaults: {},
  rules: [
    {
      id: 'expand.broadcast',
      says: 'x broadcasts to the shape',
      holds: ({attrs: {shape}, inputs: [x]}) => String(broadcastShape([x?.shape ?? [], shape])) === String(shape),
    },
  ],
  infer: call => [{dtype: typeAt(call, 0).dtype, shape: call.attrs.shape}],
  evaluate: ({attrs: {shape}}, inputs) => {
    const x = tensorAt(inputs, 0);
    const strides = broadcastStrides(x.shape, stridesOf(x.shape), shape);
    return [gatherElements(x, shape, index => dot(index, strides))];
  },
  fromOnnx: {Expand: importExpand, Tile: importTile},
  view: ({attrs: {shape}}, input) => [{...input, shape, strides: broadcastStrides(input.shape, input.strides, shape)}],
});

/** Emits an expand, or nothing where the shape is right already. */
export function expandTo(build: Builder, value: Value, shape: readonly number[]): Value {
  return String(shape) === String(value.type.shape) ? value : build.emit(expand, [value], {shape})[0];
}

function importExpand(onnx: OnnxCall): readonly Value[] {
  const x = onnx.input(0);
  const wanted = numbersOf(onnx.constant(1, 'the shape'));
  const shape = broadcastShape([x.type.shape, wanted]);
  return [expandTo(onnx, x, shape ?? onnx.invalid(`x is [${x.type.shape}] and cannot expand to [${wanted}]`))];
}

/** [a][b] -> [1][a][1][b] -> [r][a][s][b] -> [r * a][s * b] */
function importTile(onnx: OnnxCall): readonly Value[] {
  const x = onnx.input(0);
  const {shape} = x.type;
  if (onnx.opset < 6) onnx.unsupported('Tile of opset 1', 'convert the model to opset 6 or later');
  const repeats = numbersOf(onnx.constant(1, 'the repeats'));
  if (repeats.length !== shape.length || repeats.some(n => n < 0)) onnx.invalid(`repeats [${repeats}] do not fit [${shape}]`);
  const [apart] = reshapeTo(
    onnx,
    x,
    shape.flatMap(size => [1, size]),
  );
  const wide = expandTo(
    onnx,
    apart,
    shape.flatMap((size, i) => [repeats[i]!, size]),
  );
  return reshapeTo(
    onnx,
    wide,
    shape.map((size, i) => size * repeats[i]!),
  );
}
