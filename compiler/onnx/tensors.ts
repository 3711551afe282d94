/**
 * A TensorProto, in whichever of its ways of storing elements, as a dense tensor. The data that is there is counted
 * against the shape before anything is allocated, so a tensor that claims 2^40 elements and brings three bytes costs nothing.
 */
import {fail} from '../../ir/diagnostics.js';
import {elements, type Tensor, type TensorData, tensorOf, widthOf, zeros} from '../../ir/tensor.js';
import type {DType} from '../../ir/types.js';
import {readExternal} from './external.js';
import type {OnnxTensor} from './model.js';
import {countVarints, eachVarint, WireError} from './wire.js';

/** `file` is for messages; external data is looked for in `folder`, and refused where that is null. */
export type Place = {readonly file: string; readonly folder: string | null};

/** TensorProto.DataType by number: its name in ONNX, and ours where there is one. */
const types: readonly (readonly [onnx: string, ours: DType | null])[] = [
  ['undefined', null],
  ['float', 'f32'],
  ['uint8', 'u8'],
  ['int8', 'i8'],
  ['uint16', 'u16'],
  ['int16', 'i16'],
  ['int32', 'i32'],
  ['int64', 'i64'],
  ['string', null],
  ['bool', 'bool'],
  ['float16', 'f16'],
  ['double', 'f64'],
  ['uint32', 'u32'],
  ['uint64', 'u64'],
  ['complex64', null],
  ['complex128', null],
  ['bfloat16', 'bf16'],
  ['float8e4m3fn', null],
  ['float8e4m3fnuz', null],
  ['float8e5m2', null],
  ['float8e5m2fnuz', null],
  ['uint4', 'u4'],
  ['int4', 'i4'],
  ['float4e2m1', null],
  ['float8e8m0', null],
  ['uint2', null],
  ['int2', null],
];

/** null: a type that we do not have. */
export const dtypeOfOnnx = (dataType: number): DType | null => types[dataType]?.[1] ?? null;

export const onnxTypeName = (dataType: number): string => types[dataType]?.[0] ?? `number ${dataType}`;

export const onnxOfDtype = (dtype: DType): number => types.findIndex(([, ours]) => ours === dtype);

/** More than any real weight; what Node can hold in one array on every machine. Bytes. */
const largest = 2 ** 31;

/**
 * Views the file's bytes where they are aligned; copies otherwise.
 * Errors: unsupported onnx.tensor-type, onnx.tensor-size; input onnx.tensor-dims, onnx.tensor-bytes, onnx.tensor-storage,
 * onnx.tensor-value, onnx.external-*.
 */
export function tensorOfProto(proto: OnnxTensor, place: Place): Tensor {
  const where = `${place.file}, tensor "${proto.name}"`;
  const {dims, dataType} = proto;
  const dtype = dtypeOfOnnx(dataType);
  if (dtype === null)
    fail(
      'unsupported',
      'onnx.tensor-type',
      where,
      `element type ${onnxTypeName(dataType)} is not supported`,
      'convert it to float or int8',
    );
  const negative = dims.find(dim => dim < 0);
  if (negative !== undefined) fail('input', 'onnx.tensor-dims', where, `the dimension ${negative} of [${dims}] is negative`);
  const count = elements(dims);
  if (!Number.isSafeInteger(count)) fail('input', 'onnx.tensor-dims', where, `the shape [${dims}] has no end`);
  const size = isNibble(dtype) ? Math.ceil(count / 2) : count * widthOf(dtype);
  const short = (has: string): never =>
    fail(
      'input',
      'onnx.tensor-bytes',
      where,
      `${onnxTypeName(dataType)}[${dims}] needs ${size} bytes; ${has}`,
      'export the model again',
    );

  const stored = storageOf(proto, dtype, where);
  if (stored.kind === 'varints') {
    const entries = isNibble(dtype) ? size : count;
    // One byte per varint at least: what is far too short is refused before it is counted.
    const found = entries > stored.bytes.length ? stored.bytes.length : countVarints(stored.bytes);
    if (found !== entries) short(`its data holds ${found ?? 'a broken list of'} elements, not ${entries}`);
    return tensorOfVarints(stored.bytes, dtype, dims, where);
  }
  if (stored.kind === 'bytes' && stored.bytes.length !== size) short(`its data has ${stored.bytes.length}`);
  if (size > largest)
    fail('unsupported', 'onnx.tensor-size', where, `it has ${size} bytes, more than ${largest}`, 'split the layer');
  const bytes = stored.kind === 'bytes' ? stored.bytes : readExternal(stored.external, place.folder, size, where);
  if (isNibble(dtype)) return {dtype, shape: dims, data: unpackNibbles(bytes, dtype, count)};
  return normalBool(tensorOf(dtype, dims, bytes));
}

type Stored =
  | {readonly kind: 'bytes'; readonly bytes: Uint8Array}
  | {readonly kind: 'varints'; readonly bytes: Uint8Array}
  | {readonly kind: 'external'; readonly external: NonNullable<OnnxTensor['external']>};

/** The one field that holds the elements. A tensor of no elements has none of them, and reads as no bytes. */
function storageOf(proto: OnnxTensor, dtype: DType, where: string): Stored {
  const fields = {
    float_data: proto.floatData,
    double_data: proto.doubleData,
    int32_data: proto.int32Data,
    int64_data: proto.int64Data,
    uint64_data: proto.uint64Data,
  };
  const filled = Object.entries(fields).filter(([, bytes]) => bytes.length > 0);
  const names = filled.map(([name]) => name);
  if (proto.raw !== null && proto.raw.length > 0) names.push('raw_data');
  if (proto.external !== null) names.push('external data');
  if (names.length > 1) fail('input', 'onnx.tensor-storage', where, `its elements are stored twice: ${names.join(' and ')}`);
  if (proto.external !== null) return {kind: 'external', external: proto.external};
  const [name, bytes] = filled[0] ?? ['raw_data', proto.raw ?? new Uint8Array(0)];
  if (name === 'raw_data') return {kind: 'bytes', bytes};
  if (name !== fieldOf(dtype))
    fail('input', 'onnx.tensor-storage', where, `${dtype} elements in ${name}, not in ${fieldOf(dtype)}`);
  return {kind: name === 'float_data' || name === 'double_data' ? 'bytes' : 'varints', bytes};
}

/** Where elements stand that are not in raw_data. */
function fieldOf(dtype: DType): string {
  switch (dtype) {
    case 'f32':
      return 'float_data';
    case 'f64':
      return 'double_data';
    case 'i64':
      return 'int64_data';
    case 'u64':
    case 'u32':
      return 'uint64_data';
    default:
      return 'int32_data';
  }
}

const isNibble = (dtype: DType): dtype is 'i4' | 'u4' => dtype === 'i4' || dtype === 'u4';

/** What an int32_data or uint64_data entry may be. Half floats are their bits; 4-bit types come as bytes of two. */
const ranges: Readonly<Partial<Record<DType, readonly [number, number]>>> = {
  bool: [0, 1],
  i8: [-128, 127],
  u8: [0, 255],
  i4: [0, 255],
  u4: [0, 255],
  i16: [-32768, 32767],
  u16: [0, 65535],
  f16: [0, 65535],
  bf16: [0, 65535],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
};

function tensorOfVarints(bytes: Uint8Array, dtype: DType, dims: readonly number[], where: string): Tensor {
  const tensor = isNibble(dtype) ? zeros('u8', [Math.ceil(elements(dims) / 2)]) : zeros(dtype, dims);
  const {data} = tensor;
  const range = ranges[dtype];
  try {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
      const halves = new Uint32Array(data.buffer);
      eachVarint(bytes, (low, high, i) => {
        halves[2 * i] = low;
        halves[2 * i + 1] = high;
      });
    } else
      eachVarint(bytes, (low, high, i) => {
        const value = (high | 0) * 2 ** 32 + low;
        if (range && (value < range[0] || value > range[1]))
          fail('input', 'onnx.tensor-value', where, `element ${i} is ${value}, which is no ${dtype}`, 'export the model again');
        data[i] = value;
      });
  } catch (cause) {
    if (cause instanceof WireError) fail('input', 'onnx.tensor-bytes', where, cause.message, 'export the model again');
    throw cause;
  }
  if (isNibble(dtype)) return {dtype, shape: dims, data: unpackNibbles(new Uint8Array(data.buffer), dtype, elements(dims))};
  return tensor;
}

/** Two per byte, the low half first. */
function unpackNibbles(bytes: Uint8Array, dtype: 'i4' | 'u4', count: number): TensorData {
  const nibble = (i: number): number => (bytes[i >> 1]! >> (4 * (i & 1))) & 15;
  if (dtype === 'u4') return Uint8Array.from({length: count}, (_, i) => nibble(i));
  // 8..15 are -8..-1
  return Int8Array.from({length: count}, (_, i) => (nibble(i) ^ 8) - 8);
}

/** The inverse of unpacking; the last half byte of an odd count is 0. */
export function packNibbles(data: TensorData): Uint8Array {
  const packed = new Uint8Array(Math.ceil(data.length / 2));
  for (let i = 0; i < data.length; i++) packed[i >> 1]! |= (Number(data[i]) & 15) << (4 * (i & 1));
  return packed;
}

/** Any byte but 0 is true. */
function normalBool(tensor: Tensor): Tensor {
  const {dtype, data} = tensor;
  if (dtype !== 'bool' || !(data instanceof Uint8Array) || data.every(value => value <= 1)) return tensor;
  return {...tensor, data: data.map(value => (value === 0 ? 0 : 1))};
}
