/** Windows over images: convolutions, pools, and images made larger or smaller. */
import type {onnx} from 'onnx-proto';
import type {DType} from '../../../ir/types.js';
import type {Draft, Draw, Known, Recipe} from '../onnx-draw.js';
import {float, int, ints} from '../onnx-graph.js';
import {floats, range, text} from './common.js';

type Attributes = readonly onnx.IAttributeProto[];

export const imageOf = (draw: Draw, dtypes: readonly DType[] = ['f32'], most = 5): Known =>
  draw.pick({
    dtypes,
    shape: () => draw.image(most === 4 ? 1 + draw.random.below(2) : undefined),
    fits: ({shape}) => shape.length >= 3 && shape.length <= most,
  });

export type Window = {readonly kernel: readonly number[]; readonly attributes: Attributes};

type WindowOptions = {readonly dilated?: boolean; readonly named?: boolean; readonly ceil?: boolean};

/** Kernel, strides, dilations and pads in all the ways that ONNX has to say them. */
export function windowOf(
  draw: Draw,
  sizes: readonly number[],
  {dilated = true, named = true, ceil = false}: WindowOptions = {},
): Window {
  const {random} = draw;
  const kernel = sizes.map(size => (random.chance(0.1) ? size : 1 + random.below(Math.min(3, size))));
  const attributes: onnx.IAttributeProto[] = named || random.chance(0.5) ? [ints('kernel_shape', kernel)] : [];
  const how = random.pick(['none', 'pads', 'pads', 'SAME_UPPER', 'SAME_LOWER', 'VALID', 'NOTSET']);
  // Where SAME meets dilations or steps over cells, onnxruntime refuses, or pads by less than nothing.
  const same = how.startsWith('SAME');
  const strides = kernel.map(size => 1 + random.below(same ? size : 3));
  const dilations = kernel.map(() => 1 + random.below(2));
  const room = kernel.every((size, i) => (size - 1) * dilations[i]! < sizes[i]!);
  if (random.chance(0.6)) attributes.push(ints('strides', strides));
  if (dilated && room && !same && random.chance(0.4)) attributes.push(ints('dilations', dilations));
  if (how === 'pads' || how === 'NOTSET')
    attributes.push(
      ints(
        'pads',
        [...kernel, ...kernel].map(size => random.below(size)),
      ),
    );
  if (how !== 'none' && how !== 'pads') attributes.push(text('auto_pad', how));
  if (ceil) attributes.push(...draw.maybe(int('ceil_mode', random.below(2))));
  return {kernel, attributes};
}

/** Groups that divide the channels, and output channels that they divide. */
export function groupsOf(draw: Draw, channels: number): readonly [groups: number, outputs: number] {
  const groups = draw.random.chance(0.6) ? 1 : draw.random.pick([1, 2, 3, 4, channels].filter(n => channels % n === 0));
  return [groups, groups * (groups === 1 ? draw.random.pick([1, 2, 3, 5, 8, 16, 17, 20]) : 1 + draw.random.below(3))];
}

/** Weights that keep sums about as large as x. */
const spread = (draw: Draw, shape: readonly number[], inner: number, dtype: DType = 'f32'): Known =>
  draw.weight(shape, -2 / Math.sqrt(inner), 2 / Math.sqrt(inner), dtype);

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

function conv(draw: Draw): Draft {
  const x = imageOf(draw, ['f32', 'f32', 'f16']);
  const [, channels, ...sizes] = x.tensor.shape;
  const {kernel, attributes} = windowOf(draw, sizes, {named: false});
  const [groups, outputs] = groupsOf(draw, channels!);
  const each = channels! / groups;
  const w = spread(draw, [outputs, each, ...kernel], each * product(kernel), x.tensor.dtype);
  const bias = draw.random.chance(0.6) ? [draw.weight([outputs], -1, 1, x.tensor.dtype)] : [];
  return {inputs: [x, w, ...bias], attributes: [...attributes, ...(groups > 1 ? [int('group', groups)] : [])]};
}

function convTranspose(draw: Draw): Draft {
  const x = imageOf(draw);
  const [, channels, ...sizes] = x.tensor.shape;
  const groups = draw.random.chance(0.6) ? 1 : draw.random.pick([1, 2, 3, channels!].filter(n => channels! % n === 0));
  const kernel = sizes.map(() => 1 + draw.random.below(3));
  const each = 1 + draw.random.below(4);
  const strides = kernel.map(() => 1 + draw.random.below(3));
  const attributes: onnx.IAttributeProto[] = draw.random.chance(0.5) ? [ints('kernel_shape', kernel)] : [];
  attributes.push(ints('strides', strides));
  if (draw.random.chance(0.3))
    attributes.push(
      ints(
        'dilations',
        kernel.map(() => 1 + draw.random.below(2)),
      ),
    );
  if (draw.random.chance(0.3))
    attributes.push(
      ints(
        'output_padding',
        strides.map(stride => draw.random.below(stride)),
      ),
    );
  const how = draw.random.pick(['none', 'pads', 'pads', 'SAME_UPPER', 'SAME_LOWER', 'VALID', 'size']);
  if (how === 'pads')
    attributes.push(
      ints(
        'pads',
        [...kernel, ...kernel].map(size => draw.random.below(size)),
      ),
    );
  else if (how === 'size')
    attributes.push(
      ints(
        'output_shape',
        sizes.map((size, i) => size * strides[i]!),
      ),
    );
  else if (how !== 'none') attributes.push(text('auto_pad', how));
  const w = spread(draw, [channels!, each, ...kernel], (channels! / groups) * product(kernel));
  const bias = draw.random.chance(0.5) ? [draw.weight([each * groups])] : [];
  return {inputs: [x, w, ...bias], attributes: [...attributes, ...(groups > 1 ? [int('group', groups)] : [])]};
}

const pool = (op: string, more: (draw: Draw) => Attributes, options: WindowOptions): Recipe => ({
  op,
  draw(draw) {
    const x = imageOf(draw, ['f32', 'f32', 'f16']);
    const dilated = options.dilated === true && draw.opset >= (op === 'MaxPool' ? 10 : 19);
    const {attributes} = windowOf(draw, x.tensor.shape.slice(2), {dilated, ceil: options.ceil === true && draw.opset >= 10});
    const places = op === 'MaxPool' && draw.opset >= 8 && x.tensor.dtype === 'f32' && draw.random.chance(0.2);
    return {inputs: [x], attributes: [...attributes, ...more(draw)], ...(places && {outputs: [true, true]})};
  },
});

/** Sizes or scales of the last axes, in all that the operator sets from 11 on know. */
function resize(draw: Draw): Draft {
  const x = draw.pick({
    dtypes: ['f32', 'f32', 'f64', 'f16'],
    shape: () => draw.image(2),
    fits: ({shape}) => shape.length === 4 || shape.length === 2,
  });
  const {shape} = x.tensor;
  const mode = draw.random.pick(['nearest', 'nearest', 'linear', 'linear', 'cubic']);
  const coordinates = [
    'half_pixel',
    'asymmetric',
    'align_corners',
    'pytorch_half_pixel',
    // Its nearest neighbours depend on how a compiler orders the sums.
    ...(draw.opset >= 19 && mode !== 'nearest' ? ['half_pixel_symmetric'] : []),
  ];
  const attributes = [text('mode', mode), ...draw.maybe(text('coordinate_transformation_mode', draw.random.pick(coordinates)))];
  if (mode === 'nearest')
    attributes.push(
      ...draw.maybe(text('nearest_mode', draw.random.pick(['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil']))),
    );
  if (mode === 'cubic')
    attributes.push(...draw.maybe(float('cubic_coeff_a', -0.5)), ...draw.maybe(int('exclude_outside', draw.random.below(2))));
  const some = draw.opset >= 18 && draw.random.chance(0.4);
  const negative = some && draw.random.chance(0.5);
  const axes = negative ? [-2, -1] : some ? [shape.length - 1, shape.length - 2] : range(shape.length);
  const scale = (axis: number): number =>
    axis >= 0 && axis < shape.length - 2 ? 1 : draw.random.pick([1, 2, 3, 0.5, 1.5, 0.75, 2.5]);
  // No axis vanishes.
  const scales = axes.map(axis => Math.max(scale(axis), 1 / shape.at(axis)!));
  const sizes = axes.map((axis, i) => Math.max(1, Math.floor(shape.at(axis)! * scales[i]!)));
  if (some) attributes.push(ints('axes', [...axes]));
  if (draw.opset >= 18 && mode !== 'nearest') attributes.push(...draw.maybe(int('antialias', draw.random.below(2))));
  if (draw.opset < 11)
    return {
      inputs: [x, draw.numbers('f32', [scales.length], scales)],
      attributes: [text('mode', draw.random.pick(['nearest', 'linear']))],
    };
  const roi = draw.opset < 13 ? draw.numbers('f32', [0], []) : null;
  if (draw.random.chance(0.5)) return {inputs: [x, roi, draw.numbers('f32', [scales.length], scales)], attributes};
  // onnxruntime 1.30 takes negative axes for others here.
  const policy =
    draw.opset >= 18 && !negative
      ? draw.maybe(text('keep_aspect_ratio_policy', draw.random.pick(['stretch', 'not_larger', 'not_smaller'])))
      : [];
  return {
    inputs: [x, roi, draw.opset < 13 ? draw.numbers('f32', [0], []) : null, draw.i64s(sizes)],
    attributes: [...attributes, ...policy],
  };
}

const global = (op: string, dtypes: readonly DType[], more: (draw: Draw) => Attributes = () => [], exact = false): Recipe => ({
  op,
  exact,
  draw: draw => ({inputs: [imageOf(draw, dtypes)], attributes: more(draw)}),
});

export const windowRecipes: readonly Recipe[] = [
  {op: 'Conv', draw: conv},
  {op: 'Conv', draw: conv},
  {op: 'ConvTranspose', draw: convTranspose},
  {...pool('MaxPool', () => [], {dilated: true, ceil: true}), exact: true},
  pool('AveragePool', draw => draw.maybe(int('count_include_pad', draw.random.below(2))), {dilated: true, ceil: true}),
  pool('LpPool', draw => draw.maybe(int('p', 1 + draw.random.below(3))), {}),
  global('GlobalAveragePool', ['f32', 'f32', 'f16']),
  global('GlobalMaxPool', ['f32', 'f32', 'f16'], () => [], true),
  global('GlobalLpPool', ['f32'], draw => draw.maybe(int('p', 1 + draw.random.below(3)))),
  {op: 'Resize', opsets: [10, 99], draw: resize},
  {
    op: 'Upsample',
    opsets: [7, 9],
    draw(draw) {
      const x = draw.pick({shape: () => draw.image(2), fits: ({shape}) => shape.length === 4});
      const scales = [1, 1, draw.random.pick([1, 2, 3, 1.5]), draw.random.pick([1, 2, 2.5])];
      const mode = text('mode', draw.random.pick(['nearest', 'linear']));
      if (draw.opset < 9) return {inputs: [x], attributes: [mode, floats('scales', scales)]};
      return {inputs: [x, draw.numbers('f32', [4], scales)], attributes: [mode]};
    },
  },
];
