/** The same bits under another element type of the same width. ONNX's BitCast. */
import {defineOp, type KernelContext, type OnnxCall, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {bytesOf, bytesOfTensor, tensorOf, widthOf} from '../../tensor.js';
import type {DType, Value} from '../../types.js';
import {ownKernel} from '../common/call.js';

export type BitcastAttrs = {readonly to: DType};

/** Element types that fill their bytes; truth values can be read, but not made. Half-width floats are not held as such. */
const whole: readonly DType[] = ['f64', 'f32', 'i64', 'u64', 'i32', 'u32', 'i16', 'u16', 'i8', 'u8'];

export const bitcast: OpDef<BitcastAttrs> = defineOp<BitcastAttrs>({
  name: 'bitcast',
  summary: 'the same bits under another element type of the same width',
  operands: ['x'],
  defaults: {},
  rules: [
    {
      id: 'bitcast.width',
      says: 'both element types are equally wide; neither is a half-width float or 4-bit integer, and the new one not bool',
      holds: ({attrs: {to}, inputs: [x]}) =>
        x != null && [...whole, 'bool'].includes(x.dtype) && whole.includes(to) && widthOf(x.dtype) === widthOf(to),
    },
  ],
  infer: call => [{dtype: call.attrs.to, shape: typeAt(call, 0).shape}],
  evaluate: ({attrs: {to}}, inputs) => {
    const x = tensorAt(inputs, 0);
    return [tensorOf(to, x.shape, bytesOfTensor(x).slice())];
  },
  fromOnnx: {
    BitCast: importBitCast,
  },
  kernel: {layout: 'row-major', dtypes: [...whole, 'bool'], lower: lowerBitcast},
});

function importBitCast(onnx: OnnxCall): readonly Value[] {
  const [x, to] = [onnx.input(0), onnx.dtypeOf(onnx.int('to'))];
  if (!to || !whole.includes(to) || ![...whole, 'bool'].includes(x.type.dtype))
    return onnx.unsupported(`BitCast of ${x.type.dtype} to ${to ?? `ONNX element type ${onnx.int('to')}`}`);
  return onnx.emit(bitcast, [x], {to});
}

/** A copy of bytes, not a view: C may assume that what is written as a float is not read as an integer. */
function lowerBitcast({types, inputs, outputs}: KernelContext<BitcastAttrs>): KernelCall {
  return ownKernel('bitcast', 'bitcast', {bytes: bytesOf(types[0]!)}, {x: inputs[0]!.view()}, {y: outputs[0]!});
}
