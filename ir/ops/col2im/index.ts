/** ONNX's Col2Im: blocks of an image, one per column, put back and added up where they overlap. A scattering; no op of its own. */
import type {FromOnnx, OnnxCall} from '../../op.js';
import {elements, numbersOf, tensorFrom, zeros} from '../../tensor.js';
import type {Value} from '../../types.js';
import {dot, forEachIndex, stridesOf} from '../common/broadcast.js';
import {windowCount} from '../common/window.js';
import {reshapeTo} from '../reshape/index.js';
import {scatter} from '../scatter/index.js';
import {sliceAxis} from '../slice/index.js';
import {transposeTo} from '../transpose/index.js';

export const col2imImporters: Readonly<Record<string, FromOnnx>> = {Col2Im: importCol2Im};

/** x [n][c * block][count] -> [n][c][...image]. Rows of the scattering are pixels, with all images and channels inside. */
function importCol2Im(onnx: OnnxCall): readonly Value[] {
  const x = onnx.input(0);
  const [image, block] = [numbersOf(onnx.constant(1, 'the image shape')), numbersOf(onnx.constant(2, 'the block shape'))];
  const ones = block.map(() => 1);
  const [strides, dilations] = [onnx.ints('strides', ones), onnx.ints('dilations', ones)];
  const pads = onnx.ints('pads', [...ones, ...ones].fill(0));
  const counts = windowCount({kernel: block, strides, dilations, pads}, image);
  const [n, rows, columns] = x.type.shape as [number, number, number];
  const channels = rows / elements(block);
  if (x.type.shape.length !== 3 || !Number.isInteger(channels) || columns !== elements(counts))
    onnx.invalid(`x is [${x.type.shape}], but an image of [${image}] has ${elements(counts)} blocks of [${block}]`);
  // Cells in the padding go to one more pixel, which is cut off.
  const steps = stridesOf(image);
  const places: number[] = [];
  forEachIndex([...block, ...counts], index => {
    const at = image.map(
      (_, axis) => index[axis + block.length]! * strides[axis]! + index[axis]! * dilations[axis]! - pads[axis]!,
    );
    places.push(at.every((i, axis) => i >= 0 && i < image[axis]!) ? dot(at, steps) : elements(image));
  });
  const [apart] = reshapeTo(onnx, x, [n, channels, places.length]);
  const updates = transposeTo(onnx, apart, [2, 0, 1]);
  const start = onnx.literal(zeros(x.type.dtype, [elements(image) + 1, n, channels]));
  const indices = onnx.literal(tensorFrom('i64', [places.length], places));
  const [sums] = onnx.emit(scatter, [start, indices, updates], {reduction: 'add'});
  const pixels = transposeTo(onnx, sliceAxis(onnx, sums, 0, 0, elements(image)), [1, 2, 0]);
  return reshapeTo(onnx, pixels, [n, channels, ...image]);
}
