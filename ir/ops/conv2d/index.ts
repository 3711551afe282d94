/**
 * 2-D convolution with bias and epilogue; depthwise, grouped, dilated and 1-D forms are attributes of the same op.
 * y[n][o][p][q] = epilogue(b[o] + sum x[n][g*I + i][p*sh + r*dh - top][q*sw + s*dw - left] * w[o][i][r][s])
 */
import {defineOp, type KernelContext, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {
  type ConvolutionAttrs,
  convolutionCall,
  convolutionDefaults,
  convolutionMacs,
  convolutionRules,
  convolutionShape,
  convolve,
  depthwiseParams,
  floatParams,
  isDepthwise,
} from '../common/convolution.js';
import {applyEpilogue, epilogueOf} from '../common/epilogue.js';
import {contractFor, firstExtra, packedOperands, weightFields, weightParams, weightRules, widened} from '../common/weights.js';
import {borderOf} from '../common/window.js';
import {importConv} from './onnx.js';
import {type ConvolutionWay, scratchElements, tilesTogether, waysFor, winogradTile} from './winograd.js';

export const conv2d: OpDef<ConvolutionAttrs> = defineOp<ConvolutionAttrs>({
  name: 'conv2d',
  summary: 'y[n][o][p][q] = epilogue(b[o] + sum x[n][i][p*sh + r*dh - top][q*sw + s*dw - left] * w[o][i][r][s])',
  operands: ['x', 'w', 'b?', 'e*'],
  defaults: convolutionDefaults,
  rules: [
    ...convolutionRules<ConvolutionAttrs>('conv2d'),
    ...weightRules<ConvolutionAttrs>('conv2d'),
    {
      id: 'conv2d.depthwise',
      says: 'a kernel of its own for each channel is i8 without `group`, or of the type of x',
      holds: call =>
        !isDepthwise(call) ||
        call.inputs[1]?.dtype === call.inputs[0]?.dtype ||
        (call.inputs[1]?.dtype === 'i8' && call.attrs.group === undefined),
    },
  ],
  infer: call => [{dtype: typeAt(call, 0).dtype, shape: convolutionShape(call)}],
  evaluate: (call, inputs) => {
    const operands = inputs.with(1, widened(call.attrs, tensorAt(inputs, 1), inputs[3]));
    return [applyEpilogue(call.attrs, convolve(call, operands, 0, typeAt(call, 0).dtype), inputs.slice(firstExtra(call)))];
  },
  macs: convolutionMacs,
  fromOnnx: {Conv: onnx => importConv(onnx, conv2d)},
  kernel: {
    layout: 'channels-last',
    free: packedOperands,
    extras: firstExtra,
    border: ({attrs}) => borderOf(attrs),
    inPlace: call => [0, 1].map(i => firstExtra(call) + i),
    lower: lowerConv,
  },
});

function lowerConv(context: KernelContext<ConvolutionAttrs>): KernelCall {
  const {attrs, types} = context;
  const w = types[1]!;
  const x = context.inputs[0]!.view();
  const y = context.outputs[0]!;
  const [oc, ic, kh, kw] = w.shape as [number, number, number, number];
  const {groups} = attrs;
  const depthwise = isDepthwise({attrs, inputs: types});
  const way = depthwise ? 'direct' : wayOf(context, y.shape);
  const weights = depthwise
    ? depthwiseParams(context)
    : way === 'direct'
      ? weightParams(context, groups)
      : floatParams(context, {kind: 'winograd-panels', tile: winogradTile[way]});
  const {fields: common, params} = convolutionCall(context, [kh, kw], {x, weights, y});
  const {sh, sw, dh, dw, ...plain} = common;
  const call = (contract: string, fields: KernelCall['fields'], more: KernelCall['params'] = []): KernelCall => ({
    kind: 'kernel',
    contract,
    header: null,
    struct: `${contract.split('_')[0]}_shape`,
    fields: {...plain, ...fields},
    params: [...params, ...more],
    epilogue: epilogueOf(attrs),
  });
  const window = {kh, kw, sh, sw, dh, dw};
  if (depthwise) {
    const bytes = {x_bytes: 0, y_bytes: 0, e0_bytes: 0, e1_bytes: 0, w_bytes: Number(w.dtype === 'i8')};
    return call('depthwise_f32', {c: oc, ...window, ...bytes});
  }
  if (way === 'direct') return call(contractFor(w.dtype), {oc: oc / groups, ic, groups, ...window, ...weightFields(attrs, w)});
  const m = winogradTile[way];
  const sizes = {oh: y.shape[2]!, ow: y.shape[3]!, kh, kw, ic, oc};
  const tiles = tilesTogether(sizes, m);
  const scratch = context.scratch(scratchElements(sizes, m, tiles));
  return call(kh === kw ? 'winograd_f32' : `winograd_${kh}x${kw}_f32`, {oc, ic, m, tiles}, [
    {name: 'scratch', role: 'write', view: scratch},
  ]);
}

/** Several ways for plain kernels of 3x3, 1x3 and 3x1, one for all others. */
function wayOf(context: KernelContext<ConvolutionAttrs>, y: readonly number[]): ConvolutionWay {
  const {attrs, types} = context;
  const [oc, ic, kh, kw] = types[1]!.shape as [number, number, number, number];
  const plain = attrs.groups === 1 && [...attrs.strides, ...attrs.dilations].every(n => n === 1);
  if (!plain || types[1]!.dtype !== 'f32') return 'direct';
  return context.choose('conv2d_f32', {n: y[0]!, oh: y[2]!, ow: y[3]!, kh, kw, oc, ic}, waysFor(kh, kw));
}
