/** Normalization over the last axes, with a scale and a bias per element: LayerNormalization, and without mean RMSNormalization. */

import {defineOp, type KernelContext, type OnnxCall, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {elements, numberAt, setElement, zeros} from '../../tensor.js';
import type {Value} from '../../types.js';
import {ownKernel} from '../common/call.js';
import {map} from '../map/index.js';
import {reduceAlong} from '../reduce/index.js';
import {axisOf, reshapeTo} from '../reshape/index.js';

/** Axes from `axis` on are normalized together. `center` subtracts the mean. */
export type LayernormAttrs = {readonly axis: number; readonly epsilon: number; readonly center: boolean};

export const layernorm: OpDef<LayernormAttrs> = defineOp<LayernormAttrs>({
  name: 'layernorm',
  summary: 'y[o][i] = (x[o][i] - mean) / sqrt(mean square + epsilon) * scale[i] + bias[i]',
  operands: ['x', 'scale?', 'bias?'],
  defaults: {center: true},
  rules: [
    {
      id: 'layernorm.axis',
      says: 'axis is one of x',
      holds: ({attrs: {axis}, inputs: [x]}) => axis >= 0 && axis < (x?.shape.length ?? 0),
    },
    {
      id: 'layernorm.scale',
      says: 'scale and bias are vectors with an element for each that is normalized together, of the type of x',
      holds: ({attrs: {axis}, inputs: [x, ...rest]}) =>
        rest.every(type => !type || (type.dtype === x?.dtype && String(type.shape) === String([elements(x.shape.slice(axis))]))),
    },
  ],
  infer: call => [typeAt(call, 0)],
  evaluate: ({attrs: {axis, epsilon, center}}, inputs) => {
    const [x, scale, bias] = [tensorAt(inputs, 0), inputs[1], inputs[2]];
    const y = zeros(x.dtype, x.shape);
    const size = elements(x.shape.slice(axis));
    for (let start = 0; start < x.data.length; start += size) {
      const values = Array.from({length: size}, (_, i) => numberAt(x, start + i));
      const mean = center ? values.reduce((sum, value) => sum + value, 0) / size : 0;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / size;
      values.forEach((value, i) => {
        const normal = (value - mean) / Math.sqrt(variance + epsilon);
        setElement(y, start + i, normal * (scale ? numberAt(scale, i) : 1) + (bias ? numberAt(bias, i) : 0));
      });
    }
    return [y];
  },
  fromOnnx: {
    LayerNormalization: onnx => importNorm(onnx, true),
    SimplifiedLayerNormalization: onnx => importNorm(onnx, false),
    RMSNormalization: onnx => importNorm(onnx, false),
  },
  kernel: {layout: 'row-major', dtypes: ['f32', 'f64'], inPlace: () => [0], lower: lowerLayernorm},
});

/** Scale and bias that vary along the normalized axes alone go into the op; others are applied after it. */
function importNorm(onnx: OnnxCall, center: boolean): readonly Value[] {
  const x = onnx.input(0);
  const {shape} = x.type;
  const axis = axisOf(onnx, onnx.int('axis', -1), shape.length);
  const epsilon = onnx.float('epsilon', 1e-5);
  const attrs = {axis, epsilon, center};
  const size = elements(shape.slice(axis));
  const vector = (value: Value | null | undefined): Value | null =>
    value && elements(value.type.shape) === size && value.type.shape.length <= shape.length
      ? reshapeTo(onnx, value, [size])[0]
      : null;
  const [scale, bias] = [onnx.inputs[1] ?? null, center ? (onnx.inputs[2] ?? null) : null];
  const [inner, shift] = [vector(scale), vector(bias)];
  const fits = (!scale || inner) && (!bias || shift);
  let [y] = onnx.emit(layernorm, fits ? [x, inner, shift] : [x, null, null], attrs);
  if (!fits && scale) [y] = onnx.emit(map, [y, scale], {expression: 'mul(x0, x1)'});
  if (!fits && bias) [y] = onnx.emit(map, [y, bias], {expression: 'add(x0, x1)'});
  if (onnx.outputCount < 2 || !center) return [y];
  const axes = shape.map((_, i) => i).slice(axis);
  const mean = reduceAlong(onnx, x, 'mean', axes, true);
  const [centered] = onnx.emit(map, [x, mean], {expression: 'sub(x0, x1)'});
  const squares = reduceAlong(onnx, centered, 'sum_square', axes, true);
  const [inverse] = onnx.emit(map, [squares], {expression: `div(1, sqrt(add(div(x0, ${size}), ${epsilon})))`});
  return [y, mean, inverse];
}

function lowerLayernorm({attrs: {axis, epsilon, center}, inputs, outputs}: KernelContext<LayernormAttrs>): KernelCall {
  const [x, y] = [inputs[0]!.view(), outputs[0]!];
  const [scale, bias] = [inputs[1]?.view() ?? null, inputs[2]?.view() ?? null];
  const fields = {
    ...{outer: elements(x.shape.slice(0, axis)), size: elements(x.shape.slice(axis))},
    ...{center: Number(center), scaled: Number(scale !== null), biased: Number(bias !== null), epsilon},
  };
  return ownKernel('layernorm', `layernorm_${x.dtype}`, fields, {x, scale, bias}, {y});
}
