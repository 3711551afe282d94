/** Operators that put elements of images, sequences and signals in other places, or mix them there. */
import type {Draft, Draw, Known, Recipe} from '../onnx-draw.js';
import {int, ints} from '../onnx-graph.js';
import {range, reals, text} from './common.js';

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

const small = (draw: Draw, count: number, most = 5): readonly number[] => range(count).map(() => draw.between(1, most));

function gridSample(draw: Draw): Draft {
  const spatial = draw.opset >= 20 && draw.random.chance(0.3) ? 3 : 2;
  const x = draw.pick({shape: () => draw.image(spatial), fits: ({shape}) => shape.length === spatial + 2});
  const to = small(draw, spatial);
  // Steps that no border between pixels is a multiple of: where points lie on one, the last bit decides.
  const grid = draw.fresh('f32', [x.tensor.shape[0]!, ...to, spatial], -1.25, 1.25);
  const [linear, cubic] = draw.opset < 20 ? ['bilinear', 'bicubic'] : ['linear', 'cubic'];
  const modes = [linear, linear, 'nearest', ...(spatial === 2 ? [cubic] : [])];
  const attributes = [
    text('mode', draw.random.pick(modes)),
    ...draw.maybe(text('padding_mode', draw.random.pick(['zeros', 'border', 'reflection']))),
    ...draw.maybe(int('align_corners', draw.random.below(2))),
  ];
  return {inputs: [x, grid], attributes};
}

function affineGrid(draw: Draw): Draft {
  const spatial = draw.random.chance(0.7) ? 2 : 3;
  const batch = draw.between(1, 2);
  const image = small(draw, spatial);
  const size = draw.i64s([batch, draw.between(1, 3), ...image]);
  const theta = draw.fresh('f32', [batch, spatial, spatial + 1]);
  // Where an axis of size 1 has its corners, onnxruntime and others do not agree.
  const corners = image.includes(1) ? 0 : draw.random.below(2);
  return {inputs: [theta, size], attributes: draw.maybe(int('align_corners', corners))};
}

/** One window of an image, as attributes, and how often it fits. */
function blocksOf(draw: Draw, image: readonly number[]) {
  const block = image.map(size => draw.between(1, Math.min(3, size)));
  const strides = block.map(() => draw.between(1, 2));
  const pads = [...block, ...block].map(size => draw.random.below(size));
  const counts = image.map((size, i) => Math.floor((size + pads[i]! + pads[i + image.length]! - block[i]!) / strides[i]!) + 1);
  return {block, counts, attributes: [ints('strides', strides), ints('pads', pads)]};
}

function col2im(draw: Draw): Draft {
  const image = small(draw, draw.random.chance(0.8) ? 2 : 1, 6);
  const {block, counts, attributes} = blocksOf(draw, image);
  const x = draw.fresh('f32', [draw.between(1, 2), draw.between(1, 3) * product(block), product(counts)]);
  return {inputs: [x, draw.i64s(image), draw.i64s(block)], attributes};
}

function deformed(draw: Draw): Draft {
  const groups = draw.between(1, 2);
  const sets = draw.between(1, 2);
  const channels = 2 * draw.between(1, 2);
  const image = small(draw, 2, 6);
  const {block, counts, attributes} = blocksOf(draw, image);
  const outputs = groups * draw.between(1, 3);
  const cells = product(block);
  const x = draw.fresh('f32', [1, channels, ...image]);
  const w = draw.weight([outputs, channels / groups, ...block], -0.5, 0.5);
  const offset = draw.fresh('f32', [1, sets * cells * 2, ...counts], -1, 1);
  const bias = draw.random.chance(0.5) ? draw.weight([outputs]) : null;
  const mask = draw.random.chance(0.5) ? draw.fresh('f32', [1, sets * cells, ...counts], 0, 1) : null;
  return {inputs: [x, w, offset, bias, mask], attributes: [...attributes, int('group', groups), int('offset_group', sets)]};
}

function cropped(draw: Draw): Draft {
  const x = draw.pick({dtypes: ['f32', 'i64', 'u8'], shape: () => draw.shape(1), fits: ({shape}) => shape.length >= 1});
  const rank = x.tensor.shape.length;
  const some = draw.random.chance(0.6) ? draw.axes(rank, 1) : null;
  const sizes = draw.i64s(small(draw, some?.length ?? rank, 6));
  return {inputs: [x, sizes], attributes: some ? [ints('axes', [...some])] : []};
}

function reversed(draw: Draw): Draft {
  const x = draw.pick({dtypes: reals, shape: () => draw.shape(2), fits: ({shape}) => shape.length >= 2});
  const time = draw.random.below(2);
  const [places, batch] = [x.tensor.shape[time]!, x.tensor.shape[1 - time]!];
  const lengths = draw.i64s(range(batch).map(() => draw.between(1, places)));
  const given = draw.random.chance(0.5) ? lengths : {...lengths, name: draw.name('x'), constant: false};
  const attributes = [int('time_axis', time), int('batch_axis', 1 - time)];
  return {inputs: [x, given], attributes: time === 0 ? draw.maybe(attributes[0]!) : attributes};
}

/** Images of windows of two that stand side by side, as MaxPool with places leaves them. */
function unpooled(draw: Draw): Draft {
  const [channels, ...sizes] = [draw.between(1, 3), ...small(draw, draw.between(1, 2), 4)];
  const shape = [1, channels, ...sizes];
  const image = sizes.map(size => 2 * size);
  const plane = product(image);
  // The place of one of the cells of each window.
  const places = range(product(shape)).map(at => {
    let [cell, place, step] = [at % product(sizes), 0, 1];
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      place += step * (2 * (cell % sizes[axis]!) + draw.random.below(2));
      cell = Math.floor(cell / sizes[axis]!);
      step *= image[axis]!;
    }
    return Math.floor(at / product(sizes)) * plane + place;
  });
  const two = sizes.map(() => 2);
  return {
    inputs: [draw.fresh('f32', shape), draw.numbers('i64', shape, places)],
    attributes: [ints('kernel_shape', two), ints('strides', two)],
  };
}

/** An input, not a constant, of the shape. */
const signal = (draw: Draw, shape: readonly number[]): Known => draw.fresh('f32', shape);

function dft(draw: Draw): Draft {
  const rank = draw.between(1, 3);
  const half = draw.random.chance(0.4);
  const inverse = !half && draw.random.chance(0.4);
  const shape = [...small(draw, rank, 6), half ? 1 : draw.between(1, 2)];
  const axis = rank === 1 ? 0 : draw.random.below(rank);
  const flags = [...(inverse ? [int('inverse', 1)] : []), ...(half ? [int('onesided', 1)] : [])];
  const length = draw.random.chance(0.3) ? draw.numbers('i64', [], [draw.between(2, 8)]) : null;
  if (draw.opset < 20) return {inputs: [signal(draw, shape), length], attributes: [...flags, int('axis', axis)]};
  return {inputs: [signal(draw, shape), length, draw.numbers('i64', [], [axis - rank - 1])], attributes: flags};
}

function stft(draw: Draw): Draft {
  const samples = draw.between(6, 20);
  const length = draw.between(2, 6);
  const [step, count] = [draw.numbers('i64', [], [draw.between(1, 4)]), draw.numbers('i64', [], [length])];
  const window = draw.random.chance(0.5) ? draw.weight([length]) : null;
  return {
    inputs: [signal(draw, [draw.between(1, 2), samples, 1]), step, window, count],
    attributes: draw.maybe(int('onesided', draw.random.below(2))),
  };
}

const table = (op: string): Recipe => ({
  op,
  opsets: [17, 99],
  draw: draw => ({
    inputs: [draw.numbers('i64', [], [draw.between(2, 12)])],
    attributes: draw.maybe(int('periodic', draw.random.below(2))),
  }),
});

export const samplingRecipes: readonly Recipe[] = [
  {op: 'GridSample', opsets: [16, 99], draw: gridSample},
  {op: 'AffineGrid', opsets: [20, 99], draw: affineGrid},
  {op: 'Col2Im', opsets: [18, 99], draw: col2im},
  {op: 'DeformConv', opsets: [19, 99], draw: deformed},
  {op: 'CenterCropPad', opsets: [18, 99], exact: true, draw: cropped},
  {op: 'ReverseSequence', opsets: [10, 99], exact: true, draw: reversed},
  {op: 'MaxUnpool', opsets: [9, 99], exact: true, draw: unpooled},
  {op: 'DFT', opsets: [17, 99], draw: dft},
  {op: 'STFT', opsets: [17, 99], draw: stft},
  ...['HannWindow', 'HammingWindow', 'BlackmanWindow'].map(table),
  {
    op: 'MelWeightMatrix',
    opsets: [17, 99],
    draw(draw) {
      const whole = (value: number): Known => draw.numbers('i64', [], [value]);
      const hertz = (value: number): Known => draw.numbers('f32', [], [value]);
      const [length, rate] = [draw.random.pick([16, 32, 64]), draw.random.pick([8000, 16000])];
      return {
        inputs: [whole(draw.between(1, 6)), whole(length), whole(rate), hertz(draw.random.pick([0, 300])), hertz(rate / 2.5)],
      };
    },
  },
];
