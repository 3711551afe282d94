/** Slices of x along an axis, in the order of a tensor of indices. Regular constant indices are slices and never come here. */
import {defineOp, type KernelContext, type OnnxCall, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {elements, numberAt, numbersOf, tensorFrom, widthOf} from '../../tensor.js';
import type {Value} from '../../types.js';
import {dot, gatherElements, stridesOf} from '../common/broadcast.js';
import {allTypes, clampIndex} from '../common/copies.js';
import {axisOf, reshapeTo} from '../reshape/index.js';
import {slice} from '../slice/index.js';
import {elementAxis, elementRows, type Rows, tupleRows} from './flat.js';

export type GatherAttrs = {readonly axis: number};

export const gather: OpDef<GatherAttrs> = defineOp<GatherAttrs>({
  name: 'gather',
  summary: 'y[a...][j...][b...] = x[a...][indices[j...]][b...], the index standing at `axis`',
  operands: ['x', 'indices'],
  defaults: {axis: 0},
  rules: [
    {
      id: 'gather.axis',
      says: 'axis is one of x',
      holds: ({attrs: {axis}, inputs: [x]}) => axis >= 0 && axis < (x?.shape.length ?? 0),
    },
    {id: 'gather.indices', says: 'indices are i32 or i64', holds: ({inputs: [, i]}) => i?.dtype === 'i32' || i?.dtype === 'i64'},
  ],
  infer: call => {
    const {dtype, shape} = typeAt(call, 0);
    return [{dtype, shape: shape.toSpliced(call.attrs.axis, 1, ...typeAt(call, 1).shape)}];
  },
  evaluate: (call, inputs) => {
    const {axis} = call.attrs;
    const [x, indices] = [tensorAt(inputs, 0), tensorAt(inputs, 1)];
    const [rank, strides, places] = [indices.shape.length, stridesOf(x.shape), stridesOf(indices.shape)];
    const at = (index: readonly number[]): number => {
      const chosen = numberAt(indices, dot(index.slice(axis, axis + rank), places));
      return dot(index.toSpliced(axis, rank, clampIndex(chosen, x.shape[axis]!)), strides);
    };
    return [gatherElements(x, gather.infer(call)[0]!.shape, at)];
  },
  fromOnnx: {
    Gather: importGather,
    GatherElements: onnx => gatherRows(onnx, elementRows(onnx, onnx.input(0), onnx.input(1), elementAxis(onnx))),
    GatherND: onnx => gatherRows(onnx, tupleRows(onnx, onnx.input(0), onnx.input(1), onnx.int('batch_dims', 0))),
  },
  kernel: {layout: 'row-major', dtypes: allTypes, lower: lowerGather},
});

const gatherRows = (onnx: OnnxCall, {table, numbers}: Rows): readonly Value[] => onnx.emit(gather, [table, numbers], {axis: 0});

function importGather(onnx: OnnxCall): readonly Value[] {
  const [x, indices] = [onnx.input(0), onnx.input(1)];
  const axis = axisOf(onnx, onnx.int('axis', 0), x.type.shape.length);
  const known = onnx.constantOrNull(1);
  if (!known || known.data.length === 0) return onnx.emit(gather, [x, indices], {axis});
  const size = x.type.shape[axis]!;
  const places = numbersOf(known).map(place => (place < 0 ? place + size : place));
  const outside = places.findIndex(place => place < 0 || place >= size);
  if (outside >= 0) onnx.invalid(`index ${known.data[outside]} is outside axis ${axis} of [${x.type.shape}]`);
  const step = places.length > 1 ? places[1]! - places[0]! : 1;
  const shape = x.type.shape.toSpliced(axis, 1, ...known.shape);
  if (step !== 0 && places.every((place, i) => place === places[0]! + i * step)) {
    const [starts, steps] = [x.type.shape.map(() => 0), x.type.shape.map(() => 1)];
    const part = onnx.emit(slice, [x], {
      starts: starts.with(axis, places[0]!),
      steps: steps.with(axis, step),
      shape: x.type.shape.with(axis, places.length),
    });
    return reshapeTo(onnx, part[0], shape);
  }
  return onnx.emit(gather, [x, onnx.literal(tensorFrom(known.dtype, known.shape, places))], {axis});
}

function lowerGather({attrs: {axis}, types, inputs, outputs}: KernelContext<GatherAttrs>): KernelCall {
  const {dtype, shape} = types[0]!;
  return {
    kind: 'kernel',
    contract: `gather_${types[1]!.dtype}`,
    header: 'gather/kernel.h',
    struct: 'gather_shape',
    fields: {
      outer: elements(shape.slice(0, axis)),
      size: shape[axis]!,
      count: elements(types[1]!.shape),
      bytes: elements(shape.slice(axis + 1)) * widthOf(dtype),
    },
    params: [
      {name: 'x', role: 'read', view: inputs[0]!.view()},
      {name: 'indices', role: 'read', view: inputs[1]!.view()},
      {name: 'y', role: 'write', view: outputs[0]!},
    ],
    epilogue: null,
  };
}
