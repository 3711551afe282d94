/** Operators of com.microsoft that onnxruntime's optimizer makes of several of ONNX: here they become several again. No op of their own. */
import type {FromOnnx, OnnxCall} from '../../op.js';
import {printNumber} from '../../scalar/text.js';
import {elements} from '../../tensor.js';
import type {Value} from '../../types.js';
import {add, gelu} from '../elementwise/index.js';
import {layernorm} from '../layernorm/index.js';
import {map} from '../map/index.js';
import {productOf} from '../matmul/index.js';
import {transposeTo} from '../transpose/index.js';

export const fusedImporters: Readonly<Record<string, FromOnnx>> = {
  Gelu: onnx => onnx.emit(gelu, [onnx.input(0)], {approximate: 'none'}),
  BiasGelu: onnx => onnx.emit(gelu, [withBias(onnx, onnx.input(0), 1)], {approximate: 'none'}),
  FastGelu: onnx => onnx.emit(gelu, [withBias(onnx, onnx.input(0), 1)], {approximate: 'tanh'}),
  QuickGelu: onnx =>
    onnx.emit(map, [onnx.input(0)], {expression: `mul(x0, sigmoid(mul(x0, ${printNumber(onnx.float('alpha', 1.702))})))`}),
  SkipLayerNormalization: onnx => importSkip(onnx, true),
  SkipSimplifiedLayerNormalization: onnx => importSkip(onnx, false),
  FusedMatMul: importProduct,
};

/** The value, plus operand `index` if it is there. */
function withBias(onnx: OnnxCall, value: Value, index: number): Value {
  const bias = onnx.inputs[index] ?? null;
  return bias ? onnx.emit(add, [value, bias], {})[0] : value;
}

/** Operands: x, what is added to it, scale, with mean also a shift, and a bias of the sum. The sum is the fourth result. */
function importSkip(onnx: OnnxCall, center: boolean): readonly (Value | null)[] {
  const sum = withBias(onnx, withBias(onnx, onnx.input(0), 1), center ? 4 : 3);
  const {shape} = sum.type;
  if (String(shape) !== String(onnx.input(0).type.shape)) onnx.invalid(`the sum [${shape}] is larger than the first operand`);
  const [scale, shift] = [onnx.input(2), center ? (onnx.inputs[3] ?? null) : null];
  for (const {type} of [scale, ...(shift ? [shift] : [])])
    if (elements(type.shape) !== shape.at(-1)) onnx.invalid(`gamma and beta have not ${shape.at(-1)} elements`);
  const attrs = {axis: shape.length - 1, epsilon: onnx.float('epsilon', 1e-12), center};
  const [y] = onnx.emit(layernorm, [sum, scale, shift], attrs);
  return [y, null, null, sum];
}

/** alpha * op(A) * op(B) */
function importProduct(onnx: OnnxCall): readonly Value[] {
  if (onnx.int('transBatchA', 0) !== 0 || onnx.int('transBatchB', 0) !== 0)
    onnx.unsupported('FusedMatMul that transposes batches', 'optimize the model at a lower level, or not at all');
  const side = (index: number, attribute: string): Value => {
    const value = onnx.input(index);
    const rank = value.type.shape.length;
    if (rank < 2) onnx.unsupported('FusedMatMul of vectors', 'give them two axes');
    const perm = value.type.shape.map((_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
    return onnx.int(attribute, 0) ? transposeTo(onnx, value, perm) : value;
  };
  const y = productOf(onnx, side(0, 'transA'), side(1, 'transB'));
  const alpha = onnx.float('alpha', 1);
  return alpha === 1 ? [y] : onnx.emit(map, [y], {expression: `mul(x0, ${printNumber(alpha)})`});
}
