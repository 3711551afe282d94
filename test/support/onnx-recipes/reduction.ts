/** Operators along axes: sums, places of extremes, orders, running sums, normalized scores. */
import type {DType} from '../../../ir/types.js';
import type {Draft, Draw, Known, Recipe, Want} from '../onnx-draw.js';
import {int, ints} from '../onnx-graph.js';
import {reals} from './common.js';

const ranked = (draw: Draw, dtypes: readonly DType[], want: Want = {}): Known =>
  draw.pick({dtypes, shape: () => draw.shape(1), fits: ({shape}) => shape.length >= 1, ...want});

/** Axes moved from an attribute to an operand in operator set `since`. */
const reduce = (op: string, since: number, dtypes: readonly DType[], want: Want = {}): Recipe => ({
  op,
  draw(draw) {
    const x = ranked(draw, dtypes, want);
    const rank = x.tensor.shape.length;
    const axes = draw.random.chance(0.25) ? [] : draw.axes(rank, 1).map(axis => (draw.opset < 11 ? (axis + rank) % rank : axis));
    const keep = draw.maybe(int('keepdims', draw.random.below(2)));
    if (draw.opset < since) return {inputs: [x], attributes: [...keep, ...(axes.length > 0 ? [ints('axes', [...axes])] : [])]};
    const noop = draw.random.chance(0.3) ? [int('noop_with_empty_axes', draw.random.below(2))] : [];
    const operand = axes.length > 0 ? [draw.i64s(axes)] : draw.random.chance(0.2) ? [draw.i64s([])] : [];
    return {inputs: [x, ...operand], attributes: [...keep, ...noop]};
  },
});

const summed: readonly DType[] = ['f32', 'f64', 'i32', 'i64'];

const extreme = (op: string): Recipe => ({
  op,
  exact: true,
  draw(draw) {
    const x = ranked(draw, ['f32', 'f64', 'i32', 'i64', 'u8', 'i8']);
    const axis = draw.axis(x.tensor.shape.length);
    const last = draw.opset >= 12 ? draw.maybe(int('select_last_index', draw.random.below(2))) : [];
    return {
      inputs: [x],
      attributes: [
        ...draw.maybe(int('axis', draw.opset < 11 ? Math.max(axis, 0) : axis)),
        ...draw.maybe(int('keepdims', draw.random.below(2))),
        ...last,
      ],
    };
  },
});

function topk(draw: Draw): Draft {
  const x = ranked(draw, draw.opset < 11 ? ['f32', 'f64'] : ['f32', 'f64', 'i32', 'i64']);
  const rank = x.tensor.shape.length;
  const axis = draw.axis(rank);
  const k = 1 + draw.random.below(x.tensor.shape.at(axis)!);
  if (draw.opset < 10) return {inputs: [x], attributes: [int('axis', (axis + rank) % rank), int('k', k)], outputs: [true, true]};
  const order = draw.opset < 11 ? [] : draw.maybe(int('largest', draw.random.below(2)));
  // Unsorted results come in any order.
  return {
    inputs: [x, draw.i64s([k])],
    attributes: [int('axis', draw.opset < 11 ? (axis + rank) % rank : axis), ...order],
    outputs: [true, true],
  };
}

/** One attribute `axis`, from the end only in operator sets that know that. */
const alongAxis = (op: string, dtypes: readonly DType[], rest: Partial<Recipe> = {}): Recipe => ({
  op,
  ...rest,
  draw(draw) {
    const x = ranked(draw, dtypes);
    const rank = x.tensor.shape.length;
    const axis = draw.axis(rank);
    return {inputs: [x], attributes: draw.random.chance(0.8) ? [int('axis', draw.opset < 11 ? (axis + rank) % rank : axis)] : []};
  },
});

export const reductionRecipes: readonly Recipe[] = [
  reduce('ReduceSum', 13, summed),
  ...['ReduceMean', 'ReduceL1'].map(op => reduce(op, 18, summed)),
  // onnxruntime saturates squares that do not fit.
  reduce('ReduceSumSquare', 18, summed, {low: -64, high: 64}),
  reduce('ReduceProd', 18, summed, {low: -2, high: 2}),
  reduce('ReduceL2', 18, ['f32', 'f64']),
  reduce('ReduceLogSum', 18, reals, {low: 0.25, high: 4}),
  reduce('ReduceLogSumExp', 18, reals),
  ...['ReduceMax', 'ReduceMin'].map(op => ({...reduce(op, 18, ['f32', 'f64', 'i32', 'i64', 'i8', 'u8', 'bool']), exact: true})),
  extreme('ArgMax'),
  extreme('ArgMin'),
  {op: 'TopK', exact: true, draw: topk},
  ...(['CumSum', 'CumProd'] as const).map(
    (op): Recipe => ({
      op,
      opsets: [op === 'CumSum' ? 11 : 26, 99],
      draw(draw) {
        const x = ranked(draw, ['f32', 'f64', 'i32', 'i64'], op === 'CumSum' ? {} : {low: -2, high: 2});
        const axis = draw.numbers(draw.random.chance(0.5) ? 'i64' : 'i32', [], [draw.axis(x.tensor.shape.length)]);
        return {
          inputs: [x, axis],
          attributes: ['exclusive', 'reverse'].flatMap(name => draw.maybe(int(name, draw.random.below(2)))),
        };
      },
    }),
  ),
  alongAxis('Softmax', reals),
  alongAxis('LogSoftmax', reals),
  alongAxis('Hardmax', ['f32', 'f64'], {exact: true}),
  {
    op: 'LpNormalization',
    draw(draw) {
      const x = ranked(draw, reals);
      return {
        inputs: [x],
        attributes: [
          ...draw.maybe(int('axis', draw.axis(x.tensor.shape.length))),
          ...draw.maybe(int('p', 1 + draw.random.below(2))),
        ],
      };
    },
  },
  {
    op: 'MeanVarianceNormalization',
    opsets: [9, 99],
    draw(draw) {
      const x = draw.pick({shape: () => draw.image(2), fits: ({shape}) => shape.length === 4});
      return {
        inputs: [x],
        attributes: draw.random.chance(0.5)
          ? []
          : [ints('axes', [...draw.random.pick([[0, 2, 3], [1], [2, 3], [1, 2, 3], [0, 1, 2, 3], [-1]])])],
      };
    },
  },
];
