/** Fully connected layer: y[n][o] = epilogue(b[o] + sum x[n][i] * w[o][i]). ONNX's Gemm and MatMul by a constant end here. */
import {defineOp, type KernelContext, type OpDef, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {applyEpilogue, type EpilogueAttrs, epilogueOf} from '../common/epilogue.js';
import {linearCall, linearMacs, linearRules, linearShape, linearSums} from '../common/linear.js';

export const linear: OpDef<EpilogueAttrs> = defineOp<EpilogueAttrs>({
  name: 'linear',
  summary: 'y[...][o] = epilogue(b[o] + sum x[...][i] * w[o][i])',
  operands: ['x', 'w', 'b?', 'e*'],
  defaults: {epilogue: ''},
  rules: linearRules('linear'),
  infer: call => [{dtype: typeAt(call, 0).dtype, shape: linearShape(call)}],
  evaluate: (call, inputs) => [applyEpilogue(call.attrs, linearSums(call, inputs, typeAt(call, 0).dtype), inputs.slice(3))],
  macs: linearMacs,
  kernel: {layout: 'row-major', free: () => [1, 2], extras: 3, inPlace: () => [3, 4], lower: lowerLinear},
});

function lowerLinear(context: KernelContext<EpilogueAttrs>): KernelCall {
  const [w, b] = [context.inputs[1]!.constant, context.inputs[2]?.constant ?? null];
  const type = context.types[1]!;
  const weights = context.weight(w, type, {kind: 'panels', groups: 1});
  const bias = context.weight(b, {dtype: type.dtype, shape: [type.shape[0]!]}, {kind: 'bias-panels', groups: 1});
  const {fields, params} = linearCall(context, weights, bias);
  return {
    kind: 'kernel',
    contract: 'conv2d_f32',
    header: null,
    struct: 'conv2d_shape',
    fields: {...fields, kh: 1, kw: 1},
    params,
    epilogue: epilogueOf(context.attrs),
  };
}
