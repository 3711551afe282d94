/** The IR of a build from its text alone: large constants are not in it, and are made up. */
import {basename} from 'node:path';
import {parse, seeded} from '../ir/parse.js';
import {bytesOf, bytesOfTensor, elements, tensorFrom, zeros} from '../ir/tensor.js';
import type {Module, TensorType} from '../ir/types.js';
import {readWhole} from './data/files.js';

type MakeUp = (type: TensorType) => Uint8Array;

/** Values that passes can fold: none is 0 by chance. */
const anyValues: MakeUp = ({dtype, shape}) => {
  const count = elements(shape);
  const real = dtype.startsWith('f') || dtype === 'bf16';
  return bytesOfTensor(real ? tensorFrom(dtype, shape, seeded(count, count, real)) : zeros(dtype, shape));
};

/** Quick and small: layers, costs and memory do not depend on values. */
export const onlyZeros: MakeUp = type => new Uint8Array(bytesOf(type));

/** Errors: those of `readWhole` and `parse`. */
export function readIr(file: string, makeUp: MakeUp = anyValues): Module {
  const text = new TextDecoder().decode(readWhole(file));
  return parse(text, {file: basename(file), blobs: (_, type) => makeUp(type)});
}
