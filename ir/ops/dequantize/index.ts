/** Small integers as real numbers: (x - zero point) * scale. */
import type {OnnxCall, OpDef} from '../../op.js';
import {filled} from '../../tensor.js';
import type {Value} from '../../types.js';
import {affineOf, limits} from '../common/quantization.js';
import {elementwise} from '../elementwise/define.js';
import {reshapeTo} from '../reshape/index.js';

/** The zero point is a real number too; the result has the type of the scale. */
export const dequantize: OpDef = elementwise({
  name: 'dequantize',
  operands: ['x', 'scale', 'zero'],
  expression: (_, [, scale]) => `mul(sub(${scale}(x0), x2), x1)`,
  fromOnnx: {DequantizeLinear: importDequantize},
});

function importDequantize(onnx: OnnxCall): readonly Value[] {
  const {x, scale, zero, shape} = affineOf(onnx);
  if (!limits[x.type.dtype]) onnx.unsupported(`DequantizeLinear of ${x.type.dtype}`);
  const offset = zero ?? onnx.literal(filled(scale.type.dtype, [], 0));
  return reshapeTo(onnx, onnx.emit(dequantize, [x, scale, offset], {})[0], shape);
}
