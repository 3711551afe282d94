import type {OpCase} from '../common/cases.js';

const batchnorm = (name: string, shape: readonly number[], epsilon = 0.0009765625): OpCase => {
  const channels = [shape[1]!, ...shape.slice(2).map(() => 1)];
  const operands = [shape, channels, channels, channels, channels];
  return {name, attrs: {epsilon}, inputs: operands.map(operand => ({dtype: 'f32', shape: operand}))};
};

export const cases: readonly OpCase[] = [
  batchnorm('image', [1, 17, 5, 5]),
  batchnorm('batch 2', [2, 3, 4, 4]),
  batchnorm('one channel', [1, 1, 3, 3]),
  batchnorm('one pixel', [1, 8, 1, 1]),
  batchnorm('features', [4, 6]),
  batchnorm('sequence', [2, 5, 7], 0.25),
];
