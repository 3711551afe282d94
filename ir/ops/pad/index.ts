/** A constant around a tensor. Negative amounts cut. Other modes are gathers along each axis, and no op of their own. */
import {type Builder, defineOp, type OnnxCall, type OpDef, tensorAt, typeAt} from '../../op.js';
import {filled, numberAt, numbersOf, tensorFrom, zeros} from '../../tensor.js';
import type {Value} from '../../types.js';
import {dot, forEachIndex, stridesOf} from '../common/broadcast.js';
import {concat} from '../concat/index.js';
import {expandTo} from '../expand/index.js';
import {gather} from '../gather/index.js';
import {axisOf, reshapeTo} from '../reshape/index.js';
import {sliceAxis} from '../slice/index.js';

/** pads: all starts, then all ends, one per axis. */
export type PadAttrs = {readonly pads: readonly number[]; readonly value: number};

export const pad: OpDef<PadAttrs> = defineOp<PadAttrs>({
  name: 'pad',
  summary: 'a constant around a tensor',
  operands: ['x'],
  defaults: {value: 0},
  rules: [
    {
      id: 'pad.amounts',
      says: 'pads has a start and an end, not negative, for each axis',
      holds: ({attrs: {pads}, inputs: [x]}) => pads.length === 2 * (x?.shape.length ?? 0) && pads.every(n => n >= 0),
    },
  ],
  infer: ({attrs: {pads}, inputs: [x]}) => [
    {dtype: x!.dtype, shape: x!.shape.map((size, i) => size + pads[i]! + pads[i + x!.shape.length]!)},
  ],
  evaluate: (call, inputs) => {
    const x = tensorAt(inputs, 0);
    const {pads, value} = call.attrs;
    const y = filled(x.dtype, pad.infer(call)[0]!.shape, value);
    const strides = stridesOf(y.shape);
    const base = dot(pads.slice(0, x.shape.length), strides);
    forEachIndex(x.shape, (index, flat) => {
      y.data[base + dot(index, strides)] = x.data[flat]!;
    });
    return [y];
  },
  fromOnnx: {Pad: importPad},
  fill: call => call.attrs.value,
  place: (call, output) => {
    const {shape} = typeAt(call, 0);
    return [{...output, shape, offset: output.offset + dot(call.attrs.pads.slice(0, shape.length), output.strides)}];
  },
});

function importPad(onnx: OnnxCall): readonly Value[] {
  const x = onnx.input(0);
  const rank = x.type.shape.length;
  const given = onnx.opset < 11 ? onnx.ints('pads') : numbersOf(onnx.constant(1, 'the pads'));
  const fill = onnx.opset < 11 ? onnx.float('value', 0) : onnx.inputs[2] ? onnx.constantOrNull(2) : 0;
  const axes = onnx.inputs[3]
    ? numbersOf(onnx.constant(3, 'the axes')).map(axis => axisOf(onnx, axis, rank))
    : x.type.shape.map((_, i) => i);
  if (given.length !== 2 * axes.length) onnx.invalid(`pads has ${given.length} entries for ${axes.length} axes`);
  const pads = new Array<number>(2 * rank).fill(0);
  axes.forEach((axis, i) => {
    pads[axis] = given[i]!;
    pads[axis + rank] = given[i + axes.length]!;
  });
  let value = x;
  for (let axis = 0; axis < rank; axis++) {
    const [start, end] = [Math.min(0, pads[axis]!), Math.min(0, pads[axis + rank]!)];
    value = sliceAxis(onnx, value, axis, -start, value.type.shape[axis]! + start + end);
  }
  const amounts = pads.map(n => Math.max(0, n));
  if (amounts.every(n => n === 0)) return [value];
  const mode = onnx.string('mode', 'constant');
  if (mode !== 'constant') return [mirrored(onnx, value, amounts, mode)];
  if (fill === null) return [framed(onnx, value, amounts, reshapeTo(onnx, onnx.input(2), [])[0])];
  return onnx.emit(pad, [value], {pads: amounts, value: typeof fill === 'number' ? fill : numberAt(fill, 0)});
}

/** `size` elements along an axis, the first of x being at place `at`: what lies outside is cut off, zeros fill the rest. */
export function placeAlong(build: Builder, x: Value, axis: number, at: number, size: number): Value {
  const {shape} = x.type;
  const [start, end] = [Math.max(0, -at), Math.min(shape[axis]!, size - at)];
  if (end <= start) return build.literal(zeros(x.type.dtype, shape.with(axis, size)));
  const part = sliceAxis(build, x, axis, start, end - start);
  const none = shape.map(() => 0);
  const pads = [...none.with(axis, at + start), ...none.with(axis, size - at - end)];
  return pads.every(n => n === 0) ? part : build.emit(pad, [part], {pads, value: 0})[0];
}

/** The value around x, where only the input tells it. */
function framed(onnx: OnnxCall, x: Value, pads: readonly number[], value: Value): Value {
  const rank = x.type.shape.length;
  return x.type.shape.reduce((inner, _, axis) => {
    const strip = (size: number): readonly Value[] =>
      size > 0 ? [expandTo(onnx, value, inner.type.shape.with(axis, size))] : [];
    const parts = [...strip(pads[axis]!), inner, ...strip(pads[axis + rank]!)];
    return parts.length === 1 ? inner : onnx.emit(concat, parts, {axis})[0];
  }, x);
}

/** The place inside `size` elements that stands for a place outside. */
const inside: Readonly<Record<string, (at: number, size: number) => number>> = {
  edge: (at, size) => Math.min(Math.max(at, 0), size - 1),
  wrap: (at, size) => at - Math.floor(at / size) * size,
  reflect: (at, size) => {
    const period = Math.max(1, 2 * (size - 1));
    const place = at - Math.floor(at / period) * period;
    return Math.min(place, period - place);
  },
};

function mirrored(onnx: OnnxCall, x: Value, pads: readonly number[], mode: string): Value {
  const from = inside[mode] ?? onnx.invalid(`mode "${mode}" is not one of constant, edge, reflect, wrap`);
  const {shape} = x.type;
  return shape.reduce((value, size, axis) => {
    const [start, count] = [pads[axis]!, size + pads[axis]! + pads[axis + shape.length]!];
    if (count === size) return value;
    const places = Array.from({length: count}, (_, i) => from(i - start, size));
    return onnx.emit(gather, [value, onnx.literal(tensorFrom('i64', [count], places))], {axis})[0];
  }, x);
}
