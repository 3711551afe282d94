/** ONNX's AffineGrid: the points of a grid under an affine map, for GridSample. A product with constant points. No op of its own. */
import type {FromOnnx, OnnxCall} from '../../op.js';
import {elements, numbersOf, tensorFrom} from '../../tensor.js';
import type {Value} from '../../types.js';
import {forEachIndex} from '../common/broadcast.js';
import {noEpilogue} from '../common/epilogue.js';
import {matmul} from '../matmul/index.js';
import {reshapeTo} from '../reshape/index.js';
import {transposeTo} from '../transpose/index.js';

export const affineGridImporters: Readonly<Record<string, FromOnnx>> = {AffineGrid: importAffineGrid};

/** theta [n][2][3] or [n][3][4], size [n, c, ...image] -> [n][...image][2 or 3], the innermost axis (x) first. */
function importAffineGrid(onnx: OnnxCall): readonly Value[] {
  const theta = onnx.input(0);
  const [n, , ...image] = numbersOf(onnx.constant(1, 'the size'));
  const rank = image.length;
  if (rank < 2 || rank > 3) onnx.invalid(`the size has ${rank + 2} entries, not 4 or 5`);
  if (String(theta.type.shape) !== String([n, rank, rank + 1])) onnx.invalid(`theta is [${theta.type.shape}]`);
  const aligned = onnx.int('align_corners', 0) !== 0;
  // From -1 to 1: the centres of the first and last pixel, or their outer edges. A single one lies in the middle, as in PyTorch.
  const place = (i: number, size: number): number =>
    aligned ? (size > 1 ? (2 * i) / (size - 1) - 1 : 0) : (2 * i + 1) / size - 1;
  const points: number[] = [];
  forEachIndex(image, index => {
    points.push(...index.map((i, axis) => place(i, image[axis]!)).reverse(), 1);
  });
  const grid = onnx.literal(tensorFrom(theta.type.dtype, [elements(image), rank + 1], points));
  const [y] = onnx.emit(matmul, [grid, transposeTo(onnx, theta, [0, 2, 1])], noEpilogue);
  return reshapeTo(onnx, y, [n!, ...image, rank]);
}
