/** Operators that move elements, and compute none. */
import {elements, type Tensor} from '../../../ir/tensor.js';
import type {DType} from '../../../ir/types.js';
import type {Draft, Draw, Known, Recipe} from '../onnx-draw.js';
import {int, ints} from '../onnx-graph.js';
import {everything, range, text} from './common.js';

const moving = (op: string, draw: Recipe['draw'], opsets?: Recipe['opsets']): Recipe => ({
  op,
  exact: true,
  ...(opsets && {opsets}),
  draw,
});

const any = (draw: Draw, least = 1, most = 4, empty = false): Known =>
  draw.pick({
    dtypes: everything,
    empty,
    shape: () => draw.shape(least, most),
    fits: ({shape}) => shape.length >= least && shape.length <= most,
  });

/** Axes in the attribute of old forms, in the operand of new ones. */
const listed = (
  draw: Draw,
  since: number,
  name: string,
  values: readonly number[],
): {inputs: Known[]; attributes: ReturnType<typeof ints>[]} =>
  draw.opset < since ? {inputs: [], attributes: [ints(name, [...values])]} : {inputs: [draw.i64s(values)], attributes: []};

function concat(draw: Draw): Draft {
  const x = any(draw, 1, 4, true);
  const {shape, dtype} = x.tensor;
  const at = draw.random.below(shape.length);
  const fits = (other: readonly number[]): boolean =>
    other.length === shape.length && other.every((size, i) => i === at || size === shape[i]);
  const others = Array.from({length: draw.random.below(4)}, () =>
    draw.pick({
      dtypes: [dtype],
      shape: () => shape.map((size, i) => (i === at ? 1 + draw.random.below(4) : size)),
      fits: tensor => fits(tensor.shape),
    }),
  );
  return {
    inputs: draw.shuffled([x, ...others]),
    attributes: [int('axis', draw.opset >= 11 && draw.random.chance(0.5) ? at - shape.length : at)],
  };
}

function reshape(draw: Draw): Draft {
  const x = any(draw, 0, 5);
  const {shape} = x.tensor;
  let rest = elements(shape);
  const sizes: number[] = [];
  while (sizes.length < 4 && draw.random.chance(0.75)) {
    const size = draw.random.pick([1, 2, 3, 4, 5, 6, rest].filter(n => rest % n === 0));
    sizes.push(size);
    rest /= size;
  }
  sizes.push(rest);
  const shown = sizes.map((size, i) => (size === shape[i] && draw.random.chance(0.4) ? 0 : size));
  if (draw.random.chance(0.5)) shown[draw.random.below(shown.length)] = -1;
  return {
    inputs: [x, draw.i64s(shown)],
    attributes: draw.opset >= 14 && !shown.includes(0) ? draw.maybe(int('allowzero', 1)) : [],
  };
}

function slice(draw: Draw): Draft {
  const x = any(draw);
  const {shape} = x.tensor;
  const picked = draw.shuffled(range(shape.length)).slice(0, 1 + draw.random.below(shape.length));
  const steps = picked.map(() => (draw.opset < 10 ? 1 : draw.random.pick([1, 1, 2, 3, -1, -2])));
  const ends = picked.map((axis, i) => {
    const size = shape[axis]!;
    const first = draw.random.below(size);
    const far = draw.random.chance(0.3);
    if (steps[i]! > 0)
      return [draw.random.chance(0.3) ? first - size : first, far ? 2 ** 40 : first + 1 + draw.random.below(size - first)];
    return [draw.random.chance(0.3) ? 2 ** 31 : first, far ? -(2 ** 40) : -size - 1 + draw.random.below(first + 1)];
  });
  const [starts, stops] = [ends.map(pair => pair[0]!), ends.map(pair => pair[1]!)];
  const axes = picked.map(axis => (draw.opset >= 10 && draw.random.chance(0.5) ? axis - shape.length : axis));
  if (draw.opset < 10) return {inputs: [x], attributes: [ints('starts', starts), ints('ends', stops), ints('axes', axes)]};
  const narrow = draw.random.chance(0.3);
  const list = (values: readonly number[]): Known =>
    narrow
      ? draw.numbers(
          'i32',
          [values.length],
          values.map(value => Math.min(Math.max(value, -(2 ** 31)), 2 ** 31 - 1)),
        )
      : draw.i64s(values);
  const all = picked.length === shape.length && picked.every((axis, i) => axis === i);
  const plain = steps.every(step => step === 1) && draw.random.chance(0.5);
  return {
    inputs: [x, list(starts), list(stops), all && draw.random.chance(0.5) ? null : list(axes), ...(plain ? [] : [list(steps)])],
  };
}

function split(draw: Draw): Draft {
  const x = any(draw);
  const {shape} = x.tensor;
  const axis = draw.axis(shape.length);
  const size = shape.at(axis)!;
  const attributes = [int('axis', draw.opset < 11 ? (axis + shape.length) % shape.length : axis)];
  const parts = 1 + draw.random.below(Math.min(4, size));
  const even = Math.ceil(size / parts);
  if (draw.random.chance(0.5) && (draw.opset >= 18 || size % parts === 0)) {
    if (even * (parts - 1) >= size)
      return {inputs: [x], attributes: [...attributes, ...(draw.opset >= 18 ? [int('num_outputs', 1)] : [])]};
    return {
      inputs: [x],
      attributes: [...attributes, ...(draw.opset >= 18 ? [int('num_outputs', parts)] : [])],
      outputs: range(parts).map(() => true),
    };
  }
  const cuts = draw
    .shuffled(range(size - 1))
    .slice(0, parts - 1)
    .map(cut => cut + 1)
    .sort((a, b) => a - b);
  const sizes = [...cuts, size].map((cut, i) => cut - (cuts[i - 1] ?? 0));
  const given = listed(draw, 13, 'split', sizes);
  // onnxruntime 1.30 crashes where an output is left out.
  return {inputs: [x, ...given.inputs], attributes: [...attributes, ...given.attributes], outputs: sizes.map(() => true)};
}

function pad(draw: Draw): Draft {
  const x = draw.pick({
    dtypes: draw.opset < 11 ? ['f32', 'f64'] : ['f32', 'f64', 'i32', 'i64', 'u8', 'i8', 'u32', 'u64', 'bool'],
    shape: () => draw.shape(1),
    fits: ({shape}) => shape.length > 0,
  });
  const {shape, dtype} = x.tensor;
  const mode = draw.random.pick(['constant', 'constant', 'reflect', 'edge', ...(draw.opset >= 19 ? ['wrap'] : [])]);
  const some = draw.opset >= 18 && draw.random.chance(0.4) ? draw.axes(shape.length, 1) : null;
  const axes = some ?? range(shape.length);
  const amount = (axis: number): number => {
    const size = shape.at(axis)!;
    if (mode === 'reflect' || mode === 'wrap') return draw.random.below(Math.min(size, 3));
    if (draw.random.chance(0.15) && size > 2) return -1;
    return draw.random.chance(0.5) ? 0 : draw.random.below(3);
  };
  const pads = [...axes, ...axes].map(amount);
  const attributes = draw.random.chance(0.3) && mode === 'constant' ? [] : [text('mode', mode)];
  if (draw.opset < 11) return {inputs: [x], attributes: [...attributes, ints('pads', pads)]};
  const value = draw.random.chance(0.5) ? draw.numbers(dtype, [], [1]) : null;
  return {inputs: [x, draw.i64s(pads), value, ...(some ? [draw.i64s(some)] : [])], attributes};
}

function expand(draw: Draw): Draft {
  const x = any(draw, 0);
  const {shape} = x.tensor;
  const grown = shape.map(size => (size === 1 ? 1 + draw.random.below(5) : draw.random.chance(0.3) ? 1 : size));
  const more = range(draw.random.below(2)).map(() => 1 + draw.random.below(3));
  const wanted = draw.random.chance(0.2) ? grown.slice(draw.random.below(grown.length + 1)) : [...more, ...grown];
  return {inputs: [x, draw.i64s(wanted)]};
}

function squeeze(draw: Draw): Draft {
  const x = draw.pick({
    dtypes: everything,
    shape: () => draw.shape().flatMap(size => [size, 1]),
    fits: ({shape}) => shape.includes(1),
  });
  const {shape} = x.tensor;
  const ones = range(shape.length).filter(axis => shape[axis] === 1);
  if (draw.random.chance(0.2)) return {inputs: [x]};
  const axes = draw.shuffled(ones).slice(0, 1 + draw.random.below(ones.length));
  const given = listed(
    draw,
    13,
    'axes',
    axes.map(axis => (draw.opset >= 11 && draw.random.chance(0.5) ? axis - shape.length : axis)),
  );
  return {inputs: [x, ...given.inputs], attributes: given.attributes};
}

function unsqueeze(draw: Draw): Draft {
  const x = any(draw, 0, 3, true);
  const rank = x.tensor.shape.length + 1 + draw.random.below(2);
  const axes = draw.shuffled(range(rank)).slice(0, rank - x.tensor.shape.length);
  const given = listed(
    draw,
    13,
    'axes',
    axes.map(axis => (draw.opset >= 11 && draw.random.chance(0.5) ? axis - rank : axis)),
  );
  return {inputs: [x, ...given.inputs], attributes: given.attributes};
}

function oneHot(draw: Draw): Draft {
  const integral = ({data}: Tensor): boolean => data.every(value => Number.isInteger(Number(value)));
  const dtypes: readonly DType[] = ['i64', 'i32', 'f32'];
  const found = draw.values.filter(({tensor}) => dtypes.includes(tensor.dtype) && tensor.shape.length > 0 && integral(tensor));
  const x = found.length > 0 && draw.random.chance(0.5) ? draw.random.pick(found) : draw.fresh('i64', draw.shape(1, 3), -5, 5);
  const rank = x.tensor.shape.length;
  const depth = draw.numbers('i64', draw.random.pick([[], [1]]), [draw.between(3, 6)]);
  const dtype = draw.random.pick(['f32', 'i64'] as const);
  const values = draw.numbers(x.tensor.dtype === 'f32' ? 'f32' : dtype, [2], [draw.random.below(2), 2 + draw.random.below(3)]);
  return {inputs: [x, depth, values], attributes: draw.maybe(int('axis', draw.between(-rank - 1, rank)))};
}

const image = (
  draw: Draw,
  dtypes: readonly DType[],
  fits: (shape: readonly number[]) => boolean,
  shape: () => readonly number[],
): Known => draw.pick({dtypes, shape, fits: tensor => tensor.shape.length === 4 && fits(tensor.shape)});

const blocks: readonly Recipe[] = [
  moving('DepthToSpace', draw => {
    const b = 1 + draw.random.below(3);
    const x = image(
      draw,
      ['f32', 'f64'],
      ([, c]) => c! % (b * b) === 0,
      () => [1, b * b * (1 + draw.random.below(3)), 1 + draw.random.below(3), 1 + draw.random.below(3)],
    );
    return {
      inputs: [x],
      attributes: [int('blocksize', b), ...(draw.opset < 11 ? [] : draw.maybe(text('mode', draw.random.pick(['DCR', 'CRD']))))],
    };
  }),
  moving('SpaceToDepth', draw => {
    const b = 1 + draw.random.below(3);
    const x = image(
      draw,
      ['f32', 'f64'],
      ([, , h, w]) => h! % b === 0 && w! % b === 0,
      () => [1, 1 + draw.random.below(4), b * (1 + draw.random.below(3)), b * (1 + draw.random.below(2))],
    );
    return {inputs: [x], attributes: [int('blocksize', b)]};
  }),
];

export const movementRecipes: readonly Recipe[] = [
  moving('Concat', concat),
  moving('Reshape', reshape),
  moving('Slice', slice),
  moving('Split', split),
  moving('Pad', pad),
  moving('Expand', expand),
  moving('Squeeze', squeeze),
  moving('Unsqueeze', unsqueeze),
  ...blocks,
  moving('Identity', draw => ({inputs: [any(draw, 0, 4, true)]})),
  moving('Flatten', draw => {
    const x = any(draw, 0, 5, true);
    const rank = x.tensor.shape.length;
    const axis = draw.random.below(rank + 1);
    return {
      inputs: [x],
      attributes: draw.maybe(int('axis', draw.opset >= 11 && axis < rank && draw.random.chance(0.5) ? axis - rank : axis)),
    };
  }),
  moving('Transpose', draw => {
    const x = any(draw, 0, 5, true);
    return {
      inputs: [x],
      attributes: draw.random.chance(0.2) ? [] : [ints('perm', [...draw.shuffled(range(x.tensor.shape.length))])],
    };
  }),
  moving('Tile', draw => {
    const x = any(draw);
    return {inputs: [x, draw.i64s(x.tensor.shape.map(() => 1 + draw.random.below(3)))]};
  }),
  moving(
    'Trilu',
    draw => {
      const x = draw.pick({
        dtypes: ['f32', 'f64', 'i64', 'bool'],
        shape: () => draw.shape(2),
        fits: ({shape}) => shape.length >= 2,
      });
      const k = draw.random.chance(0.6) ? [draw.numbers('i64', draw.random.pick([[], [1]]), [draw.between(-4, 4)])] : [];
      return {inputs: [x, ...k], attributes: draw.maybe(int('upper', draw.random.below(2)))};
    },
    [14, 99],
  ),
  moving('Dropout', draw => {
    const x = draw.pick({dtypes: ['f32', 'f64']});
    // Before 12 the mask is not filled.
    const outputs = [true, draw.opset >= 12 && draw.random.chance(0.3)];
    const ratio = draw.opset >= 12 && draw.random.chance(0.5) ? [draw.numbers('f32', [], [0.5])] : [];
    return {
      inputs: [x, ...ratio, ...(ratio.length > 0 && draw.random.chance(0.5) ? [draw.numbers('bool', [], [0])] : [])],
      outputs: outputs[1] ? outputs : [true],
    };
  }),
  moving('OneHot', oneHot),
];
