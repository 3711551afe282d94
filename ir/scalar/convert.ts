/** Numbers as the element types hold them. */
import {fromBfloat, fromHalf, toBfloat, toHalf} from '../tensor.js';
import type {DType} from '../types.js';
import {truth} from './functions.js';

export const isFloat = (dtype: DType): boolean => dtype === 'f64' || dtype === 'f32' || dtype === 'f16' || dtype === 'bf16';

const widths: Partial<Record<DType, readonly [bits: number, signed: boolean]>> = {
  i4: [4, true],
  u4: [4, false],
  i8: [8, true],
  u8: [8, false],
  i16: [16, true],
  u16: [16, false],
  i32: [32, true],
  u32: [32, false],
  i64: [64, true],
  u64: [64, false],
};

/** A number as the type can hold it: floats round, integers wrap, and a float becoming an integer saturates (NaN gives 0), but for 4 bits. */
export function convert(value: number | bigint, from: DType, to: DType): number | bigint {
  if (to === 'bool') return typeof value === 'bigint' ? truth(value !== 0n) : truth(value !== 0);
  if (to === 'f64') return Number(value);
  if (to === 'f32') return Math.fround(Number(value));
  if (to === 'f16') return fromHalf(toHalf(Number(value)));
  if (to === 'bf16') return fromBfloat(toBfloat(Number(value)));
  const [bits, signed] = widths[to]!;
  const wrap = (x: bigint): bigint => (signed ? BigInt.asIntN(bits, x) : BigInt.asUintN(bits, x));
  if (typeof value === 'bigint' || !isFloat(from)) return wrap(BigInt(value));
  // To 4 bits by way of an i32, as ONNX's own tests have it.
  if (bits === 4) return wrap(BigInt(convert(value, from, 'i32')));
  if (Number.isNaN(value)) return 0n;
  const low = signed ? -(2 ** (bits - 1)) : 0;
  const high = 2 ** (signed ? bits - 1 : bits);
  const whole = Math.trunc(value);
  if (whole >= high) return wrap(-1n) === -1n ? 2n ** BigInt(bits - 1) - 1n : 2n ** BigInt(bits) - 1n;
  return whole <= low ? BigInt(low) : BigInt(whole);
}
