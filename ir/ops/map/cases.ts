import type {DType} from '../../types.js';
import type {OpCase} from '../common/cases.js';

const map = (
  name: string,
  expression: string,
  shapes: readonly (readonly number[])[],
  dtypes: readonly DType[] = [],
): OpCase => ({
  name,
  attrs: {expression},
  inputs: shapes.map((shape, i) => ({dtype: dtypes[i] ?? 'f32', shape})),
});

const image = [1, 17, 3, 5];

export const cases: readonly OpCase[] = [
  map('one operand', 'max(mul(x0, 0.5), -1)', [image]),
  map('an operand used three times', 'mul(x0, mul(x0, x0))', [image]),
  map('six operands', 'add(x0, add(x1, add(x2, add(x3, add(x4, x5)))))', [image, [], [1], [5], [3, 1], [17, 1, 1]]),
  map('broadcasting the first operand', 'sub(x0, x1)', [
    [3, 1],
    [2, 3, 4],
  ]),
  map('select between operands', 'select(lt(x0, x1), x0, add(x1, 1))', [image, [17, 1, 1]]),
  map('clamp and round', 'clamp(add(round(mul(x0, 3)), 2), -4, 9)', [image]),
  map('conditions joined', 'and(lt(x0, 1), not(le(x0, x1)))', [[4, 5], [5]]),
  map('through bytes and back', 'mul(f32(u8(x0)), 0.25)', [[2, 9]]),
  map('of bytes', 'mul(sub(f32(x0), f32(x1)), x2)', [[3, 4], [], [4]], ['u8', 'u8', 'f32']),
  map('of integers', 'add(mul(x0, 3), x1)', [[4, 3], [3]], ['i32', 'i32']),
  map(
    'of doubles',
    'div(x0, add(abs(x1), 1))',
    [
      [4, 3],
      [4, 1],
    ],
    ['f64', 'f64'],
  ),
  map('every transcendental', 'add(exp(min(x0, 1)), add(tanh(x0), add(sigmoid(x0), erf(x0))))', [image]),
];
