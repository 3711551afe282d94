import type {OpCase} from '../common/cases.js';

const of = (name: string, size: number, shape: readonly number[], beta = 0.75): OpCase => ({
  name,
  attrs: {size, alpha: 0.5, beta, bias: 1.5},
  inputs: [{dtype: 'f32', shape}],
});

export const cases: readonly OpCase[] = [
  of('alexnet', 5, [1, 96, 3, 2]),
  of('tail', 5, [2, 21, 2, 3]),
  of('even-size', 4, [1, 18, 1, 2]),
  of('wider-than-the-channels', 9, [1, 3, 2, 2]),
  of('one-channel', 1, [2, 1, 3, 3], 2),
  of('beta-of-one', 3, [1, 17, 1, 1], 1),
];
