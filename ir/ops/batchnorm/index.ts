/** Normalization by stored statistics, per channel of axis 1 (Ioffe & Szegedy 2015), inference form. */
import type {OnnxCall, OpDef} from '../../op.js';
import {printNumber} from '../../scalar.js';
import type {Value} from '../../types.js';
import {elementwise} from '../elementwise/define.js';
import {reshapeTo} from '../reshape/index.js';

export type BatchnormAttrs = {readonly epsilon: number};

/** Operands after x are [c][1][1]..., so that they broadcast along axis 1. */
export const batchnorm: OpDef<BatchnormAttrs> = elementwise<BatchnormAttrs>({
  name: 'batchnorm',
  operands: ['x', 'scale', 'shift', 'mean', 'variance'],
  defaults: {epsilon: Math.fround(1e-5)},
  expression: ({epsilon}) => `add(mul(div(sub(x0, x3), sqrt(add(x4, ${printNumber(epsilon)}))), x1), x2)`,
  fromOnnx: {BatchNormalization: importBatchnorm},
});

function importBatchnorm(onnx: OnnxCall): readonly (Value | null)[] {
  if (onnx.int('training_mode', 0) !== 0 || (onnx.opset < 7 && onnx.int('is_test', 0) === 0))
    onnx.unsupported('training mode', 'export the model for inference (model.eval())');
  if (onnx.opset < 9 && onnx.int('spatial', 1) === 0) onnx.unsupported('spatial = 0', 'convert the model to opset 9 or later');
  const x = onnx.input(0);
  const axes = x.type.shape.slice(2).map(() => 1);
  const operands = [1, 2, 3, 4].map(i => reshapeTo(onnx, onnx.input(i), [onnx.input(i).type.shape[0]!, ...axes])[0]);
  return onnx.emit(batchnorm, [x, ...operands], {epsilon: onnx.float('epsilon', 1e-5)});
}
