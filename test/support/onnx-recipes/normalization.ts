/** Operators that bring values to mean 0 or size 1. */
import type {Draw, Known, Recipe} from '../onnx-draw.js';
import {float, int} from '../onnx-graph.js';
import {reals} from './common.js';
import {imageOf} from './window.js';

const epsilon = (draw: Draw) => draw.maybe(float('epsilon', draw.random.pick([1e-3, 1e-2, 0.5])));

/** Gain, and now and then a bias, of the axes from `axis` on. */
function gains(draw: Draw, x: Known, axis: number, biased: boolean): readonly Known[] {
  const shape = x.tensor.shape.slice(axis);
  const {dtype} = x.tensor;
  return [draw.weight(shape, -1, 1, dtype), ...(biased && draw.random.chance(0.5) ? [draw.weight(shape, -1, 1, dtype)] : [])];
}

const layer = (op: string, biased: boolean, opsets: Recipe['opsets']): Recipe => ({
  op,
  ...(opsets && {opsets}),
  draw(draw) {
    const x = draw.pick({dtypes: ['f32', 'f32', 'f64', 'f16'], shape: () => draw.shape(1), fits: ({shape}) => shape.length >= 1});
    const rank = x.tensor.shape.length;
    const axis = draw.random.chance(0.5) ? -1 : draw.axis(rank);
    const attributes = [...(axis === -1 ? draw.maybe(int('axis', axis)) : [int('axis', axis)]), ...epsilon(draw)];
    return {inputs: [x, ...gains(draw, x, axis, biased)], attributes};
  },
});

export const normalizationRecipes: readonly Recipe[] = [
  layer('LayerNormalization', true, [17, 99]),
  layer('RMSNormalization', false, [23, 99]),
  layer('SimplifiedLayerNormalization', false, undefined),
  {
    op: 'BatchNormalization',
    draw(draw) {
      const x = draw.pick({dtypes: reals, shape: () => draw.image(), fits: ({shape}) => shape.length >= 2});
      const channels = [x.tensor.shape[1]!];
      const vector = (low: number, high: number) => draw.weight(channels, low, high, x.tensor.dtype);
      return {inputs: [x, vector(-1, 1), vector(-1, 1), vector(-1, 1), vector(0.5, 2)], attributes: epsilon(draw)};
    },
  },
  {
    op: 'InstanceNormalization',
    draw(draw) {
      const x = imageOf(draw);
      const channels = [x.tensor.shape[1]!];
      return {inputs: [x, draw.weight(channels), draw.weight(channels)], attributes: epsilon(draw)};
    },
  },
  {
    op: 'GroupNormalization',
    opsets: [18, 99],
    draw(draw) {
      const x = imageOf(draw);
      const channels = x.tensor.shape[1]!;
      const groups = draw.random.pick([1, 2, 4, channels].filter(n => channels % n === 0));
      const shape = [draw.opset < 21 ? groups : channels];
      return {inputs: [x, draw.weight(shape), draw.weight(shape)], attributes: [int('num_groups', groups), ...epsilon(draw)]};
    },
  },
  {
    op: 'LRN',
    draw(draw) {
      const x = draw.pick({shape: () => draw.image(2), fits: ({shape}) => shape.length === 4});
      const more = [...draw.maybe(float('alpha', 0.5)), ...draw.maybe(float('beta', 0.5)), ...draw.maybe(float('bias', 2))];
      return {inputs: [x], attributes: [int('size', draw.random.pick([1, 3, 5])), ...more]};
    },
  },
];
