/** ONNX's MeanVarianceNormalization: (x - mean) / deviation along axes, the batch and the image by default. No op of its own. */
import type {FromOnnx} from '../../op.js';
import {map} from '../map/index.js';
import {reduceAlong} from '../reduce/index.js';
import {axisOf} from '../reshape/index.js';

export const meanVarianceImporters: Readonly<Record<string, FromOnnx>> = {
  MeanVarianceNormalization: onnx => {
    const x = onnx.input(0);
    const axes = onnx.ints('axes', [0, 2, 3]).map(axis => axisOf(onnx, axis, x.type.shape.length));
    const mean = reduceAlong(onnx, x, 'mean', axes, true);
    const [centered] = onnx.emit(map, [x, mean], {expression: 'sub(x0, x1)'});
    const [squares] = onnx.emit(map, [centered], {expression: 'mul(x0, x0)'});
    const variance = reduceAlong(onnx, squares, 'mean', axes, true);
    return onnx.emit(map, [centered, variance], {expression: 'div(x0, add(sqrt(x1), 1e-9))'});
  },
};
