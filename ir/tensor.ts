/**
 * Dense tensors on the compiler side: a typed array in row-major order, its element type and shape.
 * `view` gives the same memory as an ndarray where strides make an evaluator read like its formula.
 */
import ndarray, {type NdArray} from 'ndarray';
import type {Constant, DType, TensorType} from './types.js';

/** f16 and bf16 hold their bit patterns in a Uint16Array; bool is 0 or 1; i4 and u4 are one value per element. */
export type TensorData =
  | Float64Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>;

export type Tensor = {readonly dtype: DType; readonly shape: readonly number[]; readonly data: TensorData};

const arrays = {
  f64: Float64Array,
  f32: Float32Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  i4: Int8Array,
  u4: Uint8Array,
  i8: Int8Array,
  u8: Uint8Array,
  i16: Int16Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  i64: BigInt64Array,
  u64: BigUint64Array,
  bool: Uint8Array,
} as const;

/** Bytes of one element as the generated C holds it. */
export const widthOf = (dtype: DType): number => arrays[dtype].BYTES_PER_ELEMENT;

export const elements = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

export const bytesOf = (type: TensorType): number => elements(type.shape) * widthOf(type.dtype);

/** As weights: two integers of 4 bits are one byte. */
export const bytesStored = (type: TensorType): number => (type.dtype === 'i4' ? Math.ceil(bytesOf(type) / 2) : bytesOf(type));

export const isBig = (dtype: DType): dtype is 'i64' | 'u64' => dtype === 'i64' || dtype === 'u64';

/** A new zero-filled tensor. */
export const zeros = (dtype: DType, shape: readonly number[]): Tensor => ({
  dtype,
  shape,
  data: new arrays[dtype](elements(shape)),
});

/** A tensor over the bytes (copied only where they are not aligned for the element type). */
export function tensorOf(dtype: DType, shape: readonly number[], bytes: Uint8Array): Tensor {
  const type = arrays[dtype];
  const count = elements(shape);
  if (bytes.byteLength !== count * type.BYTES_PER_ELEMENT)
    throw new RangeError(`${dtype}[${shape}] needs ${count * type.BYTES_PER_ELEMENT} bytes, not ${bytes.byteLength}`);
  const aligned = bytes.byteOffset % type.BYTES_PER_ELEMENT === 0 ? bytes : Uint8Array.from(bytes);
  return {dtype, shape, data: new type(aligned.buffer as ArrayBuffer, aligned.byteOffset, count)};
}

/** The bytes of a tensor, little-endian, without a copy. */
export const bytesOfTensor = ({data}: Tensor): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** A tensor from plain numbers; 64-bit element types convert to bigint. */
export function tensorFrom(dtype: DType, shape: readonly number[], values: Iterable<number | bigint>): Tensor {
  const tensor = zeros(dtype, shape);
  let i = 0;
  for (const value of values) setElement(tensor, i++, value);
  return tensor;
}

/** A tensor of one value. */
export function filled(dtype: DType, shape: readonly number[], value: number | bigint): Tensor {
  const tensor = zeros(dtype, shape);
  for (let i = 0; i < tensor.data.length; i++) setElement(tensor, i, value);
  return tensor;
}

/** Stores a number: bigints for 64-bit types, half-width floats as bits. Integers wrap, as a C conversion does. */
export function setElement({dtype, data}: Tensor, index: number, value: number | bigint): void {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    data[index] = typeof value === 'bigint' ? value : BigInt(Math.trunc(value));
  else if (dtype === 'f16') data[index] = toHalf(Number(value));
  else if (dtype === 'bf16') data[index] = toBfloat(Number(value));
  else if (dtype === 'bool') data[index] = value ? 1 : 0;
  else data[index] = Number(value);
}

/** One element as a JavaScript number (64-bit integers may round beyond 2^53). */
export function numberAt({dtype, data}: Tensor, index: number): number {
  const value = data[index]!;
  if (dtype === 'f16') return fromHalf(Number(value));
  if (dtype === 'bf16') return fromBfloat(Number(value));
  return Number(value);
}

/** A constant's bytes as a tensor: the same memory where it is aligned. */
export const tensorOfConstant = ({value: {type}, blob}: Pick<Constant, 'value' | 'blob'>): Tensor =>
  tensorOf(type.dtype, type.shape, blob.bytes);

/** All elements as numbers. */
export const numbersOf = (tensor: Tensor): number[] => Array.from({length: tensor.data.length}, (_, i) => numberAt(tensor, i));

/** The same memory as an ndarray, for strided reading. Half-width floats show their bits. */
export const view = (tensor: Tensor): NdArray<TensorData> => ndarray(tensor.data, [...tensor.shape]);

/** The elements of a strided view of `tensor` as a tensor of their own, in row-major order of the view. */
export function dense(tensor: Tensor, strided: NdArray<TensorData>): Tensor {
  const {shape, stride} = strided;
  const result = zeros(tensor.dtype, shape);
  const index = shape.map(() => 0);
  let from = strided.offset;
  for (let flat = 0; flat < result.data.length; flat++) {
    result.data[flat] = tensor.data[from]!;
    for (let axis = index.length - 1; axis >= 0; axis--) {
      from += stride[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= shape[axis]! * stride[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}

const scratch = new DataView(new ArrayBuffer(8));

/** binary16 to binary64, exact. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** binary64 to binary16, round to nearest even. */
export function toHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  const exponent = size < 2 ** -14 ? -14 : Math.floor(Math.log2(size));
  const steps = roundEven(size / 2 ** (exponent - 10));
  // A subnormal has steps < 1024 and exponent field 0; rounding up to 2048 carries into the exponent by itself.
  return sign | (size < 2 ** -14 ? steps : ((exponent + 14) << 10) + steps);
}

/** bfloat16 to binary64, exact. */
export function fromBfloat(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}

/** binary64 to bfloat16 by way of binary32, round to nearest even. */
export function toBfloat(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** Round half to even, as IEEE 754 and ONNX do. */
export function roundEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}
