/** exp(x - max) / sum along one axis, or its logarithm. */
import {defineOp, type KernelContext, type OnnxCall, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {elements, numberAt, setElement, zeros} from '../../tensor.js';
import type {Value} from '../../types.js';
import {axisOf, flatAxisOf, reshapeTo} from '../reshape/index.js';

export type SoftmaxAttrs = {readonly axis: number; readonly log: boolean};

export const softmax: OpDef<SoftmaxAttrs> = defineOp<SoftmaxAttrs>({
  name: 'softmax',
  summary: 'exp(x - max) / sum along one axis; with log, its logarithm',
  operands: ['x'],
  defaults: {log: false},
  rules: [
    {
      id: 'softmax.axis',
      says: 'axis is one of x',
      holds: ({attrs: {axis}, inputs: [x]}) => axis >= 0 && axis < (x?.shape.length ?? 0),
    },
  ],
  infer: call => [typeAt(call, 0)],
  evaluate: ({attrs: {axis, log}}, inputs) => {
    const x = tensorAt(inputs, 0);
    const y = zeros(x.dtype, x.shape);
    const [size, inner] = [x.shape[axis]!, elements(x.shape.slice(axis + 1))];
    for (let start = 0; start < x.data.length; start++) {
      if (Math.floor(start / inner) % size !== 0) continue;
      const values = Array.from({length: size}, (_, i) => numberAt(x, start + i * inner));
      const high = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      const sum = values.reduce((total, value) => total + Math.exp(value - high), 0);
      values.forEach((value, i) => {
        setElement(y, start + i * inner, log ? value - high - Math.log(sum) : Math.exp(value - high) / sum);
      });
    }
    return [y];
  },
  fromOnnx: {Softmax: onnx => importSoftmax(onnx, false), LogSoftmax: onnx => importSoftmax(onnx, true)},
  kernel: {layout: 'row-major', dtypes: ['f32', 'f64'], inPlace: () => [0], lower: lowerSoftmax},
});

/** Before opset 13 the axes from `axis` on are one (default 1). */
function importSoftmax(onnx: OnnxCall, log: boolean): readonly Value[] {
  const x = onnx.input(0);
  const {shape} = x.type;
  const axis = onnx.opset < 13 ? flatAxisOf(onnx) : axisOf(onnx, onnx.int('axis', -1), shape.length);
  if (onnx.opset >= 13) return onnx.emit(softmax, [x], {axis, log});
  const [flat] = reshapeTo(onnx, x, [elements(shape.slice(0, axis)), elements(shape.slice(axis))]);
  return reshapeTo(onnx, onnx.emit(softmax, [flat], {axis: 1, log})[0], shape);
}

function lowerSoftmax({attrs: {axis, log}, inputs, outputs}: KernelContext<SoftmaxAttrs>): KernelCall {
  const [x, y] = [inputs[0]!.view(), outputs[0]!];
  return {
    kind: 'kernel',
    contract: `softmax_${x.dtype}`,
    header: 'softmax/kernel.h',
    struct: 'softmax_shape',
    fields: {
      outer: elements(x.shape.slice(0, axis)),
      size: x.shape[axis]!,
      inner: elements(x.shape.slice(axis + 1)),
      log: Number(log),
    },
    params: [
      {name: 'x', role: 'read', view: x},
      {name: 'y', role: 'write', view: y},
    ],
    epilogue: null,
  };
}
