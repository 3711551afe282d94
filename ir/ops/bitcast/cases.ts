import type {DType} from '../../types.js';
import type {OpCase} from '../common/cases.js';

const pairs: readonly (readonly [DType, DType])[] = [
  ['f32', 'i32'],
  ['f64', 'u64'],
  ['u16', 'i16'],
  ['i8', 'u8'],
  ['bool', 'u8'],
];

export const cases: readonly OpCase[] = pairs.map(([dtype, to]) => ({
  name: `${dtype} as ${to}`,
  attrs: {to},
  inputs: [{dtype, shape: [3, 5]}],
}));
