/** A regular part of a tensor: starts, steps (also negative) and the resulting shape. Always a view. ONNX's Slice and Split. */
import {type Builder, defineOp, type OnnxCall, type OpDef, tensorAt, typeAt} from '../../op.js';
import {numbersOf} from '../../tensor.js';
import type {Value} from '../../types.js';
import {dot, gatherElements, stridesOf} from '../common/broadcast.js';
import {axisOf} from '../reshape/index.js';

export type SliceAttrs = {
  readonly starts: readonly number[];
  readonly steps: readonly number[];
  readonly shape: readonly number[];
};

export const slice: OpDef<SliceAttrs> = defineOp<SliceAttrs>({
  name: 'slice',
  summary: 'y[i] = x[starts + i * steps], for i below shape',
  operands: ['x'],
  defaults: {},
  rules: [
    {
      id: 'slice.inside',
      says: 'first and last element along each axis lie inside x',
      holds: ({attrs: {starts, steps, shape}, inputs: [x]}) =>
        x?.shape.length === shape.length &&
        shape.every((count, i) => {
          const [first, last] = [starts[i]!, starts[i]! + (count - 1) * steps[i]!];
          return count === 0 || (Math.min(first, last) >= 0 && Math.max(first, last) < x.shape[i]!);
        }),
    },
  ],
  infer: call => [{dtype: typeAt(call, 0).dtype, shape: call.attrs.shape}],
  evaluate: ({attrs: {starts, steps, shape}}, inputs) => {
    const x = tensorAt(inputs, 0);
    const strides = stridesOf(x.shape);
    const base = dot(starts, strides);
    const step = strides.map((stride, i) => stride * steps[i]!);
    return [gatherElements(x, shape, index => base + dot(index, step))];
  },
  fromOnnx: {Slice: importSlice, Split: importSplit},
  view: ({attrs: {starts, steps, shape}}, input) => [
    {
      ...input,
      shape,
      offset: input.offset + dot(starts, input.strides),
      strides: input.strides.map((stride, i) => stride * steps[i]!),
    },
  ],
});

/** A part along one axis. */
export function sliceAxis(build: Builder, value: Value, axis: number, start: number, count: number): Value {
  const {shape} = value.type;
  if (start === 0 && count === shape[axis]) return value;
  return build.emit(slice, [value], {
    starts: shape.map((_, i) => (i === axis ? start : 0)),
    steps: shape.map(() => 1),
    shape: shape.map((size, i) => (i === axis ? count : size)),
  })[0];
}

function importSlice(onnx: OnnxCall): readonly Value[] {
  const x = onnx.input(0);
  const {shape} = x.type;
  const list = (index: number, name: string): readonly number[] | null => {
    if (onnx.opset >= 10) return onnx.inputs[index] ? numbersOf(onnx.constant(index, `the ${name}`)) : null;
    return onnx.has(name) ? onnx.ints(name) : null;
  };
  const [starts, ends] = [
    list(1, 'starts') ?? onnx.invalid('Slice needs starts'),
    list(2, 'ends') ?? onnx.invalid('Slice needs ends'),
  ];
  const axes = (list(3, 'axes') ?? starts.map((_, i) => i)).map(axis => axisOf(onnx, axis, shape.length));
  const steps = list(4, 'steps') ?? starts.map(() => 1);
  const result = {starts: shape.map(() => 0), steps: shape.map(() => 1), shape: [...shape]};
  axes.forEach((axis, i) => {
    const [size, step] = [shape[axis]!, steps[i] ?? 1];
    if (step === 0) onnx.invalid('a step of Slice is 0');
    const clamp = (at: number, low: number, high: number): number => Math.min(Math.max(at < 0 ? at + size : at, low), high);
    const [start, end] =
      step > 0
        ? [clamp(starts[i]!, 0, size), clamp(ends[i]!, 0, size)]
        : [clamp(starts[i]!, 0, size - 1), clamp(ends[i]!, -1, size - 1)];
    result.starts[axis] = start;
    result.steps[axis] = step;
    result.shape[axis] = Math.max(0, Math.ceil((end - start) / step));
  });
  if (String(result.shape) === String(shape) && result.steps.every(step => step === 1)) return [x];
  // An empty result keeps no start outside x.
  if (result.shape.includes(0)) result.starts.fill(0);
  return onnx.emit(slice, [x], result);
}

function importSplit(onnx: OnnxCall): readonly Value[] {
  const x = onnx.input(0);
  const axis = axisOf(onnx, onnx.int('axis', 0), x.type.shape.length);
  const size = x.type.shape[axis]!;
  const given =
    onnx.opset >= 13
      ? onnx.inputs[1]
        ? numbersOf(onnx.constant(1, 'the sizes'))
        : null
      : onnx.has('split')
        ? onnx.ints('split')
        : null;
  const count = onnx.has('num_outputs') ? onnx.int('num_outputs') : onnx.outputCount;
  const each = Math.ceil(size / count);
  const sizes = given ?? Array.from({length: count}, (_, i) => Math.min(each, size - i * each));
  if (sizes.reduce((sum, part) => sum + part, 0) !== size)
    onnx.invalid(`the parts [${sizes}] do not add up to ${size} (axis ${axis})`);
  const start = (i: number): number => sizes.slice(0, i).reduce((sum, part) => sum + part, 0);
  return sizes.map((part, i) => sliceAxis(onnx, x, axis, start(i), part));
}
