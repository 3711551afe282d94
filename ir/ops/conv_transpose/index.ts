/**
 * Transposed 2-D convolution: each point of x adds its multiple of the kernel to y. 1-D is an image of one row.
 * y[g][o][i*sh + r*dh - top][j*sw + s*dw - left] = b[g][o] + sum x[g][c][i][j] * w[g][c][o][r][s]
 */
import {type Call, defineOp, type KernelContext, type OnnxCall, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {numberAt, setElement, type Tensor, zeros} from '../../tensor.js';
import type {Value} from '../../types.js';
import {span} from '../common/window.js';
import {asRow} from '../conv2d/index.js';
import {reshapeTo} from '../reshape/index.js';

export type ConvTransposeAttrs = {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Rows above and columns left that are cut off. */
  readonly start: readonly number[];
  /** Rows and columns of the result. */
  readonly size: readonly number[];
  readonly groups: number;
};

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
  fromOnnx: {ConvTranspose: importConvTranspose},
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

function importConvTranspose(onnx: OnnxCall): readonly Value[] {
  const [x, w] = [onnx.input(0), onnx.input(1)];
  const b = onnx.inputs[2] ?? null;
  const size = x.type.shape.slice(2);
  const rank = size.length;
  if (rank < 1 || rank > 2) onnx.unsupported(`${rank} spatial axes`, 'only one or two spatial axes are supported');
  const list = (name: string, absent: readonly number[]): readonly number[] => {
    const given = onnx.ints(name, absent);
    if (given.length !== absent.length) onnx.invalid(`${name} has ${given.length} entries, not ${absent.length}`);
    return given;
  };
  const kernel = list('kernel_shape', w.type.shape.slice(2));
  const [strides, dilations] = [
    list(
      'strides',
      size.map(() => 1),
    ),
    list(
      'dilations',
      size.map(() => 1),
    ),
  ];
  const [extra, pads] = [
    list(
      'output_padding',
      size.map(() => 0),
    ),
    list(
      'pads',
      [...size, ...size].map(() => 0),
    ),
  ];
  if ([...kernel, ...strides, ...dilations].some(n => n < 1))
    onnx.invalid('kernel_shape, strides and dilations must be positive');
  const auto = onnx.string('auto_pad', 'NOTSET');
  const same = auto.startsWith('SAME');
  // Without padding, and as asked for; the difference is cut off, on one side more where it is odd.
  const full = size.map((length, i) => (length - 1) * strides[i]! + extra[i]! + span(kernel[i]!, dilations[i]!));
  const asked = onnx.has('output_shape')
    ? onnx.ints('output_shape').slice(-rank)
    : same
      ? size.map((length, i) => Math.min(full[i]!, length * strides[i]!))
      : null;
  const half = (total: number): number => (auto === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2));
  const start = asked
    ? full.map((length, i) => half(Math.max(0, length - asked[i]!)))
    : auto === 'VALID'
      ? size.map(() => 0)
      : pads.slice(0, rank);
  const result = asked ?? full.map((length, i) => (auto === 'VALID' ? length : length - pads[i]! - pads[i + rank]!));
  const attrs = {strides, dilations, start, size: result, groups: onnx.int('group', 1)};
  if (rank === 2) return onnx.emit(convTranspose, [x, w, b], attrs);
  const row = {
    strides: [1, ...strides],
    dilations: [1, ...dilations],
    start: [0, ...start],
    size: [1, ...result],
    groups: attrs.groups,
  };
  const [y] = onnx.emit(convTranspose, [asRow(onnx, x), asRow(onnx, w), b], row);
  return reshapeTo(onnx, y, [y.type.shape[0]!, y.type.shape[1]!, y.type.shape[3]!]);
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
