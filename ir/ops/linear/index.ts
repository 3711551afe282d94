/** Fully connected layer: y[n][o] = epilogue(b[o] + sum x[n][i] * w[o][i]). ONNX's Gemm and MatMul by a constant end here. */
import {defineOp, type KernelContext, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {applyEpilogue, epilogueOf} from '../common/epilogue.js';
import {type LinearAttrs, linearCall, linearMacs, linearRules, linearShape, linearSums} from '../common/linear.js';
import {contractFor, firstExtra, packedOperands, weightFields, weightParams, weightRules, widened} from '../common/weights.js';

export const linear: OpDef<LinearAttrs> = defineOp<LinearAttrs>({
  name: 'linear',
  summary: 'y[...][o] = epilogue(b[o] + sum x[...][i] * w[o][i])',
  operands: ['x', 'w', 'b?', 'e*'],
  defaults: {epilogue: ''},
  rules: [...linearRules('linear'), ...weightRules<LinearAttrs>('linear')],
  infer: call => [{dtype: typeAt(call, 0).dtype, shape: linearShape(call)}],
  evaluate: (call, inputs) => {
    const operands = inputs.with(1, widened(call.attrs, tensorAt(inputs, 1), inputs[3]));
    return [applyEpilogue(call.attrs, linearSums(call, operands, typeAt(call, 0).dtype), inputs.slice(firstExtra(call)))];
  },
  macs: linearMacs,
  kernel: {
    layout: 'row-major',
    free: packedOperands,
    extras: firstExtra,
    inPlace: call => [0, 1].map(i => firstExtra(call) + i),
    lower: lowerLinear,
  },
});

function lowerLinear(context: KernelContext<LinearAttrs>): KernelCall {
  const w = context.types[1]!;
  const {fields, params} = linearCall(context, weightParams(context, 1));
  return {
    kind: 'kernel',
    contract: contractFor(w.dtype),
    header: null,
    struct: 'conv2d_shape',
    fields: {...fields, kh: 1, kw: 1, ...weightFields(context.attrs, w)},
    params,
    epilogue: epilogueOf(context.attrs),
  };
}
