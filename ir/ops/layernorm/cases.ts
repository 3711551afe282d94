import type {DType, TensorType} from '../../types.js';
import type {OpCase} from '../common/cases.js';

/** `operands`: how many of x, scale and bias are there. */
function of(
  name: string,
  axis: number,
  shape: readonly number[],
  operands: number,
  center: boolean,
  dtype: DType = 'f32',
): OpCase {
  const vector: TensorType = {dtype, shape: [shape.slice(axis).reduce((a, b) => a * b, 1)]};
  return {
    name,
    attrs: {axis, epsilon: 1e-5, center},
    inputs: [{dtype, shape}, operands > 1 ? vector : null, operands > 2 ? vector : null],
  };
}

export const cases: readonly OpCase[] = [
  of('tokens', 2, [1, 5, 96], 3, true),
  of('tail-of-one', 1, [3, 17], 3, true),
  of('shorter-than-the-lanes', 1, [4, 7], 2, true),
  of('one-element', 1, [4, 1], 3, true),
  of('several-axes', 1, [2, 3, 4, 5], 1, true),
  of('everything', 0, [3, 11], 3, true),
  of('root-mean-square', 1, [3, 40], 2, false),
  of('f64', 1, [3, 21], 3, true, 'f64'),
  of('root-mean-square-f64', 1, [3, 21], 1, false, 'f64'),
];
