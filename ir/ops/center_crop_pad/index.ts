/** ONNX's CenterCropPad: axes cut or filled with zeros to a given size, alike on both sides. No op of its own. */
import type {FromOnnx, OnnxCall} from '../../op.js';
import {numbersOf} from '../../tensor.js';
import type {Value} from '../../types.js';
import {placeAlong} from '../pad/index.js';
import {axisOf} from '../reshape/index.js';

export const centerCropPadImporters: Readonly<Record<string, FromOnnx>> = {CenterCropPad: importCenterCropPad};

/** Where the difference is odd, one more is cut or filled at the end. */
function importCenterCropPad(onnx: OnnxCall): readonly Value[] {
  const x = onnx.input(0);
  const {shape} = x.type;
  const sizes = numbersOf(onnx.constant(1, 'the shape'));
  const axes = onnx.has('axes') ? onnx.ints('axes').map(axis => axisOf(onnx, axis, shape.length)) : shape.map((_, i) => i);
  if (sizes.length !== axes.length) onnx.invalid(`the shape has ${sizes.length} entries for ${axes.length} axes`);
  if (sizes.some(size => size < 1)) onnx.invalid(`the shape is [${sizes}]`);
  return [
    axes.reduce((value, axis, i) => {
      const difference = sizes[i]! - shape[axis]!;
      return placeAlong(onnx, value, axis, Math.trunc(difference / 2), sizes[i]!);
    }, x),
  ];
}
