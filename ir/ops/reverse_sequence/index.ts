/** ONNX's ReverseSequence: the first elements of each sequence of a batch, as many as its length says, in reverse. No op of its own. */
import type {FromOnnx, OnnxCall} from '../../op.js';
import {tensorFrom} from '../../tensor.js';
import type {Value} from '../../types.js';
import {cast} from '../elementwise/index.js';
import {gather} from '../gather/index.js';
import {map} from '../map/index.js';
import {axisOf, reshapeTo} from '../reshape/index.js';

export const reverseSequenceImporters: Readonly<Record<string, FromOnnx>> = {ReverseSequence: importReverse};

/** x is [time][batch][...] or [batch][time][...]: a table of rows, gathered in a computed order. */
function importReverse(onnx: OnnxCall): readonly Value[] {
  const [x, lengths] = [onnx.input(0), onnx.input(1)];
  const {shape} = x.type;
  const [time, batch] = [
    axisOf(onnx, onnx.int('time_axis', 0), shape.length),
    axisOf(onnx, onnx.int('batch_axis', 1), shape.length),
  ];
  if (time + batch !== 1) onnx.invalid(`time_axis is ${time} and batch_axis ${batch}, not 0 and 1 or 1 and 0`);
  if (String(lengths.type.shape) !== String([shape[batch]])) onnx.invalid(`sequence_lens is [${lengths.type.shape}]`);
  const places = (axis: number) => {
    const ranks = [1, 1].with(axis, shape[axis]!);
    return onnx.literal(
      tensorFrom(
        'i64',
        ranks,
        Array.from({length: shape[axis]!}, (_, i) => i),
      ),
    );
  };
  const [whole] = lengths.type.dtype === 'i64' ? [lengths] : onnx.emit(cast, [lengths], {to: 'i64'});
  const [perSequence] = reshapeTo(onnx, whole, [1, 1].with(batch, shape[batch]!));
  const from = `select(lt(x0, x1), sub(sub(x1, 1), x0), x0)`;
  const row = time === 0 ? `add(mul(${from}, ${shape[1]}), x2)` : `add(mul(x2, ${shape[1]}), ${from})`;
  const [numbers] = onnx.emit(map, [places(time), perSequence, places(batch)], {expression: row});
  const [table] = reshapeTo(onnx, x, [shape[0]! * shape[1]!, ...shape.slice(2)]);
  return onnx.emit(gather, [table, numbers], {axis: 0});
}
