/**
 * NumPy's .npy format, versions 1 to 3: a short text header and the elements. Both byte orders and both element orders
 * are read (the tensor is always row-major and in this machine's order); version 1, C order, little-endian is written.
 */
import {fail} from '../../ir/diagnostics.js';
import {bytesOfTensor, elements, numberAt, type Tensor, tensorFrom, tensorOf, widthOf} from '../../ir/tensor.js';
import type {DType} from '../../ir/types.js';
import {readWhole, writeWhole} from './files.js';

/** NumPy's kind and width. bfloat16 and 4-bit integers have none. */
const dtypes: ReadonlyMap<string, DType> = new Map([
  ['b1', 'bool'],
  ['i1', 'i8'],
  ['i2', 'i16'],
  ['i4', 'i32'],
  ['i8', 'i64'],
  ['u1', 'u8'],
  ['u2', 'u16'],
  ['u4', 'u32'],
  ['u8', 'u64'],
  ['f2', 'f16'],
  ['f4', 'f32'],
  ['f8', 'f64'],
]);

/** Real headers take a hundred bytes. */
const longestHeader = 2 ** 16;
const again = 'write the array again with numpy.save';

/** Errors: those of `readWhole` and `decodeNpy`. */
export const readNpy = (path: string): Tensor => decodeNpy(readWhole(path), path);

/** Error: input file.unwritable. */
export const writeNpy = (path: string, tensor: Tensor): void => writeWhole(path, encodeNpy(tensor));

/**
 * A view of the bytes where their order and alignment allow it. `where` is for messages.
 * Errors: input npy.format, npy.header, npy.size; unsupported npy.version, npy.dtype.
 */
export function decodeNpy(bytes: Uint8Array, where: string): Tensor {
  const {dtype, shape, bigEndian, fortran, start} = headerOf(bytes, where);
  const data = bytes.subarray(start);
  const size = elements(shape) * widthOf(dtype);
  if (data.length !== size)
    fail('input', 'npy.size', where, `${dtype}[${shape}] needs ${size} bytes; the file holds ${data.length}`, again);
  // slice() of a Buffer would be a view of it, so a plain array is made of it first.
  const plain = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const ordered = bigEndian && widthOf(dtype) > 1 ? swapped(plain, widthOf(dtype)) : plain;
  const tensor = tensorOf(dtype, fortran ? [...shape].reverse() : shape, ordered);
  return fortran && shape.length > 1 ? reversedAxes(tensor) : {...tensor, shape};
}

type Header = {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bigEndian: boolean;
  readonly fortran: boolean;
  /** Where the elements start. Bytes. */
  readonly start: number;
};

function headerOf(bytes: Uint8Array, where: string): Header {
  const magic = '\x93NUMPY';
  if (bytes.length < 10 || String.fromCharCode(...bytes.subarray(0, 6)) !== magic)
    fail('input', 'npy.format', where, 'this is not a NumPy array', again);
  const version = bytes[6]!;
  if (version < 1 || version > 3)
    fail('unsupported', 'npy.version', where, `version ${version} of the format is not between 1 and 3`, again);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = version > 1;
  const length = !wide ? view.getUint16(8, true) : bytes.length < 12 ? longestHeader : view.getUint32(8, true);
  const from = wide ? 12 : 10;
  const start = from + length;
  if (length > longestHeader || start > bytes.length) fail('input', 'npy.header', where, 'the header ends early', again);
  const text = new TextDecoder().decode(bytes.subarray(from, start));
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const dims = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(text)?.[1];
  if (descr === undefined && /'descr'\s*:\s*\[/.test(text))
    fail('unsupported', 'npy.dtype', where, 'structured elements are not supported', 'save each field by itself');
  if (descr === undefined || order === undefined || dims === undefined)
    fail('input', 'npy.header', where, `the header cannot be read: ${text.trim().slice(0, 120)}`, again);
  const dtype = dtypes.get(descr.slice(1));
  if (dtype === undefined || !'<>|='.includes(descr.charAt(0)))
    fail('unsupported', 'npy.dtype', where, `elements of type "${descr}" are not supported`, 'convert it with astype("float32")');
  const shape = dims
    .split(',')
    .map(dim => dim.trim().replace(/L$/, ''))
    .filter(dim => dim !== '')
    .map(Number);
  if (!shape.every(Number.isSafeInteger) || !Number.isSafeInteger(elements(shape)))
    fail('input', 'npy.header', where, `the shape (${dims}) cannot be`, again);
  return {dtype, shape, bigEndian: descr.startsWith('>'), fortran: order === 'True', start};
}

function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const result = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += width) for (let i = 0; i < width; i++) result[at + i] = bytes[at + width - 1 - i]!;
  return result;
}

/** The transpose over all axes: Fortran order read row by row has its axes back to front. */
function reversedAxes({dtype, shape, data}: Tensor): Tensor {
  const width = widthOf(dtype);
  const from = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const to = new Uint8Array(from.length);
  const target = [...shape].reverse();
  // Stride, in `from`, of each axis of the result.
  const strides = shape.map((_, axis) => elements(shape.slice(axis + 1))).reverse();
  const index = target.map(() => 0);
  let source = 0;
  for (let at = 0; at < to.length; at += width) {
    for (let i = 0; i < width; i++) to[at + i] = from[source * width + i]!;
    for (let axis = target.length - 1; axis >= 0; axis--) {
      source += strides[axis]!;
      if (++index[axis]! < target[axis]!) break;
      source -= strides[axis]! * target[axis]!;
      index[axis] = 0;
    }
  }
  return tensorOf(dtype, target, to);
}

/** The bytes of a .npy file. bf16 is written as float32, i4 as int8 and u4 as uint8: the values are the same. */
export function encodeNpy(tensor: Tensor): Uint8Array {
  const {dtype, shape, data} = plainOf(tensor);
  const [kind] = [...dtypes].find(([, ours]) => ours === dtype) ?? ['f4'];
  const descr = `${widthOf(dtype) === 1 ? '|' : '<'}${kind}`;
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dictionary = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${dims}), }`;
  // The elements start at a multiple of 64, so that a reader may map them.
  const start = Math.ceil((10 + dictionary.length + 1) / 64) * 64;
  const header = `${dictionary.padEnd(start - 11)}\n`;
  const elementBytes = bytesOfTensor({dtype, shape, data});
  const bytes = new Uint8Array(start + elementBytes.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(new TextEncoder().encode(header), 10);
  bytes.set(elementBytes, start);
  return bytes;
}

function plainOf(tensor: Tensor): Tensor {
  const {dtype, shape, data} = tensor;
  if (dtype === 'i4') return {dtype: 'i8', shape, data};
  if (dtype === 'u4') return {dtype: 'u8', shape, data};
  if (dtype !== 'bf16') return tensor;
  return tensorFrom(
    'f32',
    shape,
    Array.from({length: data.length}, (_, i) => numberAt(tensor, i)),
  );
}
