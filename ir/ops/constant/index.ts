/** ONNX operators that a static shape turns into constants: no op of their own remains in the IR. */
import type {FromOnnx, OnnxCall} from '../../op.js';
import {elements, filled, numberAt, numbersOf, setElement, type Tensor, tensorFrom, zeros} from '../../tensor.js';
import type {DType} from '../../types.js';

export const constantImporters: Readonly<Record<string, FromOnnx>> = {
  Constant: onnx => [onnx.literal(constantTensor(onnx))],
  ConstantOfShape: onnx => {
    const value = onnx.has('value') ? onnx.tensor('value') : zeros('f32', [1]);
    const shape = numbersOf(onnx.constant(0, 'the shape'));
    const tensor = zeros(value.dtype, shape);
    tensor.data.fill(value.data[0] as never);
    return [onnx.literal(tensor)];
  },
  Shape: onnx => {
    const {shape} = onnx.input(0).type;
    const clamp = (at: number): number => Math.min(Math.max(at < 0 ? at + shape.length : at, 0), shape.length);
    const part = shape.slice(clamp(onnx.int('start', 0)), clamp(onnx.int('end', shape.length)));
    return [onnx.literal(tensorFrom('i64', [part.length], part))];
  },
  Size: onnx => [onnx.literal(filled('i64', [], elements(onnx.input(0).type.shape)))],
  Range: onnx => {
    const operands = [onnx.constant(0, 'the start'), onnx.constant(1, 'the limit'), onnx.constant(2, 'the step')] as const;
    const [start, limit, delta] = operands.map(tensor => numberAt(tensor, 0)) as [number, number, number];
    const count = Math.max(0, Math.ceil((limit - start) / delta));
    return [
      onnx.literal(
        tensorFrom(
          operands[0].dtype,
          [count],
          Array.from({length: count}, (_, i) => start + i * delta),
        ),
      ),
    ];
  },
  EyeLike: onnx => {
    const {shape, dtype} = onnx.input(0).type;
    const k = onnx.int('k', 0);
    const tensor = zeros(onnx.has('dtype') ? typeOr(onnx, onnx.int('dtype')) : dtype, shape);
    const [rows, columns] = shape as [number, number];
    for (let row = 0; row < rows; row++) if (row + k >= 0 && row + k < columns) setElement(tensor, row * columns + row + k, 1);
    return [onnx.literal(tensor)];
  },
};

const typeOr = (onnx: OnnxCall, type: number): DType => onnx.dtypeOf(type) ?? onnx.unsupported(`ONNX element type ${type}`);

function constantTensor(onnx: OnnxCall): Tensor {
  if (onnx.has('value')) return onnx.tensor('value');
  if (onnx.has('value_float')) return filled('f32', [], onnx.float('value_float'));
  if (onnx.has('value_int')) return filled('i64', [], onnx.int('value_int'));
  if (onnx.has('value_floats')) return tensorFrom('f32', [onnx.floats('value_floats').length], onnx.floats('value_floats'));
  if (onnx.has('value_ints')) return tensorFrom('i64', [onnx.ints('value_ints').length], onnx.ints('value_ints'));
  return onnx.unsupported('a sparse or string constant');
}
