/** Seeded inputs: floats in [-1, 1), or pixels prepared as the task says; small integers for integer types. */
import {seeded} from '../ir/parse.js';
import {elements, type Tensor, tensorFrom} from '../ir/tensor.js';
import type {Input} from '../runtime/manifest.js';
import {inputTensor} from './samples.js';

export function randomInput(input: Input, seed: number): Tensor {
  const count = elements(input.shape);
  const real = input.dtype.startsWith('f') || input.dtype === 'bf16';
  if (!real || !input.preparation) return tensorFrom(input.dtype, input.shape, seeded(seed, count, real));
  const pixels = seeded(seed, count, true).map(value => Math.floor((value + 1) * 128));
  const {dataLayout: _, ...preparation} = input.preparation;
  return inputTensor(
    tensorFrom('u8', input.shape, pixels),
    {...input, preparation: {...preparation, dataLayout: 'NCHW'}},
    'random pixels',
  );
}
