/**
 * 2-D convolution of bytes: y = epilogue(b[o] + sum x[n][g*I + i][p*sh + r*dh - top][q*sw + s*dw - left] * w[o][i][r][s]).
 * The sums are whole numbers and exact. Around the image stands `outside`: the zero point of x, whose part b has taken off.
 */
import {type Call, defineOp, type KernelContext, type OpDef} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {realOf} from '../../vector.js';
import {againFields, byteFields, byteParams, byteRules, depthwiseByteParams, mostTaps, resultType} from '../common/bytes.js';
import {
  type ConvolutionAttrs,
  convolutionCall,
  convolutionDefaults,
  convolutionMacs,
  convolutionRules,
  convolutionShape,
  convolve,
  depthwiseParams,
  isDepthwise,
} from '../common/convolution.js';
import {applyEpilogue, epilogueOf} from '../common/epilogue.js';
import {borderOf} from '../common/window.js';

/** `outside`: a whole number from 0 to 255. */
export type Conv2dU8Attrs = ConvolutionAttrs & {readonly outside: number};

export const conv2dU8: OpDef<Conv2dU8Attrs> = defineOp<Conv2dU8Attrs>({
  name: 'conv2d_u8',
  summary: 'conv2d of bytes with exact sums: epilogue(b[o] + sum x[n][i][..] * w[o][i][r][s]), `outside` around the image',
  operands: ['x', 'w', 'b?', 'e*'],
  defaults: {...convolutionDefaults, outside: 0},
  rules: [
    ...convolutionRules<Conv2dU8Attrs>('conv2d_u8'),
    ...byteRules<Conv2dU8Attrs>('conv2d_u8', call => (isDepthwise(call) ? ['i8', 'f32'] : ['i8', 'i16'])),
    {
      id: 'conv2d_u8.taps',
      says: `kernels of bytes that each channel has for itself have up to ${mostTaps} elements`,
      holds: call => {
        const [, w] = call.inputs;
        return !isDepthwise(call) || w?.dtype !== 'i8' || w.shape[2]! * w.shape[3]! <= mostTaps;
      },
    },
    {
      id: 'conv2d_u8.outside',
      says: 'outside is a whole number from 0 to 255',
      holds: ({attrs: {outside}}) => Number.isInteger(outside) && outside >= 0 && outside <= 255,
    },
  ],
  infer: call => [{dtype: resultType(call), shape: convolutionShape(call)}],
  evaluate: (call, inputs) => [applyEpilogue(call.attrs, convolve(call, inputs, call.attrs.outside, 'f32'), inputs.slice(3))],
  macs: convolutionMacs,
  integer: call => call.inputs[1]?.dtype !== 'f32',
  kernel: {
    layout: 'channels-last',
    dtypes: ['u8'],
    free: () => [1, 2],
    extras: () => 3,
    border: ({attrs}: Call<Conv2dU8Attrs>) => borderOf(attrs, attrs.outside),
    inPlace: () => [3, 4],
    lower: lowerConv2dU8,
  },
});

function lowerConv2dU8(context: KernelContext<Conv2dU8Attrs>): KernelCall {
  const {attrs, types, inputs, outputs} = context;
  const [oc, ic, kh, kw] = types[1]!.shape as [number, number, number, number];
  const [x, y] = [inputs[0]!.view(), outputs[0]!];
  const kernel = [kh, kw] as const;
  const call = (contract: string, struct: string, made: Pick<KernelCall, 'fields' | 'params'>): KernelCall => ({
    ...{kind: 'kernel', contract, header: null, struct, params: made.params},
    fields: {...made.fields, ...byteFields(made.params)},
    epilogue: realOf(epilogueOf(attrs)),
  });
  if (isDepthwise({attrs, inputs: types})) {
    const isBytes = types[1]!.dtype === 'i8';
    const weights = isBytes ? depthwiseByteParams(context) : depthwiseParams(context);
    const {fields, params} = convolutionCall(context, kernel, {x, y, weights});
    const contract = isBytes ? 'depthwise_u8' : 'depthwise_f32';
    return call(contract, 'depthwise_shape', {params, fields: {...fields, c: oc, kh, kw, x_bytes: 1, w_bytes: 0}});
  }
  const {groups} = attrs;
  // A kernel row is one run of bytes where neither columns nor images leave gaps in it: fewer groups of four are part empty.
  const rows = groups === 1 && attrs.dilations[1] === 1 && x.strides[3] === ic;
  const weights = byteParams(context, groups, rows);
  const {fields, params} = convolutionCall(context, kernel, {x, y, weights: weights.params});
  const again = againFields(weights.again, ({run, first}) => {
    const [row, column] = rows ? [run, 0] : [Math.floor(run / kw), run % kw];
    return row * fields.dh * x.strides[2]! + column * fields.dw * x.strides[3]! + first;
  });
  const sum = {rows: kh, cols: rows ? 1 : kw, run: rows ? kw * ic : ic};
  return call('conv2d_u8', 'conv2d_u8_shape', {params, fields: {...fields, oc: oc / groups, ic, groups, ...sum, ...again}});
}
