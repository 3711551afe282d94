/**
 * 2-D convolution with bias and epilogue; depthwise, grouped, dilated and 1-D forms are attributes of the same op.
 * y[n][o][p][q] = epilogue(b[o] + sum x[n][g*I + i][p*sh + r*dh - top][q*sw + s*dw - left] * w[o][i][r][s])
 */
import {type Call, defineOp, type KernelContext, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall, Packing, View} from '../../plan.js';
import {numberAt, setElement, type Tensor, zeros} from '../../tensor.js';
import type {TensorType} from '../../types.js';
import {applyEpilogue, epilogueOf, epilogueRules, extraFields, extraParams, extraViews} from '../common/epilogue.js';
import {contractFor, firstExtra, packedOperands, weightFields, weightParams, weightRules, widened} from '../common/weights.js';
import {borderOf, windowCount} from '../common/window.js';
import type {Conv2dAttrs} from './attributes.js';
import {importConv} from './onnx.js';
import {type ConvolutionWay, scratchElements, tilesTogether, winogradTile} from './winograd.js';

const windowOf = ({attrs, inputs}: Call<Conv2dAttrs>) => ({...attrs, kernel: inputs[1]?.shape.slice(2) ?? [1, 1]});

const shapeOf = (call: Call<Conv2dAttrs>): readonly number[] => {
  const [x, w] = [typeAt(call, 0), typeAt(call, 1)];
  return [x.shape[0]!, w.shape[0]!, ...windowCount(windowOf(call), x.shape.slice(2))];
};

/** Each channel has its own kernel: `w` is [c][1][r][s]. */
export const isDepthwise = ({attrs, inputs}: Call<Conv2dAttrs>): boolean =>
  attrs.groups > 1 && attrs.groups === inputs[0]?.shape[1] && attrs.groups === inputs[1]?.shape[0];

export const conv2d: OpDef<Conv2dAttrs> = defineOp<Conv2dAttrs>({
  name: 'conv2d',
  summary: 'y[n][o][p][q] = epilogue(b[o] + sum x[n][i][p*sh + r*dh - top][q*sw + s*dw - left] * w[o][i][r][s])',
  operands: ['x', 'w', 'b?', 'e*'],
  defaults: {strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], groups: 1, epilogue: ''},
  rules: [
    {
      id: 'conv2d.rank',
      says: 'x is [n][c][h][w] and w is [o][i][r][s]',
      holds: ({inputs: [x, w]}) => x?.shape.length === 4 && w?.shape.length === 4,
    },
    {
      id: 'conv2d.channels',
      says: 'x has groups * w.i channels, and groups divides w.o',
      holds: ({attrs, inputs: [x, w]}) =>
        x?.shape[1] === attrs.groups * (w?.shape[1] ?? 0) && (w?.shape[0] ?? 0) % attrs.groups === 0,
    },
    {
      id: 'conv2d.bias',
      says: 'b has one element per output channel',
      holds: ({inputs: [, w, b]}) => !b || (b.shape.length === 1 && b.shape[0] === w?.shape[0]),
    },
    {id: 'conv2d.window', says: 'the kernel fits into the padded image', holds: call => shapeOf(call).every(size => size > 0)},
    ...weightRules<Conv2dAttrs>('conv2d'),
    {
      id: 'conv2d.depthwise',
      says: 'a kernel of its own for each channel is f32, or of the type of x',
      holds: call => !isDepthwise(call) || call.inputs[1]?.dtype === call.inputs[0]?.dtype,
    },
    ...epilogueRules<Conv2dAttrs>('conv2d', firstExtra, shapeOf),
  ],
  infer: call => [{dtype: typeAt(call, 0).dtype, shape: shapeOf(call)}],
  evaluate: (call, inputs) => [applyEpilogue(call.attrs, convolve(call, inputs), inputs.slice(firstExtra(call)))],
  macs: call => {
    const [, i, r, s] = typeAt(call, 1).shape;
    return shapeOf(call).reduce((n, d) => n * d, 1) * i! * r! * s!;
  },
  fromOnnx: {Conv: onnx => importConv(onnx, conv2d)},
  kernel: {
    layout: 'channels-last',
    free: packedOperands,
    extras: firstExtra,
    border: ({attrs}) => borderOf(attrs),
    inPlace: call => [0, 1].map(i => firstExtra(call) + i),
    lower: lowerConv,
  },
});

function convolve(call: Call<Conv2dAttrs>, inputs: readonly (Tensor | null)[]): Tensor {
  const {strides, dilations, pads, groups} = call.attrs;
  const [x, w, b] = [tensorAt(inputs, 0), widened(call.attrs, tensorAt(inputs, 1), inputs[3]), inputs[2]];
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const [outputs, perGroup, rows, columns] = w.shape as [number, number, number, number];
  const shape = shapeOf(call);
  const [, , oh, ow] = shape as [number, number, number, number];
  const y = zeros(x.dtype, shape);
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
              if (row < 0 || row >= height) continue;
              for (let s = 0; s < columns; s++) {
                const column = q * strides[1]! + s * dilations[1]! - pads[1]!;
                if (column < 0 || column >= width) continue;
                const pixel = ((n * channels + first + i) * height + row) * width + column;
                sum += numberAt(x, pixel) * numberAt(w, ((o * perGroup + i) * rows + r) * columns + s);
              }
            }
          setElement(y, at++, sum);
        }
  return y;
}

function lowerConv(context: KernelContext<Conv2dAttrs>): KernelCall {
  const {attrs, types} = context;
  const w = types[1]!;
  const x = context.inputs[0]!.view();
  const y = context.outputs[0]!;
  const [oc, ic, kh, kw] = w.shape as [number, number, number, number];
  const {groups} = attrs;
  const depthwise = isDepthwise({attrs, inputs: types});
  const way = depthwise ? 'direct' : wayOf(context, y.shape);
  const weights = depthwise || way !== 'direct' ? floatParams(context, depthwise, way) : weightParams(context, groups);
  const image = flattened(attrs, [kh, kw], x, y, extraViews(context, firstExtra(context), y.shape));
  const [xn, , xh, xw] = image.x.strides as [number, number, number, number];
  const [yn, , yh, yw] = image.y.strides as [number, number, number, number];
  const [n, , oh, ow] = image.y.shape as [number, number, number, number];
  const [sh, sw] = attrs.strides as [number, number];
  const [dh, dw] = attrs.dilations as [number, number];
  // The kernel never tests for borders: it starts at the window of output (0, 0), inside the zero border that was asked for.
  const padded: View = {...image.x, offset: image.x.offset - attrs.pads[0]! * xh - attrs.pads[1]! * xw};
  const params: KernelCall['params'] = [
    {name: 'x', role: 'read', view: padded},
    ...weights,
    {name: 'y', role: 'write', view: image.y},
    ...extraParams(image.extras),
  ];
  const extras = {extras: image.extras.filter(Boolean).length, ...extraFields(image.extras, ['n', 'c', 'h', 'w'])};
  const common = {n, oh, ow, xn, xh, xw, yn, yh, yw, ...extras};
  const window = {kh, kw, sh, sw, dh, dw};
  const call = (contract: string, fields: KernelCall['fields'], more: KernelCall['params'] = []): KernelCall => ({
    kind: 'kernel',
    contract,
    header: null,
    struct: `${contract.split('_')[0]}_shape`,
    fields: {...common, ...fields},
    params: [...params, ...more],
    epilogue: epilogueOf(attrs),
  });
  if (depthwise) return call('depthwise_f32', {c: oc, ...window});
  if (way === 'direct') return call(contractFor(w.dtype), {oc: oc / groups, ic, groups, ...window, ...weightFields(attrs, w)});
  const m = winogradTile[way];
  const tiles = tilesTogether({oh, ow, ic, oc}, m);
  const scratch = context.scratch(scratchElements({ic, oc}, m, tiles));
  return call('winograd_f32', {oc, ic, m, tiles}, [{name: 'scratch', role: 'write', view: scratch}]);
}

/** Weights and bias of the kernels that know floats alone. */
function floatParams(
  {types, inputs, weight}: KernelContext<Conv2dAttrs>,
  depthwise: boolean,
  way: ConvolutionWay,
): KernelCall['params'] {
  const w = types[1]!;
  const biasType: TensorType = types[2] ?? {dtype: w.dtype, shape: [w.shape[0]!]};
  const packing: Packing =
    depthwise || way === 'direct' ? {kind: 'depthwise-panels'} : {kind: 'winograd-panels', tile: winogradTile[way]};
  return [
    {name: 'w', role: 'read', view: weight(inputs[1]!.constant, w, packing)},
    {name: 'b', role: 'read', view: weight(inputs[2]?.constant ?? null, biasType, {kind: 'bias-panels', groups: 1})},
  ];
}

/** Three ways for plain 3x3 kernels, one for all others. */
function wayOf(context: KernelContext<Conv2dAttrs>, y: readonly number[]): ConvolutionWay {
  const {attrs, types} = context;
  const [oc, ic, ...kernel] = types[1]!.shape as [number, number, number, number];
  const plain = attrs.groups === 1 && [...attrs.strides, ...attrs.dilations].every(n => n === 1);
  if (!plain || kernel.some(n => n !== 3) || types[1]!.dtype !== 'f32') return 'direct';
  const sizes = {n: y[0]!, oh: y[2]!, ow: y[3]!, oc, ic};
  return context.choose('conv2d_f32', sizes, ['direct', 'winograd-2', 'winograd-4']);
}

/** A 1x1 convolution over dense rows is one long row: fewer tile ends. */
function flattened(attrs: Conv2dAttrs, kernel: readonly number[], x: View, y: View, extras: readonly (View | null)[]) {
  const plain = [...kernel, ...attrs.strides].every(n => n === 1) && attrs.pads.every(n => n === 0);
  const dense = (view: View): boolean => view.strides[2] === view.strides[3]! * view.shape[3]!;
  if (!plain || ![x, y, ...extras].every(view => view === null || dense(view))) return {x, y, extras};
  const row = (view: View): View => ({...view, shape: [view.shape[0]!, view.shape[1]!, 1, view.shape[2]! * view.shape[3]!]});
  return {x: row(x), y: row(y), extras: extras.map(view => view && row(view))};
}
