/** Running sums or products along an axis. */
import {defineOp, type KernelContext, type OnnxCall, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {convert} from '../../scalar/convert.js';
import {elements, numberAt, setElement, zeros} from '../../tensor.js';
import type {Value} from '../../types.js';
import {ownKernel} from '../common/call.js';
import {axisOf} from '../reshape/index.js';

export type CumulativeAttrs = {
  /** sum or prod. */
  readonly kind: string;
  readonly axis: number;
  /** The element itself does not count. */
  readonly exclusive: boolean;
  /** From the end. */
  readonly reverse: boolean;
};

export const cumulative: OpDef<CumulativeAttrs> = defineOp<CumulativeAttrs>({
  name: 'cumulative',
  summary: 'y[k] = x[0] + ... + x[k] along an axis, or the product of these',
  operands: ['x'],
  defaults: {exclusive: false, reverse: false},
  rules: [
    {id: 'cumulative.kind', says: 'kind is sum or prod', holds: ({attrs: {kind}}) => kind === 'sum' || kind === 'prod'},
    {
      id: 'cumulative.axis',
      says: 'axis is one of x',
      holds: ({attrs: {axis}, inputs: [x]}) => axis >= 0 && axis < (x?.shape.length ?? 0),
    },
  ],
  infer: call => [typeAt(call, 0)],
  evaluate: ({attrs: {kind, axis, exclusive, reverse}}, inputs) => {
    const x = tensorAt(inputs, 0);
    const y = zeros(x.dtype, x.shape);
    const real = x.dtype === 'f32' || x.dtype === 'f64';
    const neutral = kind === 'sum' ? 0 : 1;
    const [size, inner] = [x.shape[axis]!, elements(x.shape.slice(axis + 1))];
    for (let at = 0; at < x.data.length; at++) {
      const k = Math.floor(at / inner) % size;
      const counts = (i: number): boolean => (i === k ? !exclusive : reverse ? i > k : i < k);
      const places = Array.from({length: size}, (_, i) => i).filter(counts);
      const flat = places.map(i => at + (i - k) * inner);
      const whole = (): bigint =>
        flat.map(i => BigInt(x.data[i]!)).reduce((a, b) => (kind === 'sum' ? a + b : a * b), BigInt(neutral));
      const float = (): number => flat.map(i => numberAt(x, i)).reduce((a, b) => (kind === 'sum' ? a + b : a * b), neutral);
      setElement(y, at, real ? float() : convert(whole(), x.dtype, x.dtype));
    }
    return [y];
  },
  fromOnnx: {CumSum: onnx => importCumulative(onnx, 'sum'), CumProd: onnx => importCumulative(onnx, 'prod')},
  kernel: {layout: 'row-major', dtypes: ['f32', 'f64', 'i32', 'u32', 'i64', 'u64'], inPlace: () => [0], lower: lowerCumulative},
});

function importCumulative(onnx: OnnxCall, kind: string): readonly Value[] {
  const x = onnx.input(0);
  const axis = axisOf(onnx, numberAt(onnx.constant(1, 'the axis'), 0), x.type.shape.length);
  const [exclusive, reverse] = [onnx.int('exclusive', 0) !== 0, onnx.int('reverse', 0) !== 0];
  return onnx.emit(cumulative, [x], {kind, axis, exclusive, reverse});
}

function lowerCumulative({attrs: {kind, axis, exclusive, reverse}, inputs, outputs}: KernelContext<CumulativeAttrs>): KernelCall {
  const [x, y] = [inputs[0]!.view(), outputs[0]!];
  const [outer, inner] = [elements(x.shape.slice(0, axis)), elements(x.shape.slice(axis + 1))];
  const fields = {outer, size: x.shape[axis]!, inner, exclusive: Number(exclusive), reverse: Number(reverse)};
  return ownKernel('cumulative', `cumulative_${kind}_${x.dtype}`, fields, {x}, {y});
}
