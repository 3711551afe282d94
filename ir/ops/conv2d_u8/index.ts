/**
 * 2-D convolution of bytes: y = epilogue(b[o] + sum x[n][g*I + i][p*sh + r*dh - top][q*sw + s*dw - left] * w[o][i][r][s]).
 * The sums are whole numbers and exact. Around the image stands `outside`: the zero point of x, whose part b has taken off.
 */
import {type Call, defineOp, type KernelContext, type OpDef} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {tensorOf} from '../../tensor.js';
import {againFields, byteFields, byteRules, foursBeyond, realOf, resultType} from '../common/bytes.js';
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

/** `outside`: a whole number from 0 to 255. */
export type Conv2dU8Attrs = ConvolutionAttrs & {readonly outside: number};

export const conv2dU8: OpDef<Conv2dU8Attrs> = defineOp<Conv2dU8Attrs>({
  name: 'conv2d_u8',
  summary: 'conv2d of bytes with exact sums: epilogue(b[o] + sum x[n][i][..] * w[o][i][r][s]), `outside` around the image',
  operands: ['x', 'w', 'b?', 'e*'],
  defaults: {...convolutionDefaults, outside: 0},
  rules: [
    ...convolutionRules<Conv2dU8Attrs>('conv2d_u8'),
    // A sum of few products is exact in f32, too, and channels side by side have nothing to add up.
    ...byteRules<Conv2dU8Attrs>('conv2d_u8', call => (isDepthwise(call) ? ['f32'] : ['i8', 'i16'])),
    {
      id: 'conv2d_u8.outside',
      says: 'outside is a whole number from 0 to 255',
      holds: ({attrs: {outside}}) => Number.isInteger(outside) && outside >= 0 && outside <= 255,
    },
  ],
  infer: call => [{dtype: resultType(call), shape: convolutionShape(call)}],
  evaluate: (call, inputs) => [applyEpilogue(call.attrs, convolve(call, inputs, call.attrs.outside, 'f32'), inputs.slice(3))],
  macs: convolutionMacs,
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
  const [w, b] = [types[1]!, inputs[2]?.constant ?? null];
  const [oc, ic, kh, kw] = w.shape as [number, number, number, number];
  const {groups} = attrs;
  const [x, y] = [inputs[0]!.view(), outputs[0]!];
  const depthwise = isDepthwise({attrs, inputs: types});
  // A kernel row is one run of bytes where neither columns nor images leave gaps in it: fewer groups of four are part empty.
  const rows = groups === 1 && attrs.dilations[1] === 1 && x.strides[3] === ic;
  const constant = inputs[1]!.constant;
  const again = depthwise || !constant ? [] : foursBeyond(tensorOf(w.dtype, w.shape, constant.blob.bytes), rows);
  const weights = context.weight(
    constant,
    w,
    depthwise ? {kind: 'depthwise-panels'} : {kind: 'byte-panels', groups, rows, again},
  );
  const biasType = {dtype: depthwise ? 'f32' : 'i32', shape: [oc]} as const;
  const bias = context.weight(b, biasType, {kind: 'bias-panels', groups: depthwise ? 1 : groups});
  const {fields, params} = convolutionCall(context, [kh, kw], {
    ...{x, y},
    weights: [
      {name: 'w', role: 'read', view: weights},
      {name: 'b', role: 'read', view: bias},
    ],
  });
  const contract = depthwise ? 'depthwise' : 'conv2d_u8';
  const own = depthwise
    ? {c: oc, kh, kw, x_bytes: 1}
    : {
        ...{oc: oc / groups, ic, groups, rows: kh, cols: rows ? 1 : kw, run: rows ? kw * ic : ic},
        ...againFields(again, ({run, first}) => {
          const [row, column] = rows ? [run, 0] : [Math.floor(run / kw), run % kw];
          return row * fields.dh * x.strides[2]! + column * fields.dw * x.strides[3]! + first;
        }),
      };
  return {
    kind: 'kernel',
    contract: depthwise ? 'depthwise_f32' : 'conv2d_u8',
    header: null,
    struct: `${contract}_shape`,
    fields: {...fields, ...own, ...byteFields(params)},
    params,
    epilogue: realOf(epilogueOf(attrs)),
  };
}
