/** Normalization by stored statistics, per channel of axis 1 (Ioffe & Szegedy 2015), inference form. */
import type {OnnxCall, OpDef} from '../../op.js';
import {printNumber} from '../../scalar/text.js';
import type {Value} from '../../types.js';
import {elementwise} from '../elementwise/define.js';
import {map} from '../map/index.js';
import {reduceAlong} from '../reduce/index.js';
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
  if (onnx.opset < 7 && onnx.int('is_test', 0) === 0)
    onnx.unsupported('training mode', 'export the model for inference (model.eval())');
  if (onnx.opset < 9 && onnx.int('spatial', 1) === 0) onnx.unsupported('spatial = 0', 'convert the model to opset 9 or later');
  if (onnx.int('training_mode', 0) !== 0) return standardized(onnx);
  return onnx.emit(batchnorm, [onnx.input(0), ...[1, 2, 3, 4].map(i => perChannel(onnx, i))], epsilonOf(onnx));
}

const epsilonOf = (onnx: OnnxCall): BatchnormAttrs => ({epsilon: onnx.float('epsilon', 1e-5)});

/** An operand of one element per channel, so that it broadcasts along axis 1 of x. */
function perChannel(onnx: OnnxCall, index: number): Value {
  const operand = onnx.input(index);
  const rest = onnx.input(0).type.shape.slice(2);
  return reshapeTo(onnx, operand, [operand.type.shape[0]!, ...rest.map(() => 1)])[0];
}

/**
 * Statistics of x itself. Of constants that is a way to standardize weights; of the input it would mix a batch. Further
 * outputs are the stored statistics, moved towards these.
 */
function standardized(onnx: OnnxCall): readonly Value[] {
  const x = onnx.input(0);
  if (onnx.constantOrNull(0) === null) onnx.unsupported('training mode', 'export the model for inference (model.eval())');
  const others = x.type.shape.map((_, axis) => axis).filter(axis => axis !== 1);
  const mean = reduceAlong(onnx, x, 'mean', others, true);
  const [squares] = onnx.emit(map, [x, mean], {expression: 'mul(sub(x0, x1), sub(x0, x1))'});
  const variance = reduceAlong(onnx, squares, 'mean', others, true);
  const [y] = onnx.emit(batchnorm, [x, ...[1, 2].map(i => perChannel(onnx, i)), mean, variance], epsilonOf(onnx));
  const momentum = printNumber(onnx.float('momentum', Math.fround(0.9)));
  const moved = [mean, variance].map((current, i) => {
    const stored = onnx.input(3 + i);
    const expression = `add(mul(x0, ${momentum}), mul(x1, sub(1, ${momentum})))`;
    return onnx.emit(map, [stored, ...reshapeTo(onnx, current, stored.type.shape)], {expression})[0];
  });
  return [y, ...moved];
}
