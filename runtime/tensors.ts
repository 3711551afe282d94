/**
 * Element types as typed arrays, and what a list of scores says: its largest entry.
 * f16 and bf16 are bit patterns in a Uint16Array; bool is 0 or 1; i4 and u4 are one value per byte.
 */
import type {DType} from './manifest.js';

/** One entry per DType: the class of typed array and the code that N-API gives to it (`napi_typedarray_type`). */
export const arrayTypes = {
  f64: {create: Float64Array, napi: 8},
  f32: {create: Float32Array, napi: 7},
  f16: {create: Uint16Array, napi: 4},
  bf16: {create: Uint16Array, napi: 4},
  i4: {create: Int8Array, napi: 0},
  u4: {create: Uint8Array, napi: 1},
  i8: {create: Int8Array, napi: 0},
  u8: {create: Uint8Array, napi: 1},
  i16: {create: Int16Array, napi: 3},
  u16: {create: Uint16Array, napi: 4},
  i32: {create: Int32Array, napi: 5},
  u32: {create: Uint32Array, napi: 6},
  i64: {create: BigInt64Array, napi: 9},
  u64: {create: BigUint64Array, napi: 10},
  bool: {create: Uint8Array, napi: 1},
} as const satisfies Readonly<Record<DType, {readonly create: TypedArrayClass; readonly napi: number}>>;

type TypedArrayClass = {new (length: number): TypedArray; readonly BYTES_PER_ELEMENT: number};

export type TypedArray =
  | Float64Array
  | Float32Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** The typed array that holds elements of type D. */
export type ArrayOf<D extends DType> = {
  f64: Float64Array;
  f32: Float32Array;
  f16: Uint16Array;
  bf16: Uint16Array;
  i4: Int8Array;
  u4: Uint8Array;
  i8: Int8Array;
  u8: Uint8Array;
  i16: Int16Array;
  u16: Uint16Array;
  i32: Int32Array;
  u32: Uint32Array;
  i64: BigInt64Array;
  u64: BigUint64Array;
  bool: Uint8Array;
}[D];

export type TensorType = {readonly dtype: DType; readonly shape: readonly number[]};

export const elementsOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

export const bytesOf = ({dtype, shape}: TensorType): number => elementsOf(shape) * arrayTypes[dtype].create.BYTES_PER_ELEMENT;

/** A new tensor of zeros. */
export const zeros = ({dtype, shape}: TensorType): TypedArray => new arrayTypes[dtype].create(elementsOf(shape));

/** Samples in one call: `[N, ...]` holds N, a list of scores without a batch dimension holds one. */
export const batchOf = (shape: readonly number[]): number => (shape.length > 1 ? (shape[0] ?? 1) : 1);

/** Scores per sample: `[N, C, 1, 1]` holds C. */
export const classesOf = (shape: readonly number[]): number => elementsOf(shape.length > 1 ? shape.slice(1) : shape);

/**
 * Index of the largest score in `[from, to)`, counted from `from`; the first one of equals. -1: a score is not a number, or
 * there is none.
 */
export function largest(dtype: DType, scores: TypedArray, from: number, to: number): number {
  const isHalf = dtype === 'f16' || dtype === 'bf16';
  let best = -1;
  let most: number | bigint = 0;
  for (let i = from; i < to; i++) {
    const value = isHalf ? decode(dtype, Number(scores[i])) : scores[i]!;
    if (Number.isNaN(value)) return -1;
    if (best >= 0 && !(value > most)) continue;
    best = i;
    most = value;
  }
  return best < 0 ? -1 : best - from;
}

/** The number behind a 16-bit pattern: 1 sign, 5 (f16) or 8 (bf16) exponent bits, the rest fraction. */
function decode(dtype: 'f16' | 'bf16', bits: number): number {
  const fraction = dtype === 'f16' ? 10 : 7;
  const bias = dtype === 'f16' ? 15 : 127;
  const exponent = (bits & 0x7fff) >> fraction;
  const rest = (bits & ((1 << fraction) - 1)) / (1 << fraction);
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 2 * bias + 1) return rest ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent ? (1 + rest) * 2 ** (exponent - bias) : rest * 2 ** (1 - bias));
}
