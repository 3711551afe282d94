/** Operands one after the other along an axis. Where the planner can, each operand is written straight into its place. */
import {type Call, defineOp, type OpDef, tensorAt, typeAt} from '../../op.js';
import {zeros} from '../../tensor.js';
import {dot, forEachIndex, stridesOf} from '../common/broadcast.js';
import {axisOf} from '../reshape/index.js';

export type ConcatAttrs = {readonly axis: number};

const starts = ({attrs, inputs}: Call<ConcatAttrs>): readonly number[] => {
  const sizes = inputs.map(type => type!.shape[attrs.axis]!);
  return sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0));
};

export const concat: OpDef<ConcatAttrs> = defineOp<ConcatAttrs>({
  name: 'concat',
  summary: 'the operands one after the other along an axis',
  operands: ['x*'],
  defaults: {},
  rules: [
    {
      id: 'concat.shapes',
      says: 'the operands have one type and agree in every axis but the concatenated one',
      holds: ({attrs: {axis}, inputs}) =>
        inputs.length > 0 &&
        inputs.every(
          type =>
            type?.dtype === inputs[0]?.dtype &&
            type?.shape.length === inputs[0]?.shape.length &&
            type?.shape.every((size, i) => i === axis || size === inputs[0]!.shape[i]),
        ),
    },
  ],
  infer: call => {
    const {dtype, shape} = typeAt(call, 0);
    const total = call.inputs.reduce((sum, type) => sum + type!.shape[call.attrs.axis]!, 0);
    return [{dtype, shape: shape.map((size, i) => (i === call.attrs.axis ? total : size))}];
  },
  evaluate: (call, inputs) => {
    const [type] = concat.infer(call);
    const y = zeros(type!.dtype, type!.shape);
    const strides = stridesOf(y.shape);
    starts(call).forEach((start, i) => {
      const x = tensorAt(inputs, i);
      forEachIndex(x.shape, (index, flat) => {
        y.data[dot(index, strides) + start * strides[call.attrs.axis]!] = x.data[flat]!;
      });
    });
    return [y];
  },
  fromOnnx: {
    Concat: onnx => {
      const parts = onnx.inputs
        .map((_, i) => onnx.input(i))
        .filter(part => part.type.shape.length !== 1 || part.type.shape[0] !== 0);
      const [first] = parts;
      if (!first) return [onnx.input(0)];
      const axis = axisOf(onnx, onnx.int('axis', onnx.opset < 4 ? 1 : undefined), first.type.shape.length);
      return parts.length === 1 ? [first] : onnx.emit(concat, parts, {axis});
    },
  },
  place: (call, output) =>
    starts(call).map((start, i) => ({
      ...output,
      shape: call.inputs[i]!.shape,
      offset: output.offset + start * output.strides[call.attrs.axis]!,
    })),
});
