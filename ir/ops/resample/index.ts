/** Weighted sums of elements along an axis, by tables of places and weights: interpolation of every kind. ONNX's Resize. */
import {defineOp, type KernelContext, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {elements, numberAt, setElement, zeros} from '../../tensor.js';
import {dot, forEachIndex, stridesOf} from '../common/broadcast.js';
import {clampIndex} from '../common/copies.js';
import type {ResampleAttrs} from './attributes.js';
import {importResize, importUpsample} from './onnx.js';

export const resample: OpDef<ResampleAttrs> = defineOp<ResampleAttrs>({
  name: 'resample',
  summary: 'y[a...][j][b...] = sum over t of weights[j][t] * x[a...][places[j][t]][b...], j standing at `axis`',
  operands: ['x', 'places', 'weights'],
  defaults: {},
  rules: [
    {
      id: 'resample.axis',
      says: 'axis is one of x',
      holds: ({attrs: {axis}, inputs: [x]}) => axis >= 0 && axis < (x?.shape.length ?? 0),
    },
    {
      id: 'resample.tables',
      says: 'places are i32[j][t] and weights [j][t] of the type of x',
      holds: ({inputs: [x, places, weights]}) =>
        places?.dtype === 'i32' &&
        places.shape.length === 2 &&
        weights?.dtype === x?.dtype &&
        String(weights?.shape) === String(places.shape),
    },
  ],
  infer: call => [{dtype: typeAt(call, 0).dtype, shape: typeAt(call, 0).shape.with(call.attrs.axis, typeAt(call, 1).shape[0]!)}],
  evaluate: (call, inputs) => {
    const {axis} = call.attrs;
    const [x, places, weights] = [tensorAt(inputs, 0), tensorAt(inputs, 1), tensorAt(inputs, 2)];
    const y = zeros(x.dtype, resample.infer(call)[0]!.shape);
    const [strides, taps] = [stridesOf(x.shape), places.shape[1]!];
    forEachIndex(y.shape, (index, flat) => {
      let sum = 0;
      for (let t = 0; t < taps; t++) {
        const at = index[axis]! * taps + t;
        const place = clampIndex(numberAt(places, at), x.shape[axis]!);
        sum += numberAt(weights, at) * numberAt(x, dot(index.with(axis, place), strides));
      }
      setElement(y, flat, sum);
    });
    return [y];
  },
  macs: call => elements(resample.infer(call)[0]!.shape) * typeAt(call, 1).shape[1]!,
  fromOnnx: {Resize: onnx => importResize(onnx, resample), Upsample: onnx => importUpsample(onnx, resample)},
  kernel: {layout: 'row-major', dtypes: ['f32', 'f64'], lower: lowerResample},
});

function lowerResample({attrs: {axis}, types, inputs, outputs}: KernelContext<ResampleAttrs>): KernelCall {
  const {dtype, shape} = types[0]!;
  const [count, taps] = types[1]!.shape as [number, number];
  return {
    kind: 'kernel',
    contract: `resample_${dtype}`,
    header: 'resample/kernel.h',
    struct: 'resample_shape',
    fields: {outer: elements(shape.slice(0, axis)), size: shape[axis]!, count, taps, inner: elements(shape.slice(axis + 1))},
    params: [
      {name: 'x', role: 'read', view: inputs[0]!.view()},
      {name: 'places', role: 'read', view: inputs[1]!.view()},
      {name: 'weights', role: 'read', view: inputs[2]!.view()},
      {name: 'y', role: 'write', view: outputs[0]!},
    ],
    epilogue: null,
  };
}
