/** ONNX's Trilu: the triangle of each matrix above or below a diagonal, zeros elsewhere. No op of its own. */
import type {FromOnnx, OnnxCall} from '../../op.js';
import {filled, tensorFrom} from '../../tensor.js';
import type {Value} from '../../types.js';
import {map} from '../map/index.js';
import {reshapeTo} from '../reshape/index.js';

export const triluImporters: Readonly<Record<string, FromOnnx>> = {Trilu: importTrilu};

/** Element (row, column) stays where column >= row + k (upper) or column <= row + k (lower). */
function importTrilu(onnx: OnnxCall): readonly Value[] {
  const x = onnx.input(0);
  const [rows, columns] = x.type.shape.slice(-2) as [number, number];
  if (x.type.shape.length < 2) onnx.invalid('Trilu takes matrices');
  const k = onnx.inputs[1] ? reshapeTo(onnx, onnx.input(1), [1])[0] : onnx.literal(filled('i64', [1], 0));
  const count = (size: number, shape: readonly number[]): Value =>
    onnx.literal(
      tensorFrom(
        'i64',
        shape,
        Array.from({length: size}, (_, i) => i),
      ),
    );
  const order = onnx.int('upper', 1) ? 'le(add(x1, x3), x2)' : 'le(x2, add(x1, x3))';
  return onnx.emit(map, [x, count(rows, [rows, 1]), count(columns, [columns]), k], {expression: `select(${order}, x0, 0)`});
}
