/** Maximum over windows, and where in x it was found: the second output of ONNX's MaxPool. And MaxUnpool. */
import {type Call, defineOp, type KernelContext, type OnnxCall, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {elements, numberAt, numbersOf, setElement, type Tensor, zeros} from '../../tensor.js';
import type {Value} from '../../types.js';
import {forEachIndex} from '../common/broadcast.js';
import {ownKernel} from '../common/call.js';
import {type PoolAttrs, poolDefaults, poolRules, poolShape} from '../common/pool.js';
import {placeAlong} from '../pad/index.js';
import {reshapeTo} from '../reshape/index.js';
import {scatter} from '../scatter/index.js';

export const maxpoolIndices: OpDef<PoolAttrs> = defineOp<PoolAttrs>({
  name: 'maxpool_indices',
  summary: 'maximum over windows of the last two axes, and the place of the first such element of x',
  operands: ['x'],
  defaults: poolDefaults,
  rules: poolRules('maxpool_indices'),
  infer: call => [
    {dtype: typeAt(call, 0).dtype, shape: poolShape(call)},
    {dtype: 'i64', shape: poolShape(call)},
  ],
  evaluate,
  fromOnnx: {MaxUnpool: importMaxUnpool},
  kernel: {layout: 'row-major', lower: lowerMaxpoolIndices},
});

function evaluate(call: Call<PoolAttrs>, inputs: readonly (Tensor | null)[]): readonly Tensor[] {
  const {kernel, strides, dilations, pads} = call.attrs;
  const x = tensorAt(inputs, 0);
  const [, channels, height, width] = x.shape as [number, number, number, number];
  const [y, places] = maxpoolIndices.infer(call).map(({dtype, shape}) => zeros(dtype, shape)) as [Tensor, Tensor];
  forEachIndex(y.shape, ([n, c, p, q], flat) => {
    let [best, place] = [Number.NEGATIVE_INFINITY, -1];
    forEachIndex(kernel, ([r, s]) => {
      const row = p! * strides[0]! + r! * dilations[0]! - pads[0]!;
      const column = q! * strides[1]! + s! * dilations[1]! - pads[1]!;
      if (row < 0 || row >= height || column < 0 || column >= width) return;
      const at = ((n! * channels + c!) * height + row) * width + column;
      const better = numberAt(x, at) > best;
      if (better) best = numberAt(x, at);
      if (better || place < 0) place = at;
    });
    setElement(y, flat, best);
    setElement(places, flat, place);
  });
  return [y, places];
}

/** The other way round: elements back in their places, zeros elsewhere. A larger result than the windows make is filled at the ends. */
function importMaxUnpool(onnx: OnnxCall): readonly Value[] {
  const [x, indices] = [onnx.input(0), onnx.input(1)];
  const [n, c, ...size] = x.type.shape as [number, number, ...number[]];
  const kernel = onnx.ints('kernel_shape');
  const strides = onnx.ints(
    'strides',
    size.map(() => 1),
  );
  const pads = onnx.ints('pads', [...size, ...size].fill(0));
  const rank = size.length;
  if (kernel.length !== rank || strides.length !== rank || pads.length !== 2 * rank)
    onnx.invalid(`kernel_shape, strides and pads are not those of ${rank} spatial axes`);
  if (String(indices.type.shape) !== String(x.type.shape)) onnx.invalid(`the indices are [${indices.type.shape}]`);
  const image = size.map((length, i) => (length - 1) * strides[i]! + kernel[i]! - pads[i]! - pads[i + rank]!);
  const shape = [n, c, ...image];
  const flat = (value: Value): Value => reshapeTo(onnx, value, [elements(x.type.shape)])[0];
  const [y] = onnx.emit(scatter, [onnx.literal(zeros(x.type.dtype, [elements(shape)])), flat(indices), flat(x)], {
    reduction: 'none',
  });
  const asked = onnx.inputs[2] ? numbersOf(onnx.constant(2, 'the output shape')) : shape;
  if (asked.length !== rank + 2 || asked.some((length, axis) => length < shape[axis]!))
    onnx.invalid(`the output shape [${asked}] does not hold [${shape}]`);
  return [asked.reduce((value, length, axis) => placeAlong(onnx, value, axis, 0, length), reshapeTo(onnx, y, shape)[0])];
}

function lowerMaxpoolIndices({attrs, types, inputs, outputs}: KernelContext<PoolAttrs>): KernelCall {
  const [n, c, ih, iw] = types[0]!.shape as [number, number, number, number];
  const [, , oh, ow] = outputs[0]!.shape as [number, number, number, number];
  const {kernel, strides, dilations, pads} = attrs;
  const fields = {
    ...{planes: n * c, ih, iw, oh, ow, kh: kernel[0]!, kw: kernel[1]!, sh: strides[0]!, sw: strides[1]!},
    ...{dh: dilations[0]!, dw: dilations[1]!, pt: pads[0]!, pl: pads[1]!},
  };
  return ownKernel(
    'maxpool_indices',
    'maxpool_indices_f32',
    fields,
    {x: inputs[0]!.view()},
    {
      y: outputs[0]!,
      places: outputs[1]!,
    },
  );
}
