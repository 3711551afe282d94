/** ONNX's LpPool and GlobalLpPool: the p-norm of windows, as powers, a mean and a root. No op of its own. */
import type {FromOnnx, OnnxCall} from '../../op.js';
import {elements} from '../../tensor.js';
import type {Value} from '../../types.js';
import {avgpool} from '../avgpool/index.js';
import {type PoolAttrs, poolFromOnnx} from '../common/pool.js';
import {span, windowCount} from '../common/window.js';
import {map} from '../map/index.js';
import {windowed} from '../maxpool/index.js';
import {reduceAlong} from '../reduce/index.js';

export const lpPoolImporters: Readonly<Record<string, FromOnnx>> = {LpPool: importLpPool, GlobalLpPool: importGlobal};

const normOf = (onnx: OnnxCall): number => (onnx.opset < 2 ? onnx.float('p', 2) : onnx.int('p', 2));

const power = (onnx: OnnxCall, x: Value, p: number): Value => {
  const size = p === 1 ? 'abs(x0)' : p === 2 ? 'mul(x0, x0)' : `pow(abs(x0), ${p})`;
  return onnx.emit(map, [x], {expression: size})[0];
};

/** The mean times the number of cells is the sum: with padding counted, every window has as many. */
function importLpPool(onnx: OnnxCall): readonly Value[] {
  const [x, p, attrs] = [onnx.input(0), normOf(onnx), poolFromOnnx(onnx)];
  const [mean] = windowed(
    onnx,
    power(onnx, x, p),
    attrs,
    (image, window) => onnx.emit(avgpool, [image], {...exact(window, image.type.shape.slice(2)), includePad: true})[0],
  );
  const sum = `mul(x0, ${elements(attrs.kernel)})`;
  const root = p === 1 ? sum : p === 2 ? `sqrt(${sum})` : `pow(${sum}, ${1 / p})`;
  return onnx.emit(map, [mean], {expression: root});
}

/** The same windows with padding such that none hangs over the end. */
function exact(attrs: PoolAttrs, size: readonly number[]): PoolAttrs {
  const {kernel, strides, dilations, pads} = attrs;
  const ends = windowCount(attrs, size, attrs.ceil).map(
    (count, axis) => (count - 1) * strides[axis]! + span(kernel[axis]!, dilations[axis]!) - size[axis]! - pads[axis]!,
  );
  return {...attrs, ceil: false, pads: [pads[0]!, pads[1]!, ...ends.map((end, axis) => Math.max(end, pads[axis + 2]!))]};
}

function importGlobal(onnx: OnnxCall): readonly Value[] {
  const x = onnx.input(0);
  const p = normOf(onnx);
  const axes = x.type.shape.map((_, axis) => axis).slice(2);
  if (p === 1 || p === 2) return [reduceAlong(onnx, x, p === 1 ? 'l1' : 'l2', axes, true)];
  const sum = reduceAlong(onnx, power(onnx, x, p), 'sum', axes, true);
  return onnx.emit(map, [sum], {expression: `pow(x0, ${1 / p})`});
}
