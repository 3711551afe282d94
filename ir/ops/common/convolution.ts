/** What convolutions of floats and of bytes share: shapes, rules, meaning, and the operands of their C calls. */
import {type Call, type KernelContext, type Rule, tensorAt, typeAt} from '../../op.js';
import type {KernelCall, Packing, View} from '../../plan.js';
import {numberAt, setElement, type Tensor, zeros} from '../../tensor.js';
import type {DType} from '../../types.js';
import {type EpilogueAttrs, epilogueRules, extraViews, imageExtras} from './epilogue.js';
import {firstExtra, type WeightAttrs} from './weights.js';
import {windowCount} from './window.js';

/** Windows, groups and what follows each sum. */
export type ConvolutionAttrs = EpilogueAttrs &
  WeightAttrs & {
    readonly strides: readonly number[];
    readonly dilations: readonly number[];
    /** top, left, bottom, right */
    readonly pads: readonly number[];
    readonly groups: number;
  };

export const convolutionDefaults = {strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], groups: 1, epilogue: ''};

export const convolutionShape = (call: Call<ConvolutionAttrs>): readonly number[] => {
  const [x, w] = [typeAt(call, 0), typeAt(call, 1)];
  return [x.shape[0]!, w.shape[0]!, ...windowCount({...call.attrs, kernel: w.shape.slice(2)}, x.shape.slice(2))];
};

/** Each channel has its own kernel: `w` is [c][1][r][s]. */
export const isDepthwise = ({attrs, inputs}: Call<ConvolutionAttrs>): boolean =>
  attrs.groups > 1 && attrs.groups === inputs[0]?.shape[1] && attrs.groups === inputs[1]?.shape[0];

export const convolutionRules = <A extends ConvolutionAttrs>(name: string): readonly Rule<A>[] => [
  {
    id: `${name}.rank`,
    says: 'x is [n][c][h][w] and w is [o][i][r][s]',
    holds: ({inputs: [x, w]}) => x?.shape.length === 4 && w?.shape.length === 4,
  },
  {
    id: `${name}.channels`,
    says: 'x has groups * w.i channels, and groups divides w.o',
    holds: ({attrs, inputs: [x, w]}) =>
      x?.shape[1] === attrs.groups * (w?.shape[1] ?? 0) && (w?.shape[0] ?? 0) % attrs.groups === 0,
  },
  {
    id: `${name}.bias`,
    says: 'b has one element per output channel',
    holds: ({inputs: [, w, b]}) => !b || (b.shape.length === 1 && b.shape[0] === w?.shape[0]),
  },
  {
    id: `${name}.window`,
    says: 'the kernel fits into the padded image',
    holds: call => convolutionShape(call).every(size => size > 0),
  },
  ...epilogueRules<A>(name, firstExtra, convolutionShape),
];

export function convolutionMacs(call: Call<ConvolutionAttrs>): number {
  const [, i, r, s] = typeAt(call, 1).shape;
  return convolutionShape(call).reduce((n, d) => n * d, 1) * i! * r! * s!;
}

/** The sums, of doubles, in the given type; `outside` is what stands around the image. */
export function convolve(
  call: Call<ConvolutionAttrs>,
  inputs: readonly (Tensor | null)[],
  outside: number,
  dtype: DType,
): Tensor {
  const {strides, dilations, pads, groups} = call.attrs;
  const [x, w, b] = [tensorAt(inputs, 0), tensorAt(inputs, 1), inputs[2]];
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const [outputs, perGroup, rows, columns] = w.shape as [number, number, number, number];
  const shape = convolutionShape(call);
  const [, , oh, ow] = shape as [number, number, number, number];
  const y = zeros(dtype, shape);
  let at = 0;
  for (let n = 0; n < batch; n++)
    for (let o = 0; o < outputs; o++)
      for (let p = 0; p < oh; p++)
        for (let q = 0; q < ow; q++) {
          let sum = b ? numberAt(b, o) : 0;
          const first = Math.floor(o / (outputs / groups)) * perGroup;
          for (let i = 0; i < perGroup; i++)
            for (let r = 0; r < rows; r++) {
              const row = p * strides[0]! + r * dilations[0]! - pads[0]!;
              if (outside === 0 && (row < 0 || row >= height)) continue;
              for (let s = 0; s < columns; s++) {
                const column = q * strides[1]! + s * dilations[1]! - pads[1]!;
                const inside = row >= 0 && row < height && column >= 0 && column < width;
                if (!inside && outside === 0) continue;
                const pixel = ((n * channels + first + i) * height + row) * width + column;
                const value = inside ? numberAt(x, pixel) : outside;
                sum += value * numberAt(w, ((o * perGroup + i) * rows + r) * columns + s);
              }
            }
          setElement(y, at++, sum);
        }
  return y;
}

/** Weights and bias of a kernel of floats, by their packing. */
export function floatParams({types, inputs, weight}: KernelContext<ConvolutionAttrs>, packing: Packing): KernelCall['params'] {
  const w = types[1]!;
  const bias = types[2] ?? {dtype: w.dtype === 'i8' ? ('f32' as const) : w.dtype, shape: [w.shape[0]!]};
  return [
    {name: 'w', role: 'read', view: weight(inputs[1]!.constant, w, packing)},
    {name: 'b', role: 'read', view: weight(inputs[2]?.constant ?? null, bias, {kind: 'bias-panels', groups: 1})},
  ];
}

export const depthwiseParams = (context: KernelContext<ConvolutionAttrs>): KernelCall['params'] =>
  floatParams(context, {kind: 'depthwise-panels'});

/** `weights`: the parameters of what is constant, in the order of the kernel. */
type Operands = {readonly x: View; readonly weights: KernelCall['params']; readonly y: View};

/** Fields and pointers that every kernel of a convolution takes, whatever else it wants. */
export function convolutionCall(
  context: KernelContext<ConvolutionAttrs>,
  kernel: readonly [number, number],
  {x, weights, y}: Operands,
): Pick<KernelCall, 'fields' | 'params'> & {readonly fields: Readonly<Record<'sh' | 'sw' | 'dh' | 'dw', number>>} {
  const {attrs} = context;
  const image = flattened(attrs, kernel, x, y, extraViews(context, firstExtra(context), y.shape));
  const [xn, , xh, xw] = image.x.strides as [number, number, number, number];
  const [yn, , yh, yw] = image.y.strides as [number, number, number, number];
  const [n, , oh, ow] = image.y.shape as [number, number, number, number];
  const [sh, sw] = attrs.strides as [number, number];
  const [dh, dw] = attrs.dilations as [number, number];
  // The kernel never tests for borders: it starts at the window of output (0, 0), inside the border that was asked for.
  const padded: View = {...image.x, offset: image.x.offset - attrs.pads[0]! * xh - attrs.pads[1]! * xw};
  const extras = imageExtras(image.extras);
  const params: KernelCall['params'] = [
    {name: 'x', role: 'read', view: padded},
    ...weights,
    {name: 'y', role: 'write', view: image.y},
    ...extras.params,
  ];
  return {params, fields: {n, oh, ow, xn, xh, xw, yn, yh, yw, ...extras.fields, sh, sw, dh, dw}};
}

/** A 1x1 convolution over dense rows is one long row: fewer tile ends. */
function flattened(
  attrs: ConvolutionAttrs,
  kernel: readonly number[],
  x: View,
  y: View,
  extras: readonly (View | null)[],
): {readonly x: View; readonly y: View; readonly extras: readonly (View | null)[]} {
  const plain = [...kernel, ...attrs.strides].every(n => n === 1) && attrs.pads.every(n => n === 0);
  const dense = (view: View): boolean => view.strides[2] === view.strides[3]! * view.shape[3]!;
  if (!plain || ![x, y, ...extras].every(view => view === null || dense(view))) return {x, y, extras};
  const row = (view: View): View => ({...view, shape: [view.shape[0]!, view.shape[1]!, 1, view.shape[2]! * view.shape[3]!]});
  return {x: row(x), y: row(y), extras: extras.map(view => view && row(view))};
}
