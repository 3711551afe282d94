/** Fully connected layer of bytes: y[n][o] = epilogue(b[o] + sum x[n][i] * w[o][i]); the sums are whole numbers and exact. */
import {defineOp, type KernelContext, type OpDef} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {tensorOf} from '../../tensor.js';
import {againFields, byteFields, byteRules, foursBeyond, realOf, resultType} from '../common/bytes.js';
import {applyEpilogue, type EpilogueAttrs, epilogueOf} from '../common/epilogue.js';
import {linearCall, linearMacs, linearRules, linearShape, linearSums} from '../common/linear.js';

export const linearU8: OpDef<EpilogueAttrs> = defineOp<EpilogueAttrs>({
  name: 'linear_u8',
  summary: 'linear of bytes with exact sums: epilogue(b[o] + sum x[...][i] * w[o][i])',
  operands: ['x', 'w', 'b?', 'e*'],
  defaults: {epilogue: ''},
  rules: [...linearRules('linear_u8'), ...byteRules<EpilogueAttrs>('linear_u8', () => ['i8', 'i16'])],
  infer: call => [{dtype: resultType(call), shape: linearShape(call)}],
  evaluate: (call, inputs) => [applyEpilogue(call.attrs, linearSums(call, inputs, 'f32'), inputs.slice(3))],
  macs: linearMacs,
  kernel: {layout: 'row-major', dtypes: ['u8'], free: () => [1, 2], extras: () => 3, inPlace: () => [3, 4], lower: lowerLinearU8},
});

function lowerLinearU8(context: KernelContext<EpilogueAttrs>): KernelCall {
  const type = context.types[1]!;
  const [oc, ic] = type.shape as [number, number];
  const constant = context.inputs[1]!.constant;
  const again = constant ? foursBeyond(tensorOf(type.dtype, type.shape, constant.blob.bytes), false) : [];
  const weights = context.weight(constant, type, {kind: 'byte-panels', groups: 1, rows: false, again});
  const bias = context.weight(context.inputs[2]?.constant ?? null, {dtype: 'i32', shape: [oc]}, {kind: 'bias-panels', groups: 1});
  const {fields, params} = linearCall(context, [
    {name: 'w', role: 'read', view: weights},
    {name: 'b', role: 'read', view: bias},
  ]);
  return {
    kind: 'kernel',
    contract: 'conv2d_u8',
    header: null,
    struct: 'conv2d_u8_shape',
    fields: {...fields, rows: 1, cols: 1, run: ic, ...againFields(again, ({first}) => first), ...byteFields(params)},
    params,
    epilogue: realOf(epilogueOf(context.attrs)),
  };
}
