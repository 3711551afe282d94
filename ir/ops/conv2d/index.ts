/**
 * 2-D convolution with bias and epilogue; depthwise, grouped, dilated and 1-D forms are attributes of the same op.
 * y[n][o][p][q] = epilogue(b[o] + sum x[n][g*I + i][p*sh + r*dh - top][q*sw + s*dw - left] * w[o][i][r][s])
 */
import {defineOp, type KernelContext, type OpDef, typeAt} from '../../op.js';
import type {KernelCall, Packing} from '../../plan.js';
import type {TensorType} from '../../types.js';
import {
  type ConvolutionAttrs,
  convolutionCall,
  convolutionDefaults,
  convolutionMacs,
  convolutionRules,
  convolutionShape,
  convolve,
  isDepthwise,
} from '../common/convolution.js';
import {applyEpilogue, epilogueOf} from '../common/epilogue.js';
import {borderOf} from '../common/window.js';
import {importConv} from './onnx.js';
import {type ConvolutionWay, scratchElements, tilesTogether, winogradTile} from './winograd.js';

export const conv2d: OpDef<ConvolutionAttrs> = defineOp<ConvolutionAttrs>({
  name: 'conv2d',
  summary: 'y[n][o][p][q] = epilogue(b[o] + sum x[n][i][p*sh + r*dh - top][q*sw + s*dw - left] * w[o][i][r][s])',
  operands: ['x', 'w', 'b?', 'e*'],
  defaults: convolutionDefaults,
  rules: convolutionRules<ConvolutionAttrs>('conv2d'),
  infer: call => [{dtype: typeAt(call, 0).dtype, shape: convolutionShape(call)}],
  evaluate: (call, inputs) => [applyEpilogue(call.attrs, convolve(call, inputs, 0, typeAt(call, 0).dtype), inputs.slice(3))],
  macs: convolutionMacs,
  fromOnnx: {Conv: onnx => importConv(onnx, conv2d)},
  kernel: {
    layout: 'channels-last',
    free: () => [1, 2],
    extras: 3,
    border: ({attrs}) => borderOf(attrs),
    inPlace: () => [3, 4],
    lower: lowerConv,
  },
});

function lowerConv(context: KernelContext<ConvolutionAttrs>): KernelCall {
  const {attrs, types} = context;
  const [w, b] = [types[1]!, types[2]];
  const x = context.inputs[0]!.view();
  const y = context.outputs[0]!;
  const [oc, ic, kh, kw] = w.shape as [number, number, number, number];
  const {groups} = attrs;
  const depthwise = isDepthwise({attrs, inputs: types});
  const way = depthwise ? 'direct' : wayOf(context, y.shape);
  const biasType: TensorType = b ?? {dtype: w.dtype, shape: [oc]};
  const packing: Packing = depthwise
    ? {kind: 'depthwise-panels'}
    : way === 'direct'
      ? {kind: 'panels', groups}
      : {kind: 'winograd-panels', tile: winogradTile[way]};
  const weights = context.weight(context.inputs[1]!.constant, w, packing);
  const bias = context.weight(context.inputs[2]?.constant ?? null, biasType, {
    kind: 'bias-panels',
    groups: depthwise ? 1 : groups,
  });
  const {fields: common, params} = convolutionCall(context, [kh, kw], {x, w: weights, b: bias, y});
  const {sh, sw, dh, dw, ...plain} = common;
  const call = (contract: string, fields: KernelCall['fields'], more: KernelCall['params'] = []): KernelCall => ({
    kind: 'kernel',
    contract: `${contract}_f32`,
    header: null,
    struct: `${contract}_shape`,
    fields: {...plain, ...fields},
    params: [...params, ...more],
    epilogue: epilogueOf(attrs),
  });
  const window = {kh, kw, sh, sw, dh, dw};
  if (depthwise) return call('depthwise', {c: oc, ...window, x_bytes: 0, y_bytes: 0, e0_bytes: 0, e1_bytes: 0});
  if (way === 'direct') return call('conv2d', {oc: oc / groups, ic, groups, ...window});
  const m = winogradTile[way];
  const tiles = tilesTogether({oh: y.shape[2]!, ow: y.shape[3]!, ic, oc}, m);
  const scratch = context.scratch(scratchElements({ic, oc}, m, tiles));
  return call('winograd', {oc, ic, m, tiles}, [{name: 'scratch', role: 'write', view: scratch}]);
}

/** Three ways for plain 3x3 kernels, one for all others. */
function wayOf(context: KernelContext<ConvolutionAttrs>, y: readonly number[]): ConvolutionWay {
  const {attrs, types} = context;
  const [oc, ic, ...kernel] = types[1]!.shape as [number, number, number, number];
  const plain = attrs.groups === 1 && [...attrs.strides, ...attrs.dilations].every(n => n === 1);
  if (!plain || kernel.some(n => n !== 3)) return 'direct';
  const sizes = {n: y[0]!, oh: y[2]!, ow: y[3]!, oc, ic};
  return context.choose('conv2d_f32', sizes, ['direct', 'winograd-2', 'winograd-4']);
}
