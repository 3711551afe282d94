/** Real numbers as small integers: x / scale, rounded half to even, plus the zero point, saturated. */
import type {OnnxCall, OpDef} from '../../op.js';
import {filled} from '../../tensor.js';
import type {DType, Value} from '../../types.js';
import {affineOf, limits} from '../common/quantization.js';
import {elementwise} from '../elementwise/define.js';
import {reshapeTo} from '../reshape/index.js';

/** `to`: the integer type of the result. */
export type QuantizeAttrs = {readonly to: DType};

/** The zero point is a real number too. A NaN gives the lowest integer. */
export const quantize: OpDef<QuantizeAttrs> = elementwise<QuantizeAttrs>({
  name: 'quantize',
  operands: ['x', 'scale', 'zero'],
  expression: ({to}, [x, scale]) => {
    const [low, high] = limits[to] ?? [0, 0];
    const real = x === scale ? 'x0' : `${scale}(x0)`;
    return `${to}(clamp(add(round(div(${real}, x1)), x2), ${low}, ${high}))`;
  },
  fromOnnx: {QuantizeLinear: importQuantize},
});

function importQuantize(onnx: OnnxCall): readonly Value[] {
  const {x, scale, zero, shape} = affineOf(onnx);
  const named = onnx.int('output_dtype', 0);
  const to = onnx.inputs[2]?.type.dtype ?? (named === 0 ? 'u8' : onnx.dtypeOf(named));
  if (!to || !limits[to]) onnx.unsupported(`quantization to ${to ?? `ONNX element type ${named}`}`);
  const offset = zero ?? onnx.literal(filled(scale.type.dtype, [], 0));
  return reshapeTo(onnx, onnx.emit(quantize, [x, scale, offset], {to})[0], shape);
}
