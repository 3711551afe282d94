/** The k largest or smallest elements along an axis, in order, and their places; equal elements keep the order they have in x. */
import {defineOp, type KernelContext, type OnnxCall, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {elements, numberAt, setElement, zeros} from '../../tensor.js';
import type {Value} from '../../types.js';
import {axisOf} from '../reshape/index.js';

export type TopkAttrs = {readonly axis: number; readonly k: number; readonly largest: boolean};

export const topk: OpDef<TopkAttrs> = defineOp<TopkAttrs>({
  name: 'topk',
  summary: 'the k largest (or smallest) elements along an axis, in order, and their indices',
  operands: ['x'],
  defaults: {largest: true},
  rules: [
    {
      id: 'topk.axis',
      says: 'axis is one of x',
      holds: ({attrs: {axis}, inputs: [x]}) => axis >= 0 && axis < (x?.shape.length ?? 0),
    },
    {
      id: 'topk.k',
      says: 'k is at least 1 and at most the size of the axis',
      holds: ({attrs: {axis, k}, inputs: [x]}) => k >= 1 && k <= (x?.shape[axis] ?? 0),
    },
  ],
  infer: call => {
    const {dtype, shape} = typeAt(call, 0);
    const result = shape.with(call.attrs.axis, call.attrs.k);
    return [
      {dtype, shape: result},
      {dtype: 'i64', shape: result},
    ];
  },
  evaluate: ({attrs: {axis, k, largest}}, inputs) => {
    const x = tensorAt(inputs, 0);
    const shape = x.shape.with(axis, k);
    const [values, indices] = [zeros(x.dtype, shape), zeros('i64', shape)];
    const [size, inner] = [x.shape[axis]!, elements(x.shape.slice(axis + 1))];
    for (let row = 0; row < x.data.length / size; row++) {
      const [outer, i] = [Math.floor(row / inner), row % inner];
      const at = (n: number) => x.data[(outer * size + n) * inner + i]!;
      const order = Array.from({length: size}, (_, n) => n);
      order.sort((a, b) => (at(a) === at(b) ? a - b : at(a) < at(b) === largest ? 1 : -1));
      order.slice(0, k).forEach((n, place) => {
        setElement(indices, (outer * k + place) * inner + i, n);
        values.data[(outer * k + place) * inner + i] = at(n);
      });
    }
    return [values, indices];
  },
  fromOnnx: {TopK: importTopk},
  kernel: {layout: 'row-major', dtypes: ['f32', 'f64', 'i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64'], lower: lowerTopk},
});

/** k is an attribute before opset 10. Results that need not be sorted are sorted all the same. */
function importTopk(onnx: OnnxCall): readonly Value[] {
  const x = onnx.input(0);
  const axis = axisOf(onnx, onnx.int('axis', -1), x.type.shape.length);
  const k = onnx.opset < 10 ? onnx.int('k') : numberAt(onnx.constant(1, 'k'), 0);
  return onnx.emit(topk, [x], {axis, k, largest: onnx.int('largest', 1) !== 0});
}

function lowerTopk({attrs: {axis, k, largest}, inputs, outputs}: KernelContext<TopkAttrs>): KernelCall {
  const x = inputs[0]!.view();
  const [outer, inner] = [elements(x.shape.slice(0, axis)), elements(x.shape.slice(axis + 1))];
  return {
    kind: 'kernel',
    contract: `topk_${x.dtype}`,
    header: 'topk/kernel.h',
    struct: 'topk_shape',
    fields: {outer, size: x.shape[axis]!, inner, k, largest: Number(largest)},
    params: [
      {name: 'x', role: 'read', view: x},
      {name: 'values', role: 'write', view: outputs[0]!},
      {name: 'indices', role: 'write', view: outputs[1]!},
    ],
    epilogue: null,
  };
}
