/** ONNX's SwiGLU: a * sigmoid(alpha * a) * b (Shazeer 2020, GLU Variants Improve Transformer). No op of its own. */
import type {FromOnnx} from '../../op.js';
import {printNumber} from '../../scalar/text.js';
import {map} from '../map/index.js';

export const swigluImporters: Readonly<Record<string, FromOnnx>> = {
  SwiGLU: onnx => {
    const [a, b] = [onnx.input(0), onnx.input(1)];
    if (String(a.type.shape) !== String(b.type.shape)) onnx.invalid(`A is [${a.type.shape}] and B is [${b.type.shape}]`);
    const alpha = printNumber(onnx.float('alpha', 1));
    return onnx.emit(map, [a, b], {expression: `mul(mul(x0, sigmoid(mul(x0, ${alpha}))), x1)`});
  },
};
