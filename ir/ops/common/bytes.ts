/**
 * Sums of products of bytes: x holds whole numbers from 0 to 255, w from -128 to 127 but for a few beyond (i16 then), b 32
 * bits; the sums are exact. The epilogue takes the sum as an f32; it ends in a real number, or in a byte, for which it must say so: u8(clamp(round(..) ..)).
 */
import type {Call, KernelContext, Rule} from '../../op.js';
import type {Four, KernelCall, View} from '../../plan.js';
import {typeOfScalar} from '../../scalar/expression.js';
import {isWhole} from '../../simplify.js';
import {numbersOf, type Tensor, tensorOfConstant} from '../../tensor.js';
import type {DType} from '../../types.js';
import {realOf} from '../../vector.js';
import {type EpilogueAttrs, epilogueOf} from './epilogue.js';

/** The type of the results. */
export function resultType({attrs, inputs}: Call<EpilogueAttrs>): DType {
  return typeOfScalar(epilogueOf(attrs), ['f32', ...inputs.slice(3).map(type => type?.dtype ?? 'f32')]) ?? 'f32';
}

export const byteRules = <A extends EpilogueAttrs>(
  name: string,
  weights: (call: Call<A>) => readonly DType[],
): readonly Rule<A>[] => [
  {
    id: `${name}.types`,
    says: 'x is u8; w and b are i8 (or i16) and i32, or both f32 where each channel has its own kernel; extras are f32 or u8',
    holds: call => {
      const [x, w, b, ...extras] = call.inputs;
      const wanted = weights(call);
      const bias = w?.dtype === 'f32' ? 'f32' : 'i32';
      return (
        x?.dtype === 'u8' &&
        w !== null &&
        wanted.includes(w?.dtype ?? 'bool') &&
        (!b || b.dtype === bias) &&
        extras.every(extra => !extra || extra.dtype === 'f32' || extra.dtype === 'u8')
      );
    },
  },
  {
    id: `${name}.result`,
    says: 'the epilogue gives an f32, or a whole number from 0 to 255 as a u8',
    holds: call => {
      const expression = epilogueOf(call.attrs);
      const type = resultType(call);
      const whole = expression.kind === 'cast' && isWhole(expression.arg, [0, 255]);
      return realOf(expression) !== null && (type === 'f32' || (type === 'u8' && whole));
    },
  },
];

/** Which operands lie in bytes, as the kernels' shapes say it. */
export function byteFields(params: KernelCall['params']): Readonly<Record<string, number>> {
  const view = (name: string): View | null => params.find(param => param.name === name)?.view ?? null;
  return Object.fromEntries(['y', 'e0', 'e1'].map(name => [`${name}_bytes`, Number(view(name)?.dtype === 'u8')]));
}

/** At most so many groups of four inputs may have weights that a byte cannot hold. */
const mostAgain = 4;

/** The places of the sums that have, for some output, a weight that one byte cannot hold; null where two cannot, or they are too many. */
export function placesBeyond(weights: readonly number[], outputs: number): readonly number[] | null {
  const each = weights.length / outputs;
  const places = new Set(weights.flatMap((value, at) => (value < -128 || value > 127 ? [at % each] : [])));
  return places.size <= mostAgain && weights.every(value => value >= -256 && value <= 254) ? [...places] : null;
}

/** Weights and bias in byte panels, as parameters of the kernel, and which groups of four are summed again. */
export function byteParams(
  {types, inputs, weight}: KernelContext,
  groups: number,
  rows: boolean,
): {readonly params: KernelCall['params']; readonly again: readonly Four[]} {
  const [type, constant] = [types[1]!, inputs[1]!.constant];
  const again = type.dtype === 'i8' || !constant ? [] : foursBeyond(tensorOfConstant(constant), rows);
  const bias = {dtype: 'i32', shape: [type.shape[0]!]} as const;
  return {
    again,
    params: [
      {name: 'w', role: 'read', view: weight(constant, type, {kind: 'byte-panels', groups, rows, again})},
      {name: 'b', role: 'read', view: weight(inputs[2]?.constant ?? null, bias, {kind: 'bias-panels', groups})},
    ],
  };
}

/** Most elements of a kernel of bytes that one channel has for itself: DNNC_DEPTHWISE_TAPS of codegen/kernels/depthwise_u8.h. */
export const mostTaps = 64;

/** Weights and bias of channels with kernels of their own. */
export const depthwiseByteParams = ({types, inputs, weight}: KernelContext): KernelCall['params'] => [
  {name: 'w', role: 'read', view: weight(inputs[1]!.constant, types[1]!, {kind: 'depthwise-byte-panels'})},
  {
    name: 'b',
    role: 'read',
    view: weight(inputs[2]?.constant ?? null, {dtype: 'i32', shape: [types[1]!.shape[0]!]}, {kind: 'depthwise-byte-bias'}),
  },
];

/** The groups of four that hold those places, once each. `shape` is [o][i][kh][kw]; a run is a kernel row, or a cell's channels. */
function foursBeyond(weights: Tensor, rows: boolean): readonly Four[] {
  const [outputs = 1, inputs = 1, height = 1, width = 1] = weights.shape;
  const length = rows ? width * inputs : inputs;
  const fours = (placesBeyond(numbersOf(weights), outputs) ?? []).map((place): Four => {
    const [i, r, s] = [Math.floor(place / (height * width)), Math.floor(place / width) % height, place % width];
    const [run, k] = rows ? [r, s * inputs + i] : [r * width + s, i];
    return {run, first: Math.max(0, Math.min(Math.floor(k / 4) * 4, length - 4))};
  });
  return fours.filter((four, at) => fours.findIndex(({run, first}) => run === four.run && first === four.first) === at);
}

/** The same as fields of the C shape: elements of x from the window's first. */
export const againFields = (fours: readonly Four[], offsetOf: (four: Four) => number): Readonly<Record<string, number>> => ({
  again: fours.length,
  ...Object.fromEntries([0, 1, 2, 3].map(i => [`again${i}`, fours[i] ? offsetOf(fours[i]) : 0])),
});
