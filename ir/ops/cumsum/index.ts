/** Running sums along an axis. */
import {defineOp, type KernelContext, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {convert} from '../../scalar.js';
import {elements, numberAt, setElement, zeros} from '../../tensor.js';
import {axisOf} from '../reshape/index.js';

/** `exclusive`: the element itself does not count. `reverse`: from the end. */
export type CumsumAttrs = {readonly axis: number; readonly exclusive: boolean; readonly reverse: boolean};

export const cumsum: OpDef<CumsumAttrs> = defineOp<CumsumAttrs>({
  name: 'cumsum',
  summary: 'y[k] = x[0] + ... + x[k] along an axis',
  operands: ['x'],
  defaults: {exclusive: false, reverse: false},
  rules: [
    {
      id: 'cumsum.axis',
      says: 'axis is one of x',
      holds: ({attrs: {axis}, inputs: [x]}) => axis >= 0 && axis < (x?.shape.length ?? 0),
    },
  ],
  infer: call => [typeAt(call, 0)],
  evaluate: ({attrs: {axis, exclusive, reverse}}, inputs) => {
    const x = tensorAt(inputs, 0);
    const y = zeros(x.dtype, x.shape);
    const real = x.dtype === 'f32' || x.dtype === 'f64';
    const [size, inner] = [x.shape[axis]!, elements(x.shape.slice(axis + 1))];
    for (let at = 0; at < x.data.length; at++) {
      const k = Math.floor(at / inner) % size;
      const counts = (i: number): boolean => (i === k ? !exclusive : reverse ? i > k : i < k);
      const places = Array.from({length: size}, (_, i) => i).filter(counts);
      const flat = places.map(i => at + (i - k) * inner);
      const sum = real
        ? flat.reduce((total, i) => total + numberAt(x, i), 0)
        : convert(
            flat.reduce((total, i) => total + BigInt(x.data[i]!), 0n),
            x.dtype,
            x.dtype,
          );
      setElement(y, at, sum);
    }
    return [y];
  },
  fromOnnx: {
    CumSum: onnx => {
      const x = onnx.input(0);
      const axis = axisOf(onnx, numberAt(onnx.constant(1, 'the axis'), 0), x.type.shape.length);
      return onnx.emit(cumsum, [x], {axis, exclusive: onnx.int('exclusive', 0) !== 0, reverse: onnx.int('reverse', 0) !== 0});
    },
  },
  kernel: {layout: 'row-major', dtypes: ['f32', 'f64', 'i32', 'u32', 'i64', 'u64'], inPlace: () => [0], lower: lowerCumsum},
});

function lowerCumsum({attrs: {axis, exclusive, reverse}, inputs, outputs}: KernelContext<CumsumAttrs>): KernelCall {
  const [x, y] = [inputs[0]!.view(), outputs[0]!];
  const [outer, inner] = [elements(x.shape.slice(0, axis)), elements(x.shape.slice(axis + 1))];
  return {
    kind: 'kernel',
    contract: `cumsum_${x.dtype}`,
    header: 'cumsum/kernel.h',
    struct: 'cumsum_shape',
    fields: {outer, size: x.shape[axis]!, inner, exclusive: Number(exclusive), reverse: Number(reverse)},
    params: [
      {name: 'x', role: 'read', view: x},
      {name: 'y', role: 'write', view: y},
    ],
    epilogue: null,
  };
}
