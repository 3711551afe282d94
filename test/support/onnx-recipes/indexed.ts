/** Operators that read or write where an operand says. */
import {elements} from '../../../ir/tensor.js';
import type {Draft, Draw, Known, Recipe} from '../onnx-draw.js';
import {int} from '../onnx-graph.js';
import {everything, range, text} from './common.js';

const any = (draw: Draw): Known =>
  draw.pick({dtypes: everything, shape: () => draw.shape(1), fits: ({shape}) => shape.length >= 1});

/** Indices below `size`, some from the end, as a constant or an input. */
function indices(draw: Draw, shape: readonly number[], size: (at: number) => number): Known {
  const values = range(elements(shape)).map(at => {
    const index = draw.random.below(size(at));
    return draw.opset >= 11 && draw.random.chance(0.2) ? index - size(at) : index;
  });
  const constant = draw.random.chance(0.5);
  const made = draw.numbers(draw.random.chance(0.7) ? 'i64' : 'i32', shape, values);
  return {...made, name: draw.name(constant ? 'k' : 'x'), constant};
}

/** Different places: a permutation of some of 0..size-1 along `axis`, the same in every line. */
function places(draw: Draw, shape: readonly number[], axis: number, size: number): Known {
  const order = draw.shuffled(range(size));
  const inner = elements(shape.slice(axis + 1));
  const values = range(elements(shape)).map(at => order[Math.floor(at / inner) % shape[axis]!]!);
  const constant = draw.random.chance(0.5);
  return {...draw.numbers('i64', shape, values), name: draw.name(constant ? 'k' : 'x'), constant};
}

function gatherNd(draw: Draw): Draft {
  const x = any(draw);
  const {shape} = x.tensor;
  const batch = draw.opset >= 12 && shape.length > 1 && draw.random.chance(0.3) ? 1 : 0;
  const depth = 1 + draw.random.below(shape.length - batch);
  const lead = [...shape.slice(0, batch), ...range(draw.random.below(3)).map(() => 1 + draw.random.below(3))];
  const made = indices(draw, [...lead, depth], at => shape[batch + (at % depth)]!);
  // GatherND takes i64 alone.
  const tensor = draw.numbers('i64', made.tensor.shape, Array.from(made.tensor.data, Number)).tensor;
  return {inputs: [x, {...made, tensor}], attributes: draw.opset >= 12 ? [int('batch_dims', batch)] : []};
}

function scatterNd(draw: Draw): Draft {
  const x = any(draw);
  const {shape, dtype} = x.tensor;
  const depth = 1 + draw.random.below(shape.length);
  const cells = elements(shape.slice(0, depth));
  const count = 1 + draw.random.below(Math.min(4, cells));
  const picked = draw.shuffled(range(cells)).slice(0, count);
  const tuples = picked.flatMap(cell => {
    let rest = cell;
    const tuple = [...shape.slice(0, depth)].reverse().map(size => {
      const at = rest % size;
      rest = Math.floor(rest / size);
      return at;
    });
    return tuple.reverse();
  });
  const constant = draw.random.chance(0.5);
  const where = {...draw.numbers('i64', [count, depth], tuples), name: draw.name(constant ? 'k' : 'x'), constant};
  return {inputs: [x, where, draw.fresh(dtype, [count, ...shape.slice(depth)])], attributes: reduction(draw)};
}

function reduction(draw: Draw): NonNullable<Draft['attributes']> {
  if (draw.opset < 16 || draw.random.chance(0.5)) return [];
  return [text('reduction', draw.random.pick(['none', 'add', 'mul', ...(draw.opset >= 18 ? ['min', 'max'] : [])]))];
}

function scatter(draw: Draw, reduced: boolean): Draft {
  const x = any(draw);
  const {shape, dtype} = x.tensor;
  const axis = draw.axis(shape.length);
  const at = (axis + shape.length) % shape.length;
  const part = shape.map(size => 1 + draw.random.below(size));
  const where = places(draw, part, at, shape[at]!);
  return {inputs: [x, where, draw.fresh(dtype, part)], attributes: [int('axis', axis), ...(reduced ? reduction(draw) : [])]};
}

export const indexedRecipes: readonly Recipe[] = [
  {
    op: 'Gather',
    exact: true,
    draw(draw) {
      const x = any(draw);
      const axis = draw.axis(x.tensor.shape.length);
      return {inputs: [x, indices(draw, draw.shape(0, 2), () => x.tensor.shape.at(axis)!)], attributes: [int('axis', axis)]};
    },
  },
  {
    op: 'GatherElements',
    exact: true,
    draw(draw) {
      const x = any(draw);
      const {shape} = x.tensor;
      const axis = draw.axis(shape.length);
      const at = (axis + shape.length) % shape.length;
      const part = shape.map((size, i) => (i === at ? 1 + draw.random.below(5) : 1 + draw.random.below(size)));
      return {inputs: [x, indices(draw, part, () => shape[at]!)], attributes: [int('axis', axis)]};
    },
  },
  {op: 'GatherND', exact: true, draw: gatherNd},
  {op: 'ScatterND', draw: scatterNd},
  {op: 'ScatterElements', draw: draw => scatter(draw, true)},
  {op: 'Scatter', opsets: [9, 10], draw: draw => scatter(draw, false)},
];
