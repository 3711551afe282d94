/** GatherElements, GatherND and their scattering twins, on tensors of rows: each index tuple becomes the number of a row. */
import type {Builder, OnnxCall} from '../../op.js';
import {elements, tensorFrom} from '../../tensor.js';
import type {Value} from '../../types.js';
import {stridesOf} from '../common/broadcast.js';
import {add, cast} from '../elementwise/index.js';
import {map} from '../map/index.js';
import {axisOf, reshapeTo} from '../reshape/index.js';
import {sliceAxis} from '../slice/index.js';

/** `numbers` are of type i64. */
export type Rows = {readonly table: Value; readonly numbers: Value};

/** y[i][j][k] = x[i][index[i][j][k]][k]: rows are single elements. */
export function elementRows(onnx: OnnxCall, x: Value, indices: Value, axis: number): Rows {
  const {shape} = indices.type;
  if (shape.length !== x.type.shape.length) onnx.invalid(`indices are [${shape}] for a tensor of ${x.type.shape.length} axes`);
  const strides = stridesOf(x.type.shape);
  let numbers = scaled(onnx, indices, x.type.shape[axis]!, strides[axis]!);
  shape.forEach((size, i) => {
    if (i !== axis) numbers = plusPlace(onnx, numbers, i, size, strides[i]!);
  });
  return {table: reshapeTo(onnx, x, [elements(x.type.shape)])[0], numbers};
}

/** The last axis of `indices` names a place in x, whose first `batch` axes go in step with those of `indices`. */
export function tupleRows(onnx: OnnxCall, x: Value, indices: Value, batch: number): Rows {
  const [shape, lead, depth] = [x.type.shape, indices.type.shape.slice(0, -1), indices.type.shape.at(-1) ?? 0];
  if (batch + depth > shape.length || depth < 1) onnx.invalid(`indices are [${indices.type.shape}] for a tensor [${shape}]`);
  const table = shape.slice(0, batch + depth);
  const strides = stridesOf(table);
  let numbers: Value | null = null;
  for (let i = 0; i < depth; i++) {
    const [part] = reshapeTo(onnx, sliceAxis(onnx, indices, lead.length, i, 1), lead);
    const term = scaled(onnx, part, shape[batch + i]!, strides[batch + i]!);
    numbers = numbers ? onnx.emit(add, [numbers, term], {})[0] : term;
  }
  for (let i = 0; i < batch; i++) numbers = plusPlace(onnx, numbers!, i, lead[i]!, strides[i]!);
  return {table: reshapeTo(onnx, x, [elements(table), ...shape.slice(batch + depth)])[0], numbers: numbers!};
}

export const elementAxis = (onnx: OnnxCall): number => axisOf(onnx, onnx.int('axis', 0), onnx.input(0).type.shape.length);

/** Negative indices count from the end; those outside become the nearest one inside. */
function scaled(build: Builder, indices: Value, size: number, stride: number): Value {
  const [index] = indices.type.dtype === 'i64' ? [indices] : build.emit(cast, [indices], {to: 'i64'});
  const inside = `clamp(select(lt(x0, 0), add(x0, ${size}), x0), 0, ${size - 1})`;
  return build.emit(map, [index], {expression: `mul(${inside}, ${stride})`})[0];
}

/** Adds place * stride, where the place is that along an axis. */
function plusPlace(build: Builder, numbers: Value, axis: number, size: number, stride: number): Value {
  if (size === 1) return numbers;
  const rest = numbers.type.shape.slice(axis + 1).map(() => 1);
  const places = tensorFrom(
    'i64',
    [size, ...rest],
    Array.from({length: size}, (_, i) => i * stride),
  );
  return build.emit(add, [numbers, build.literal(places)], {})[0];
}
