/** ONNX's LpNormalization: x over its norm along an axis, 0 where the norm is 0. No op of its own. */
import type {FromOnnx} from '../../op.js';
import {map} from '../map/index.js';
import {reduceAlong} from '../reduce/index.js';
import {axisOf} from '../reshape/index.js';

export const lpnormImporters: Readonly<Record<string, FromOnnx>> = {
  LpNormalization: onnx => {
    const x = onnx.input(0);
    const p = onnx.int('p', 2);
    if (p !== 1 && p !== 2) onnx.invalid(`p is ${p}, not 1 or 2`);
    const axis = axisOf(onnx, onnx.int('axis', -1), x.type.shape.length);
    const norm = reduceAlong(onnx, x, p === 1 ? 'l1' : 'l2', [axis], true);
    return onnx.emit(map, [x, norm], {expression: 'select(eq(x1, 0), 0, div(x0, x1))'});
  },
};
