/** The same elements in row-major order under another shape. A view where strides can say it. */
import {type Builder, defineOp, type OnnxCall, type OpDef, tensorAt, typeAt} from '../../op.js';
import {elements, filled, numbersOf} from '../../tensor.js';
import type {Value} from '../../types.js';

export type ReshapeAttrs = {readonly shape: readonly number[]};

export const reshape: OpDef<ReshapeAttrs> = defineOp<ReshapeAttrs>({
  name: 'reshape',
  summary: 'the same elements in row-major order under another shape',
  operands: ['x'],
  defaults: {},
  rules: [
    {
      id: 'reshape.elements',
      says: 'the new shape has as many elements as x',
      holds: ({attrs, inputs: [x]}) => elements(attrs.shape) === elements(x?.shape ?? []),
    },
  ],
  infer: call => [{dtype: typeAt(call, 0).dtype, shape: call.attrs.shape}],
  evaluate: ({attrs}, inputs) => [{...tensorAt(inputs, 0), shape: attrs.shape}],
  fromOnnx: {
    Reshape: importReshape,
    Flatten: importFlatten,
    Squeeze: importSqueeze,
    Unsqueeze: importUnsqueeze,
    Identity: keep,
    Dropout: importDropout,
  },
  view: ({attrs}, input) => {
    const strides = reshapedStrides(input.shape, input.strides, attrs.shape);
    return strides && [{...input, shape: attrs.shape, strides}];
  },
});

/** Emits a reshape, or nothing where the shape is right already. */
export function reshapeTo(build: Builder, value: Value, shape: readonly number[]): readonly [Value] {
  if (String(shape) === String(value.type.shape)) return [value];
  return [build.emit(reshape, [value], {shape})[0]];
}

/** Strides of the same memory under a new shape, or null where a copy is needed (NumPy's `attempt_nocopy_reshape`, stated anew). */
export function reshapedStrides(
  shape: readonly number[],
  strides: readonly number[],
  wanted: readonly number[],
): readonly number[] | null {
  const axes = shape.flatMap((size, i) => (size === 1 ? [] : [{size, stride: strides[i]!}]));
  const result = new Array<number>(wanted.length).fill(0);
  let axis = 0;
  let to = 0;
  while (to < wanted.length) {
    if (wanted[to] === 1) {
      to++;
      continue;
    }
    // The smallest run of old axes and of new ones with the same number of elements.
    const [from, first] = [axis, to];
    let [have, want] = [axes[axis++]?.size ?? 0, wanted[to++]!];
    while (have !== want) {
      if (have < want) have *= axes[axis++]?.size ?? Number.NaN;
      else want *= wanted[to++] ?? Number.NaN;
      if (Number.isNaN(have) || Number.isNaN(want)) return null;
    }
    for (let i = from; i + 1 < axis; i++) if (axes[i]!.stride !== axes[i + 1]!.size * axes[i + 1]!.stride) return null;
    let stride = axes[axis - 1]!.stride;
    for (let i = to - 1; i >= first; i--) {
      result[i] = stride;
      stride *= wanted[i]!;
    }
  }
  return result;
}

function keep(onnx: OnnxCall): readonly Value[] {
  return [onnx.input(0)];
}

function importReshape(onnx: OnnxCall): readonly Value[] {
  const x = onnx.input(0);
  const wanted = numbersOf(onnx.constant(1, 'the shape'));
  const zeroIsZero = onnx.int('allowzero', 0) !== 0;
  const shape = wanted.map((size, i) =>
    size === 0 && !zeroIsZero
      ? (x.type.shape[i] ?? onnx.invalid(`shape[${i}] is 0, but x has ${x.type.shape.length} axes`))
      : size,
  );
  const known = elements(shape.filter(size => size !== -1));
  if (shape.filter(size => size === -1).length > 1) onnx.invalid(`the shape [${wanted}] has more than one -1`);
  const full = shape.map(size => (size === -1 ? elements(x.type.shape) / known : size));
  if (elements(full) !== elements(x.type.shape)) onnx.invalid(`x is [${x.type.shape}] and cannot become [${wanted}]`);
  return reshapeTo(onnx, x, full);
}

function importFlatten(onnx: OnnxCall): readonly Value[] {
  const x = onnx.input(0);
  const axis = flatAxisOf(onnx);
  return reshapeTo(onnx, x, [elements(x.type.shape.slice(0, axis)), elements(x.type.shape.slice(axis))]);
}

/** Axes come as an attribute before opset 13 and as an operand since. */
function axesOf(onnx: OnnxCall, rank: number): readonly number[] | null {
  const given = onnx.inputs[1] ? numbersOf(onnx.constant(1, 'the axes')) : onnx.has('axes') ? onnx.ints('axes') : null;
  return given?.map(axis => axisOf(onnx, axis, rank)) ?? null;
}

/** A negative axis counts from the end. */
export function axisOf(onnx: OnnxCall, axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (positive < 0 || positive >= rank) onnx.invalid(`axis ${axis} is outside a tensor with ${rank} axes`);
  return positive;
}

/** Where operand 0 is cut in two: the axes before attribute `axis` (default 1) are rows, all others columns, if any. */
export function flatAxisOf(onnx: OnnxCall): number {
  const axis = onnx.int('axis', 1);
  const rank = onnx.input(0).type.shape.length;
  return axis === rank ? rank : axisOf(onnx, axis, rank);
}

function importSqueeze(onnx: OnnxCall): readonly Value[] {
  const x = onnx.input(0);
  const axes = axesOf(onnx, x.type.shape.length);
  for (const axis of axes ?? []) if (x.type.shape[axis] !== 1) onnx.invalid(`axis ${axis} of [${x.type.shape}] is not 1`);
  return reshapeTo(
    onnx,
    x,
    x.type.shape.filter((size, axis) => (axes ? !axes.includes(axis) : size !== 1)),
  );
}

function importUnsqueeze(onnx: OnnxCall): readonly Value[] {
  const x = onnx.input(0);
  const count = onnx.inputs[1] ? onnx.constant(1, 'the axes').data.length : onnx.ints('axes').length;
  const rank = x.type.shape.length + count;
  const axes = axesOf(onnx, rank) ?? [];
  const rest = [...x.type.shape];
  return reshapeTo(
    onnx,
    x,
    Array.from({length: rank}, (_, axis) => (axes.includes(axis) ? 1 : rest.shift()!)),
  );
}

/** Dropout does nothing at inference; its mask, if anyone asks, is all true. */
function importDropout(onnx: OnnxCall): readonly (Value | null)[] {
  if (onnx.inputs[2] && onnx.constant(2, 'training_mode').data[0])
    onnx.unsupported('training mode', 'export the model for inference');
  if (onnx.opset < 7 && onnx.int('is_test', 0) === 0 && onnx.has('is_test')) onnx.unsupported('training mode (is_test = 0)');
  const x = onnx.input(0);
  if (onnx.outputCount < 2) return [x];
  const dtype = onnx.opset < 10 ? x.type.dtype : 'bool';
  return [x, onnx.literal(filled(dtype, x.type.shape, 1))];
}
