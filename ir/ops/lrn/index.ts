/** Local response normalization across channels (Krizhevsky et al. 2012). Runs along channels. */

import {defineOp, type KernelContext, type OnnxCall, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {elements, numberAt, setElement, zeros} from '../../tensor.js';
import type {Value} from '../../types.js';
import {imageStrides, ownKernel} from '../common/call.js';
import {reshapeTo} from '../reshape/index.js';

/** `size` channels around each: of an even size, one more after than before. */
export type LrnAttrs = {readonly size: number; readonly alpha: number; readonly beta: number; readonly bias: number};

const around = (size: number): {before: number; after: number} => ({
  before: Math.floor((size - 1) / 2),
  after: Math.ceil((size - 1) / 2),
});

export const lrn: OpDef<LrnAttrs> = defineOp<LrnAttrs>({
  name: 'lrn',
  summary: 'y[c] = x[c] / (bias + alpha / size * sum of x^2 over size channels around c) ^ beta',
  operands: ['x'],
  defaults: {},
  rules: [
    {id: 'lrn.rank', says: 'x is [n][c][h][w]', holds: ({inputs: [x]}) => x?.shape.length === 4},
    {id: 'lrn.size', says: 'size is a positive integer', holds: ({attrs: {size}}) => Number.isInteger(size) && size > 0},
  ],
  infer: call => [typeAt(call, 0)],
  evaluate: ({attrs: {size, alpha, beta, bias}}, inputs) => {
    const x = tensorAt(inputs, 0);
    const y = zeros(x.dtype, x.shape);
    const [channels, image] = [x.shape[1]!, x.shape[2]! * x.shape[3]!];
    const {before, after} = around(size);
    for (let at = 0; at < x.data.length; at++) {
      const c = Math.floor(at / image) % channels;
      let sum = 0;
      for (let k = Math.max(0, c - before); k <= Math.min(channels - 1, c + after); k++)
        sum += numberAt(x, at + (k - c) * image) ** 2;
      setElement(y, at, numberAt(x, at) / (bias + (alpha / size) * sum) ** beta);
    }
    return [y];
  },
  fromOnnx: {LRN: importLrn},
  kernel: {layout: 'channels-last', lower: lowerLrn},
});

/** Any number of spatial axes is an image of one row. */
function importLrn(onnx: OnnxCall): readonly Value[] {
  const x = onnx.input(0);
  const {shape} = x.type;
  if (shape.length < 2) onnx.invalid(`x is [${shape}], which has no channels`);
  const attrs = {
    size: onnx.int('size'),
    alpha: onnx.float('alpha', 1e-4),
    beta: onnx.float('beta', 0.75),
    bias: onnx.float('bias', 1),
  };
  const [image] = shape.length === 4 ? [x] : reshapeTo(onnx, x, [shape[0]!, shape[1]!, 1, elements(shape.slice(2))]);
  return reshapeTo(onnx, onnx.emit(lrn, [image], attrs)[0], shape);
}

function lowerLrn({attrs: {size, alpha, beta, bias}, inputs, outputs}: KernelContext<LrnAttrs>): KernelCall {
  const [x, y] = [inputs[0]!.view(), outputs[0]!];
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const fields = {n, h, w, c, ...imageStrides(x, y), ...around(size), alpha: alpha / size, beta, bias};
  return ownKernel('lrn', 'lrn_f32', fields, {x}, {y});
}
