/** ONNX's OneHot: a comparison with 0, 1, ... along a new axis. No op of its own. */
import type {FromOnnx, OnnxCall} from '../../op.js';
import {numberAt, tensorFrom} from '../../tensor.js';
import type {Value} from '../../types.js';
import {cast} from '../elementwise/index.js';
import {map} from '../map/index.js';
import {axisOf, reshapeTo} from '../reshape/index.js';
import {sliceAxis} from '../slice/index.js';

export const onehotImporters: Readonly<Record<string, FromOnnx>> = {OneHot: importOneHot};

/** An index outside [-depth, depth) selects nothing. */
function importOneHot(onnx: OnnxCall): readonly Value[] {
  const [indices, values] = [onnx.input(0), onnx.input(2)];
  const depth = numberAt(onnx.constant(1, 'the depth'), 0);
  const rank = indices.type.shape.length + 1;
  const axis = axisOf(onnx, onnx.int('axis', -1), rank);
  if (values.type.shape.length !== 1 || values.type.shape[0] !== 2) onnx.invalid('values must be [off, on]');
  const [whole] = indices.type.dtype === 'i64' ? [indices] : onnx.emit(cast, [indices], {to: 'i64'});
  const [chosen] = reshapeTo(onnx, whole, indices.type.shape.toSpliced(axis, 0, 1));
  const places = tensorFrom(
    'i64',
    [depth, ...new Array<number>(rank - 1 - axis).fill(1)],
    Array.from({length: depth}, (_, i) => i),
  );
  const [off, on] = [sliceAxis(onnx, values, 0, 0, 1), sliceAxis(onnx, values, 0, 1, 1)];
  const expression = `select(eq(select(lt(x0, 0), add(x0, ${depth}), x0), x1), x2, x3)`;
  return onnx.emit(map, [chosen, onnx.literal(places), on, off], {expression});
}
