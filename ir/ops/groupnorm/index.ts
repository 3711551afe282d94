/**
 * Normalization of an image over groups of neighbouring channels: GroupNormalization, and with one channel per group
 * InstanceNormalization. Runs along channels.
 */

import {defineOp, type KernelContext, type OnnxCall, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {elements, filled, numberAt, setElement, zeros} from '../../tensor.js';
import type {Value} from '../../types.js';
import {imageStrides, ownKernel} from '../common/call.js';
import {map} from '../map/index.js';
import {reshapeTo} from '../reshape/index.js';

export type GroupnormAttrs = {readonly groups: number; readonly epsilon: number};

export const groupnorm: OpDef<GroupnormAttrs> = defineOp<GroupnormAttrs>({
  name: 'groupnorm',
  summary: 'y = (x - mean) / sqrt(variance + epsilon) * scale[c] + bias[c], over an image and a group of channels',
  operands: ['x', 'scale', 'bias'],
  defaults: {},
  rules: [
    {id: 'groupnorm.rank', says: 'x is [n][c][h][w]', holds: ({inputs: [x]}) => x?.shape.length === 4},
    {
      id: 'groupnorm.groups',
      says: 'groups divides the channels',
      holds: ({attrs: {groups}, inputs: [x]}) => groups > 0 && (x?.shape[1] ?? 0) % groups === 0,
    },
    {
      id: 'groupnorm.scale',
      says: 'scale and bias have one element per channel, of the type of x',
      holds: ({inputs: [x, ...rest]}) =>
        rest.every(type => type?.dtype === x?.dtype && String(type?.shape) === String([x?.shape[1]])),
    },
  ],
  infer: call => [typeAt(call, 0)],
  evaluate: ({attrs: {groups, epsilon}}, inputs) => {
    const [x, scale, bias] = [tensorAt(inputs, 0), tensorAt(inputs, 1), tensorAt(inputs, 2)];
    const y = zeros(x.dtype, x.shape);
    const [channels, image] = [x.shape[1]!, x.shape[2]! * x.shape[3]!];
    const size = (channels / groups) * image;
    for (let start = 0; start < x.data.length; start += size) {
      const values = Array.from({length: size}, (_, i) => numberAt(x, start + i));
      const mean = values.reduce((sum, value) => sum + value, 0) / size;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / size;
      values.forEach((value, i) => {
        const c = Math.floor((start + i) / image) % channels;
        setElement(y, start + i, ((value - mean) / Math.sqrt(variance + epsilon)) * numberAt(scale, c) + numberAt(bias, c));
      });
    }
    return [y];
  },
  fromOnnx: {GroupNormalization: importGroup, InstanceNormalization: importInstance},
  kernel: {layout: 'channels-last', free: () => [1, 2], inPlace: () => [0], lower: lowerGroupnorm},
});

function importInstance(onnx: OnnxCall): readonly Value[] {
  if (onnx.opset < 6 && onnx.has('consumed_inputs')) onnx.unsupported('InstanceNormalization of opset 1', 'convert the model');
  return normalize(onnx, onnx.input(0).type.shape[1] ?? 0, onnx.input(1), onnx.input(2));
}

/** Before opset 21 scale and bias have one element per group. */
function importGroup(onnx: OnnxCall): readonly Value[] {
  const groups = onnx.int('num_groups');
  const channels = onnx.input(0).type.shape[1] ?? 0;
  if (groups < 1 || channels % groups !== 0) onnx.invalid(`${groups} groups do not divide ${channels} channels`);
  const perChannel = (value: Value): Value => {
    if (onnx.opset >= 21 || groups === channels) return value;
    if (elements(value.type.shape) !== groups) onnx.invalid(`scale and bias need ${groups} elements, one per group`);
    const [column] = reshapeTo(onnx, value, [groups, 1]);
    const ones = onnx.literal(filled(value.type.dtype, [1, channels / groups], 1));
    return reshapeTo(onnx, onnx.emit(map, [column, ones], {expression: 'mul(x0, x1)'})[0], [channels])[0];
  };
  return normalize(onnx, groups, perChannel(onnx.input(1)), perChannel(onnx.input(2)));
}

/** Any number of spatial axes is an image of one row. */
function normalize(onnx: OnnxCall, groups: number, scale: Value, bias: Value): readonly Value[] {
  const x = onnx.input(0);
  const {shape} = x.type;
  if (shape.length < 2) onnx.invalid(`x is [${shape}], which has no channels`);
  const [image] = shape.length === 4 ? [x] : reshapeTo(onnx, x, [shape[0]!, shape[1]!, 1, elements(shape.slice(2))]);
  const [y] = onnx.emit(groupnorm, [image, scale, bias], {groups, epsilon: onnx.float('epsilon', 1e-5)});
  return reshapeTo(onnx, y, shape);
}

function lowerGroupnorm({attrs: {groups, epsilon}, inputs, outputs}: KernelContext<GroupnormAttrs>): KernelCall {
  const [x, scale, bias, y] = [inputs[0]!.view(), inputs[1]!.view(), inputs[2]!.view(), outputs[0]!];
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const fields = {
    ...{n, h, w, groups, each: c / groups, ...imageStrides(x, y)},
    ...{scale_step: scale.strides[0]!, bias_step: bias.strides[0]!, epsilon},
  };
  return ownKernel('groupnorm', 'groupnorm_f32', fields, {x, scale, bias}, {y});
}
