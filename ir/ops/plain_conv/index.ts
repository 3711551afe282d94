/**
 * 2-D convolution in the order of memory, whose kernels may be computed by the network: f32, f64, and i32 that wraps (for
 * quantized convolutions that f32 cannot hold exactly). Constant kernels of f32 are conv2d's.
 */
import {type Call, defineOp, type KernelContext, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {elements, numberAt, setElement, type Tensor, zeros} from '../../tensor.js';
import type {DType} from '../../types.js';
import {forEachIndex} from '../common/broadcast.js';
import {ownKernel} from '../common/call.js';
import {windowCount} from '../common/window.js';

export type PlainConvAttrs = {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** top, left, bottom, right */
  readonly pads: readonly number[];
  readonly groups: number;
};

const dtypes: readonly DType[] = ['f32', 'f64', 'i32'];
/** Half-width floats have become f32 before there is code. */
const known: ReadonlySet<string> = new Set([...dtypes, 'f16', 'bf16']);

const shapeOf = ({attrs, inputs: [x, w]}: Call<PlainConvAttrs>): readonly number[] => [
  x?.shape[0] ?? 0,
  w?.shape[0] ?? 0,
  ...windowCount({...attrs, kernel: w?.shape.slice(2) ?? []}, x?.shape.slice(2) ?? []),
];

export const plainConv: OpDef<PlainConvAttrs> = defineOp<PlainConvAttrs>({
  name: 'plain_conv',
  summary: 'y[n][o][p][q] = sum x[n][i][p*sh + r*dh - top][q*sw + s*dw - left] * w[o][i][r][s]',
  operands: ['x', 'w'],
  defaults: {strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], groups: 1},
  rules: [
    {
      id: 'plain_conv.types',
      says: 'x is [n][c][h][w] and w is [o][i][r][s], both floats or both i32',
      holds: ({inputs: [x, w]}) =>
        known.has(x?.dtype ?? '') && w?.dtype === x?.dtype && [x, w].every(type => type?.shape.length === 4),
    },
    {
      id: 'plain_conv.channels',
      says: 'x has groups * w.i channels, and groups divides w.o',
      holds: ({attrs: {groups}, inputs: [x, w]}) =>
        x?.shape[1] === groups * (w?.shape[1] ?? 0) && (w?.shape[0] ?? 0) % groups === 0,
    },
    {
      id: 'plain_conv.window',
      says: 'the kernel fits into the padded image',
      holds: call => shapeOf(call).every(size => size > 0),
    },
  ],
  infer: call => [{dtype: typeAt(call, 0).dtype, shape: shapeOf(call)}],
  evaluate,
  macs: call => elements(shapeOf(call)) * elements(typeAt(call, 1).shape.slice(1)),
  kernel: {layout: 'row-major', dtypes, lower: lowerPlainConv},
});

function evaluate(call: Call<PlainConvAttrs>, inputs: readonly (Tensor | null)[]): readonly Tensor[] {
  const {strides, dilations, pads, groups} = call.attrs;
  const [x, w] = [tensorAt(inputs, 0), tensorAt(inputs, 1)];
  const [, channels, height, width] = x.shape as [number, number, number, number];
  const [outputs, perGroup, rows, columns] = w.shape as [number, number, number, number];
  const y = zeros(x.dtype, shapeOf(call));
  forEachIndex(y.shape, ([n, o, p, q], flat) => {
    let [whole, real] = [0n, 0];
    forEachIndex([perGroup, rows, columns], ([i, r, s], at) => {
      const [row, column] = [p! * strides[0]! + r! * dilations[0]! - pads[0]!, q! * strides[1]! + s! * dilations[1]! - pads[1]!];
      if (row < 0 || row >= height || column < 0 || column >= width) return;
      const channel = Math.floor(o! / (outputs / groups)) * perGroup + i!;
      const pixel = numberAt(x, ((n! * channels + channel) * height + row) * width + column);
      const weight = numberAt(w, o! * perGroup * rows * columns + at);
      if (x.dtype === 'i32') whole += BigInt(pixel) * BigInt(weight);
      else real += pixel * weight;
    });
    setElement(y, flat, x.dtype === 'i32' ? Number(BigInt.asIntN(32, whole)) : real);
  });
  return [y];
}

function lowerPlainConv({attrs, types, inputs, outputs}: KernelContext<PlainConvAttrs>): KernelCall {
  const [n, , ih, iw] = types[0]!.shape as [number, number, number, number];
  const [oc, ic, kh, kw] = types[1]!.shape as [number, number, number, number];
  const [, , oh, ow] = outputs[0]!.shape as [number, number, number, number];
  const {groups, strides, dilations, pads} = attrs;
  const fields = {
    ...{n, groups, ic, oc: oc / groups, ih, iw, oh, ow, kh, kw},
    ...{sh: strides[0]!, sw: strides[1]!, dh: dilations[0]!, dw: dilations[1]!, pt: pads[0]!, pl: pads[1]!},
  };
  return ownKernel(
    'plain_conv',
    `plain_conv_${types[0]!.dtype}`,
    fields,
    {x: inputs[0]!.view(), w: inputs[1]!.view()},
    {y: outputs[0]!},
  );
}
