/** Fully connected layer of bytes: y[n][o] = epilogue(b[o] + sum x[n][i] * w[o][i]); the sums are whole numbers and exact. */
import {defineOp, type KernelContext, type OpDef} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {realOf} from '../../vector.js';
import {againFields, byteFields, byteParams, byteRules, resultType} from '../common/bytes.js';
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
  integer: () => true,
  kernel: {layout: 'row-major', dtypes: ['u8'], free: () => [1, 2], extras: () => 3, inPlace: () => [3, 4], lower: lowerLinearU8},
});

function lowerLinearU8(context: KernelContext<EpilogueAttrs>): KernelCall {
  const [, ic] = context.types[1]!.shape as [number, number];
  const weights = byteParams(context, 1, false);
  const {fields, params} = linearCall(context, weights.params);
  const own = {rows: 1, cols: 1, run: ic, ...againFields(weights.again, ({first}) => first)};
  return {
    kind: 'kernel',
    contract: 'conv2d_u8',
    header: null,
    struct: 'conv2d_u8_shape',
    fields: {...fields, ...own, ...byteFields(params)},
    params,
    epilogue: realOf(epilogueOf(context.attrs)),
  };
}
