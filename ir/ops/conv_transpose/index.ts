/**
 * Transposed 2-D convolution: each point of x adds its multiple of the kernel to y. 1-D is an image of one row.
 * y[g][o][i*sh + r*dh - top][j*sw + s*dw - left] = b[g][o] + sum x[g][c][i][j] * w[g][c][o][r][s]
 */
import {type Call, defineOp, type KernelContext, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {numberAt, setElement, type Tensor, zeros} from '../../tensor.js';
import type {ConvTransposeAttrs} from './attributes.js';
import {importConvTranspose} from './onnx.js';

const shapeOf = ({attrs, inputs: [x, w]}: Call<ConvTransposeAttrs>): readonly number[] => [
  x?.shape[0] ?? 0,
  attrs.groups * (w?.shape[1] ?? 0),
  ...attrs.size,
];

export const convTranspose: OpDef<ConvTransposeAttrs> = defineOp<ConvTransposeAttrs>({
  name: 'conv_transpose',
  summary: 'y[o][i*sh + r*dh - top][j*sw + s*dw - left] = b[o] + sum x[c][i][j] * w[c][o][r][s]',
  operands: ['x', 'w', 'b?'],
  defaults: {strides: [1, 1], dilations: [1, 1], start: [0, 0], groups: 1},
  rules: [
    {
      id: 'conv_transpose.rank',
      says: 'x is [n][c][h][w] and w is [c][o][r][s]',
      holds: ({inputs: [x, w]}) => x?.shape.length === 4 && w?.shape.length === 4,
    },
    {
      id: 'conv_transpose.channels',
      says: 'x and w have as many channels, a multiple of groups',
      holds: ({attrs, inputs: [x, w]}) => x?.shape[1] === w?.shape[0] && (x?.shape[1] ?? 0) % attrs.groups === 0,
    },
    {
      id: 'conv_transpose.bias',
      says: 'b has one element per output channel',
      holds: call => !call.inputs[2] || String(call.inputs[2].shape) === String([shapeOf(call)[1]]),
    },
    {id: 'conv_transpose.size', says: 'the result has rows and columns', holds: ({attrs}) => attrs.size.every(size => size > 0)},
  ],
  infer: call => [{dtype: typeAt(call, 0).dtype, shape: shapeOf(call)}],
  evaluate,
  macs: call =>
    typeAt(call, 0).shape.reduce((n, d) => n * d, 1) *
    typeAt(call, 1)
      .shape.slice(1)
      .reduce((n, d) => n * d, 1),
  fromOnnx: {ConvTranspose: onnx => importConvTranspose(onnx, convTranspose)},
  kernel: {layout: 'row-major', lower: lowerConvTranspose},
});

function evaluate(call: Call<ConvTransposeAttrs>, inputs: readonly (Tensor | null)[]): readonly Tensor[] {
  const {strides, dilations, start, groups} = call.attrs;
  const [x, w, b] = [tensorAt(inputs, 0), tensorAt(inputs, 1), inputs[2]];
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const [, perGroup, rows, columns] = w.shape as [number, number, number, number];
  const shape = shapeOf(call);
  const [, outputs, oh, ow] = shape as [number, number, number, number];
  const sums = Array.from({length: batch * outputs * oh * ow}, (_, at) =>
    b ? numberAt(b, Math.floor(at / (oh * ow)) % outputs) : 0,
  );
  for (let n = 0; n < batch; n++)
    for (let c = 0; c < channels; c++)
      for (let o = 0; o < perGroup; o++)
        for (let i = 0; i < height; i++)
          for (let j = 0; j < width; j++)
            for (let r = 0; r < rows; r++)
              for (let s = 0; s < columns; s++) {
                const [row, column] = [
                  i * strides[0]! + r * dilations[0]! - start[0]!,
                  j * strides[1]! + s * dilations[1]! - start[1]!,
                ];
                if (row < 0 || row >= oh || column < 0 || column >= ow) continue;
                const output = Math.floor(c / (channels / groups)) * perGroup + o;
                const weight = numberAt(w, ((c * perGroup + o) * rows + r) * columns + s);
                const pixel = numberAt(x, ((n * channels + c) * height + i) * width + j);
                sums[((n * outputs + output) * oh + row) * ow + column]! += pixel * weight;
              }
  const y = zeros(x.dtype, shape);
  sums.forEach((sum, at) => {
    setElement(y, at, sum);
  });
  return [y];
}

function lowerConvTranspose({attrs, types, inputs, outputs}: KernelContext<ConvTransposeAttrs>): KernelCall {
  const [n, c, ih, iw] = types[0]!.shape as [number, number, number, number];
  const [, oc, kh, kw] = types[1]!.shape as [number, number, number, number];
  const {groups, size, start, strides, dilations} = attrs;
  return {
    kind: 'kernel',
    contract: 'conv_transpose_f32',
    header: 'conv_transpose/kernel.h',
    struct: 'conv_transpose_shape',
    fields: {
      ...{n, groups, ic: c / groups, oc, ih, iw, oh: size[0]!, ow: size[1]!, kh, kw},
      ...{sh: strides[0]!, sw: strides[1]!, dh: dilations[0]!, dw: dilations[1]!, pt: start[0]!, pl: start[1]!},
    },
    params: [
      {name: 'x', role: 'read', view: inputs[0]!.view()},
      {name: 'w', role: 'read', view: inputs[1]!.view()},
      {name: 'b', role: 'read', view: inputs[2]?.view() ?? null},
      {name: 'y', role: 'write', view: outputs[0]!},
    ],
    epilogue: null,
  };
}
