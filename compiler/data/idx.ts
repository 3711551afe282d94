/**
 * IDX, the format of MNIST and its kin: two zero bytes, element type, number of dimensions, their sizes and then the elements,
 * all big-endian. Images and labels are two files: `NAME-images-idx3-ubyte` and `NAME-labels-idx1-ubyte`, maybe with `.gz`.
 */
import {existsSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {gunzipSync} from 'node:zlib';
import {fail} from '../../ir/diagnostics.js';
import {elements, type Tensor, tensorOf} from '../../ir/tensor.js';
import type {DType} from '../../ir/types.js';
import {readWhole} from './files.js';
import type {Npz} from './npz.js';

const types: Readonly<Record<number, {readonly dtype: DType; readonly width: number}>> = {
  8: {dtype: 'u8', width: 1},
  9: {dtype: 'i8', width: 1},
  11: {dtype: 'i16', width: 2},
  12: {dtype: 'i32', width: 4},
  13: {dtype: 'f32', width: 4},
  14: {dtype: 'f64', width: 8},
};

/** Bytes of an unpacked file that are still read. */
const largest = 2 ** 31 - 1;

export const isIdxName = (path: string): boolean => /(\bidx\d?\b|\.idx)[^/\\]*$/i.test(basename(path));

/** Errors, all input: idx.format, idx.type, idx.size. `where` names the file in them. */
export function decodeIdx(bytes: Uint8Array, where: string): Tensor {
  const cure = 'download or write the file again';
  const [first, second, code = 0, rank = 0] = bytes;
  if (first !== 0 || second !== 0 || bytes.length < 4 || rank < 1 || bytes.length < 4 + 4 * rank)
    return fail('input', 'idx.format', where, 'does not begin as an IDX file does', cure);
  const type = types[code] ?? fail('input', 'idx.type', where, `has elements of type ${code}`, 'use 8-bit integers');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({length: rank}, (_, i) => view.getUint32(4 + 4 * i));
  const from = 4 + 4 * rank;
  const wanted = elements(shape) * type.width;
  if (bytes.length - from !== wanted)
    return fail('input', 'idx.size', where, `has ${bytes.length - from} bytes of elements, [${shape}] needs ${wanted}`, cure);
  const data = bytes.slice(from);
  if (type.width > 1) for (let at = 0; at < data.length; at += type.width) data.subarray(at, at + type.width).reverse();
  return tensorOf(type.dtype, shape, data);
}

/** Errors: those of `decodeIdx` and `readWhole`; input idx.gzip. */
export function readIdx(path: string): Tensor {
  const bytes = readWhole(path);
  return decodeIdx(/\.gz$/i.test(path) ? unpacked(bytes, path) : bytes, path);
}

function unpacked(bytes: Uint8Array, path: string): Uint8Array {
  try {
    return new Uint8Array(gunzipSync(bytes, {maxOutputLength: largest}));
  } catch (cause) {
    return fail('input', 'idx.gzip', path, cause instanceof Error ? cause.message : String(cause), 'download the file again');
  }
}

/** Images as "x", and the labels as "y" where their file lies beside. */
export function openIdx(path: string): Npz {
  const labels = labelsBeside(path);
  const files = new Map([['x', path], ...(labels === null ? [] : [['y', labels] as const])]);
  return {
    path,
    keys: [...files.keys()],
    read: key => readIdx(files.get(key) ?? fail('input', 'npz.key', path, `has no "${key}"`, `there are ${[...files.keys()]}`)),
  };
}

/** The images, and the labels where their file lies beside. */
export function filesOfIdx(path: string): readonly string[] {
  const labels = labelsBeside(path);
  return labels === null ? [path] : [path, labels];
}

function labelsBeside(path: string): string | null {
  const name = basename(path);
  const other = name.replace(/images/i, 'labels').replace(/idx\d/i, 'idx1');
  if (other === name) return null;
  const plain = other.replace(/\.gz$/i, '');
  return [other, plain, `${plain}.gz`].map(file => join(dirname(path), file)).find(existsSync) ?? null;
}
