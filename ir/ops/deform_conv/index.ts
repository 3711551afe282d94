/**
 * ONNX's DeformConv (Dai et al. 2017; masks: Zhu et al. 2019): a convolution whose pixels lie where computed offsets say.
 * The pixels are sampled, and multiplied by the kernels as a matrix. No op of its own.
 */
import type {FromOnnx, OnnxCall} from '../../op.js';
import {elements, tensorFrom} from '../../tensor.js';
import type {Value} from '../../types.js';
import {forEachIndex} from '../common/broadcast.js';
import {noEpilogue} from '../common/epilogue.js';
import {windowCount, windowFromOnnx} from '../common/window.js';
import {add, mul} from '../elementwise/index.js';
import {gridSample} from '../grid_sample/index.js';
import {matmul} from '../matmul/index.js';
import {reshapeTo} from '../reshape/index.js';
import {transposeTo} from '../transpose/index.js';

export const deformConvImporters: Readonly<Record<string, FromOnnx>> = {DeformConv: importDeformConv};

/** x [n][c][h][w], w [o][c / group][r][s], offset [n][sets * r * s * 2][p][q], b [o], mask [n][sets * r * s][p][q]. */
function importDeformConv(onnx: OnnxCall): readonly Value[] {
  const [x, w, offset] = [onnx.input(0), onnx.input(1), onnx.input(2)];
  const [b, mask] = [onnx.inputs[3], onnx.inputs[4]];
  if (x.type.shape.length !== 4 || w.type.shape.length !== 4)
    onnx.unsupported(`DeformConv of [${x.type.shape}]`, 'only two spatial axes are supported');
  const [n, c, ...image] = x.type.shape as [number, number, number, number];
  const [outputs, perGroup, ...kernel] = w.type.shape as [number, number, number, number];
  const [groups, sets] = [onnx.int('group', 1), onnx.int('offset_group', 1)];
  const window = windowFromOnnx(onnx, image, kernel);
  const [p, q] = windowCount(window, image) as [number, number];
  const cells = elements(kernel);
  if (String(offset.type.shape) !== String([n, sets * cells * 2, p, q]) || c % sets !== 0)
    onnx.invalid(`the offsets are [${offset.type.shape}], not [${[n, sets * cells * 2, p, q]}]`);
  if (c !== groups * perGroup || outputs % groups !== 0) onnx.invalid(`x has ${c} channels, w ${perGroup} in ${groups} groups`);
  // Where each cell of each window lies without its offset: [r * s][p * q][2].
  const places: number[] = [];
  forEachIndex([...kernel, p, q], index => {
    for (const axis of [0, 1])
      places.push(index[axis + 2]! * window.strides[axis]! + index[axis]! * window.dilations[axis]! - window.pads[axis]!);
  });
  const [pairs] = reshapeTo(onnx, offset, [n * sets, cells, 2, p * q]);
  const at = onnx.literal(tensorFrom(x.type.dtype, [cells, p * q, 2], places));
  const [points] = onnx.emit(add, [transposeTo(onnx, pairs, [0, 1, 3, 2]), at], {});
  const [images] = reshapeTo(onnx, x, [n * sets, c / sets, ...image]);
  const [pixels] = onnx.emit(gridSample, [images, points], {mode: 'linear', padding: 'zeros', aligned: false});
  const weighed = mask ? onnx.emit(mul, [pixels, ...reshapeTo(onnx, mask, [n * sets, 1, cells, p * q])], {})[0] : pixels;
  const [columns] = reshapeTo(onnx, weighed, [n, groups, perGroup * cells, p * q]);
  const [kernels] = reshapeTo(onnx, w, [1, groups, outputs / groups, perGroup * cells]);
  const [product] = onnx.emit(matmul, [kernels, columns], noEpilogue);
  const [y] = reshapeTo(onnx, product, [n, outputs, p, q]);
  return b ? onnx.emit(add, [y, ...reshapeTo(onnx, b, [outputs, 1, 1])], {}) : [y];
}
