import type {OpCase} from '../common/cases.js';

const matmul = (
  name: string,
  a: readonly number[],
  b: readonly number[],
  epilogue = '',
  extras: readonly (readonly number[])[] = [],
): OpCase => ({name, attrs: {epilogue}, inputs: [a, b, ...extras].map(shape => ({dtype: 'f32', shape}) as const)});

export const cases: readonly OpCase[] = [
  matmul('square', [16, 16], [16, 16]),
  matmul('17 by 19 by 23', [17, 19], [19, 23]),
  matmul('one row', [1, 9], [9, 33]),
  matmul('one column', [9, 5], [5, 1]),
  matmul('inner size 1', [4, 1], [1, 6]),
  matmul('all sizes 1', [1, 1], [1, 1]),
  matmul('batch', [3, 4, 5], [3, 5, 7]),
  matmul('heads of attention', [2, 3, 4, 8], [2, 3, 8, 4]),
  matmul('b shared by a batch', [3, 4, 5], [5, 7]),
  matmul('a shared by a batch', [4, 5], [2, 5, 3]),
  matmul('batches that broadcast both ways', [2, 1, 4, 5], [1, 3, 5, 6]),
  matmul('three batch axes that merge into one', [2, 3, 2, 2, 4], [2, 3, 2, 4, 3]),
  matmul('three batch axes, b shared by the outer two', [2, 3, 2, 2, 4], [2, 4, 3]),
  matmul('four batch axes in two pairs', [2, 3, 1, 1, 2, 4], [1, 1, 2, 2, 4, 3]),
  matmul('scaled', [2, 6, 4], [2, 4, 6], 'mul(x0, 0.5)'),
  matmul('a mask per row', [2, 6, 4], [2, 4, 6], 'add(mul(x0, 0.5), x1)', [[6, 6]]),
  matmul('a residual and a row', [5, 3], [3, 18], 'add(add(x0, x1), x2)', [[5, 18], [18]]),
];
