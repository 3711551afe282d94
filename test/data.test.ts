/** Samples from .npy, .npz, images and folders of classes; and what becomes of them before a network reads them. */
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import test from 'ava';
import {zipSync} from 'fflate';
import jpeg from 'jpeg-js';
import {PNG} from 'pngjs';
import {openDataset} from '../compiler/data/dataset.js';
import {unwritable} from '../compiler/data/files.js';
import {decodeIdx} from '../compiler/data/idx.js';
import {decodeImage, readImage} from '../compiler/data/image.js';
import {decodeNpy, encodeNpy, readNpy, writeNpy} from '../compiler/data/npy.js';
import {openNpz, writeNpz} from '../compiler/data/npz.js';
import {DnncError} from '../ir/diagnostics.js';
import {numbersOf, type Tensor, tensorFrom} from '../ir/tensor.js';
import type {DType} from '../ir/types.js';
import {refuses} from './support/onnx-bytes.js';

const folder = mkdtempSync(join(tmpdir(), 'dnnc-data-'));
test.after.always(() => rmSync(folder, {recursive: true}));
const fileOf = (name: string, bytes: Uint8Array): string => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};

/** A .npy file by hand: what encodeNpy does not write. */
function npyBytes(dictionary: string, data: Uint8Array, version = 1): Uint8Array {
  const header = `${dictionary}\n`;
  const length = version === 1 ? [header.length & 255, header.length >> 8] : [header.length & 255, header.length >> 8, 0, 0];
  return Uint8Array.from([0x93, ...Buffer.from('NUMPY'), version, 0, ...length, ...Buffer.from(header), ...data]);
}
const npyOf = (descr: string, shape: string, data: Uint8Array, fortran = 'False', version = 1): Uint8Array =>
  npyBytes(`{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`, data, version);

test('npy round trips', t => {
  const types: readonly DType[] = ['bool', 'i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64', 'f16', 'f32', 'f64'];
  for (const dtype of types)
    for (const shape of [[], [2], [1, 2], [0, 3], [2, 1, 1]]) {
      const tensor = tensorFrom(dtype, shape, [1, 0].slice(0, shape.includes(0) ? 0 : shape.length ? 2 : 1));
      const bytes = encodeNpy(tensor);
      t.is(bytes.length % 64, (tensor.data.byteLength + 64) % 64, 'the elements start at a multiple of 64');
      t.deepEqual(decodeNpy(bytes, 'a.npy'), tensor);
      t.deepEqual(decodeNpy(Buffer.concat([Buffer.of(0), bytes]).subarray(1), 'unaligned'), tensor);
    }
  t.deepEqual(decodeNpy(encodeNpy(tensorFrom('bf16', [2], [0.5, -3])), 'a'), tensorFrom('f32', [2], [0.5, -3]));
  t.deepEqual(decodeNpy(encodeNpy(tensorFrom('i4', [2], [7, -8])), 'a'), tensorFrom('i8', [2], [7, -8]));
  const path = join(folder, 'round.npy');
  writeNpy(path, tensorFrom('f32', [2], [1, 2]));
  t.deepEqual(numbersOf(readNpy(path)), [1, 2]);
});

test('npy of other byte and element orders, and other versions', t => {
  const big = Uint8Array.of(0, 1, 255, 254);
  for (const version of [1, 2, 3]) t.deepEqual(numbersOf(decodeNpy(npyOf('>i2', '(2,)', big, 'False', version), 'a')), [1, -2]);
  const columns = Uint8Array.of(1, 4, 2, 5, 3, 6);
  t.deepEqual(decodeNpy(npyOf('|u1', '(2, 3)', columns, 'True'), 'a'), tensorFrom('u8', [2, 3], [1, 2, 3, 4, 5, 6]));
  const cube = Uint8Array.from({length: 24}, (_, i) => i);
  // In Fortran order element [a][b][c] of (2, 3, 4) is number a + 2 b + 6 c.
  const expected = Array.from({length: 24}, (_, i) => Math.floor(i / 12) + 2 * (Math.floor(i / 4) % 3) + 6 * (i % 4));
  t.deepEqual(numbersOf(decodeNpy(npyOf('|u1', '(2, 3, 4)', cube, 'True'), 'a')), expected);
  t.deepEqual(decodeNpy(npyOf('|i1', '(2L,)', Uint8Array.of(1, 255)), 'a'), tensorFrom('i8', [2], [1, -1]));
});

test('npy errors', t => {
  const bad = (kind: 'input' | 'unsupported', code: string, bytes: Uint8Array) =>
    refuses(t, kind, code, () => decodeNpy(bytes, 'a.npy'));
  bad('input', 'npy.format', Buffer.from('hello, world'));
  bad('input', 'npy.format', new Uint8Array(0));
  bad('unsupported', 'npy.version', npyOf('|u1', '(1,)', Uint8Array.of(1)).with(6, 9));
  bad('unsupported', 'npy.dtype', npyOf('|O', '(1,)', Uint8Array.of(1)));
  bad('unsupported', 'npy.dtype', npyOf('<c8', '(1,)', new Uint8Array(8)));
  bad(
    'unsupported',
    'npy.dtype',
    npyBytes(`{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }`, new Uint8Array(4)),
  );
  bad('input', 'npy.header', npyBytes('{}', new Uint8Array(4)));
  bad('input', 'npy.header', npyOf('|u1', '(1,)', Uint8Array.of(1)).subarray(0, 30));
  bad('input', 'npy.header', npyOf('|u1', '(1 2,)', Uint8Array.of(1)));
  bad('input', 'npy.header', npyOf('|u1', `(${2 ** 40}, ${2 ** 40})`, Uint8Array.of(1)));
  bad('input', 'npy.header', npyBytes('', new Uint8Array(0)).with(8, 255).with(9, 255));
  bad('input', 'npy.size', npyOf('<f4', '(1099511627776,)', Uint8Array.of(1, 2, 3)));
  bad('input', 'npy.size', npyOf('<f4', '(1,)', new Uint8Array(5)));
  refuses(t, 'input', 'file.missing', () => readNpy(join(folder, 'none.npy')));
  refuses(t, 'input', 'file.unreadable', () => readNpy(folder));
  writeFileSync(join(folder, 'file'), '');
  refuses(t, 'input', 'file.unwritable', () => writeNpy(join(folder, 'file', 'a.npy'), tensorFrom('u8', [1], [1])));
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {code: 'ENOSPC'});
  refuses(t, 'input', 'file.disk-full', () => unwritable('a.npy', full));
});

test('npz round trips, and reads a member only when asked', t => {
  const path = join(folder, 'round.npz');
  const arrays = {x: tensorFrom('f32', [3, 2], [1, 2, 3, 4, 5, 6]), y: tensorFrom('i64', [3], [0, 1, 2])};
  writeNpz(path, arrays);
  const npz = openNpz(path);
  t.deepEqual(npz.keys, ['x', 'y']);
  t.deepEqual({x: npz.read('x'), y: npz.read('y')}, arrays);
  const error = refuses(t, 'input', 'npz.key', () => npz.read('z'));
  t.regex(error?.message ?? '', /it holds x, y/);
  const mixed = openNpz(
    fileOf('mixed.npz', zipSync({'a.npy': [encodeNpy(arrays.x), {level: 0}], 'broken.npy': Buffer.from('no')})),
  );
  t.deepEqual(mixed.read('a'), arrays.x, 'stored');
  refuses(t, 'input', 'npy.format', () => mixed.read('broken'));
});

test('npz errors', t => {
  const zip = zipSync({
    'x.npy': encodeNpy(
      tensorFrom(
        'f32',
        [100],
        Array.from({length: 100}, () => 1),
      ),
    ),
  });
  const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset);
  const entry = zip.length - 22 - 46 - 'x.npy'.length;
  let made = 0;
  const damaged = (kind: 'input' | 'unsupported', code: string, change: (v: DataView) => void) => {
    const bytes = zip.slice();
    change(view(bytes));
    return refuses(t, kind, code, () => openNpz(fileOf(`damaged${made++}.npz`, bytes)).read('x'));
  };
  damaged('input', 'zip.format', v => v.setUint32(zip.length - 22, 0));
  damaged('input', 'zip.directory', v => v.setUint32(entry, 0));
  damaged('input', 'zip.directory', v => v.setUint32(zip.length - 6, 2 ** 30, true));
  damaged('input', 'zip.directory', v => v.setUint16(zip.length - 12, 0xffff, true));
  damaged('unsupported', 'zip.encrypted', v => v.setUint16(entry + 8, 1, true));
  damaged('unsupported', 'zip.method', v => v.setUint16(entry + 10, 99, true));
  damaged('input', 'zip.size', v => v.setUint32(entry + 24, 0xfffffff0, true));
  damaged('input', 'zip.size', v => v.setUint32(entry + 24, 2 ** 30, true));
  damaged('input', 'zip.member', v => v.setUint32(entry + 16, 1, true));
  damaged('input', 'zip.member', v => v.setUint32(0, 1, true));
  damaged('input', 'zip.member', v => v.setUint32(entry + 24, 300, true));
  damaged('input', 'zip.member', v => v.setUint8(36, 0xff));
  refuses(t, 'input', 'zip.format', () => openNpz(fileOf('text.npz', Buffer.from('hello'))));
  refuses(t, 'input', 'npz.empty', () => openNpz(fileOf('empty.npz', zipSync({'readme.txt': Buffer.from('hello')}))));
  refuses(t, 'input', 'file.missing', () => openNpz(join(folder, 'none.npz')));
  refuses(t, 'input', 'file.unreadable', () => openNpz(folder));
});

const rgba = (width: number, height: number, pixel: (i: number) => readonly number[]): Buffer =>
  Buffer.from(Array.from({length: width * height}, (_, i) => pixel(i)).flat());
const pngOf = (width: number, height: number, pixel: (i: number) => readonly number[], colorType: 0 | 2 | 4 | 6 = 6): Buffer => {
  const png = new PNG({width, height});
  png.data = rgba(width, height, pixel);
  return PNG.sync.write(png, {colorType});
};
const jpegOf = (width: number, height: number, pixel: (i: number) => readonly number[]): Buffer =>
  jpeg.encode({width, height, data: rgba(width, height, pixel)}, 100).data;

test('png images', t => {
  const pixel = (i: number) => [i * 10, 20, 200, 128];
  t.deepEqual(decodeImage(pngOf(2, 1, pixel), 'a.png'), {
    height: 1,
    width: 2,
    channels: 3,
    data: Uint8Array.of(0, 20, 200, 10, 20, 200),
  });
  const grey = decodeImage(
    pngOf(2, 2, i => [i, i, i, 255], 0),
    'a.png',
  );
  t.deepEqual(grey, {height: 2, width: 2, channels: 1, data: Uint8Array.of(0, 1, 2, 3)});
});

test('jpeg images', t => {
  const image = decodeImage(
    jpegOf(16, 8, () => [200, 100, 50, 255]),
    'a.jpg',
  );
  t.like(image, {height: 8, width: 16, channels: 3});
  t.is(image.data.length, 16 * 8 * 3);
  for (let i = 0; i < image.data.length; i++) t.true(Math.abs(image.data[i]! - [200, 100, 50][i % 3]!) <= 3);
});

test('image errors', t => {
  const png = pngOf(4, 4, i => [i, 0, 0, 255]);
  const jpg = jpegOf(8, 8, i => [i, 0, 0, 255]);
  const bad = (kind: 'input' | 'unsupported', code: string, bytes: Uint8Array) =>
    refuses(t, kind, code, () => decodeImage(bytes, 'image'));
  bad('input', 'image.format', Buffer.from('GIF89a'));
  bad('input', 'image.format', new Uint8Array(0));
  bad('input', 'image.malformed', png.subarray(0, png.length - 20));
  bad('input', 'image.malformed', png.subarray(0, 12));
  bad('input', 'image.malformed', Uint8Array.from(png).with(45, 0));
  bad('input', 'image.malformed', jpg.subarray(0, jpg.length >> 1));
  bad('input', 'image.malformed', jpg.subarray(0, 2));
  const wide = Buffer.from(png);
  wide.writeUInt32BE(0x10000000, 16);
  bad('input', 'image.size', wide);
  wide.writeUInt32BE(0, 16);
  bad('input', 'image.size', wide);
  const frame = jpg.indexOf(Buffer.of(0xff, 0xc0));
  bad('input', 'image.size', Uint8Array.from(jpg).fill(0xff, frame + 5, frame + 9));
  bad('unsupported', 'image.kind', Uint8Array.from(jpg).with(frame + 4, 12));
  bad('unsupported', 'image.kind', Uint8Array.from(jpg).with(frame + 1, 0xc9));
  bad('input', 'image.malformed', Uint8Array.from(jpg).with(frame + 11, 0xff));
  const scan = jpg.indexOf(Buffer.of(0xff, 0xda));
  const scans = Buffer.concat([
    jpg.subarray(0, scan),
    ...Array.from({length: 200}, () => jpg.subarray(scan, -2)),
    jpg.subarray(-2),
  ]);
  bad('input', 'image.size', scans);
  refuses(t, 'input', 'file.size', () => readImage(fileOf('large.png', new Uint8Array(2 ** 26 + 1))));
});

/** An IDX file by hand. */
function idxOf(code: number, shape: readonly number[], data: readonly number[]): Uint8Array {
  const sizes = shape.flatMap(size => [size >>> 24, (size >>> 16) & 255, (size >>> 8) & 255, size & 255]);
  return Uint8Array.from([0, 0, code, shape.length, ...sizes, ...data]);
}

test('IDX files of images and labels are a dataset, packed or not', t => {
  const images = idxOf(8, [3, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  const labels = idxOf(8, [3], [2, 0, 1]);
  for (const ending of ['', '.gz']) {
    const packed = (bytes: Uint8Array): Uint8Array => (ending ? gzipSync(bytes) : bytes);
    const path = fileOf(`some${ending ? '2' : ''}-images-idx3-ubyte${ending}`, packed(images));
    t.is(t.throws(() => openDataset(path).label(0), {instanceOf: DnncError})?.problems[0]?.code, 'dataset.no-labels');
    fileOf(`some${ending ? '2' : ''}-labels-idx1-ubyte`, labels);
    const data = openDataset(path);
    t.is(data.count, 3);
    t.deepEqual(data.sample(1), tensorFrom('u8', [2, 2], [5, 6, 7, 8]));
    t.deepEqual(
      [0, 1, 2].map(i => data.label(i)),
      [2, 0, 1],
    );
  }
  t.deepEqual(decodeIdx(idxOf(11, [2], [0, 1, 255, 254]), 'a'), tensorFrom('i16', [2], [1, -2]));
  t.deepEqual(decodeIdx(idxOf(13, [1], [0x3f, 0x80, 0, 0]), 'a'), tensorFrom('f32', [1], [1]));
  refuses(t, 'input', 'idx.size', () => decodeIdx(images.subarray(0, 20), 'a'));
  refuses(t, 'input', 'idx.type', () => decodeIdx(idxOf(7, [1], [0]), 'a'));
  refuses(t, 'input', 'idx.format', () => decodeIdx(Uint8Array.of(0, 0, 8, 3, 0), 'a'));
  refuses(t, 'input', 'idx.gzip', () => openDataset(fileOf('bad-images-idx3-ubyte.gz', images)));
  refuses(t, 'input', 'dataset.format', () => openDataset(fileOf('other.bin', images)));
});

test('a folder of classes is a dataset', t => {
  const root = join(folder, 'classes');
  for (const [name, count] of [
    ['dog', 2],
    ['cat', 1],
    ['.cache', 1],
  ] as const) {
    mkdirSync(join(root, name), {recursive: true});
    for (let i = 0; i < count; i++)
      writeFileSync(
        join(root, name, `${i}.png`),
        pngOf(2, 2, () => [i, 0, 0, 255]),
      );
    writeFileSync(join(root, name, 'notes.txt'), 'not an image');
  }
  writeFileSync(join(root, 'dog', '2.jpg'), 'not an image either');
  const data = openDataset(root);
  t.like(data, {count: 4, classes: ['cat', 'dog']});
  t.deepEqual([0, 1, 2, 3].map(data.label), [0, 1, 1, 1]);
  t.deepEqual(data.sample(2).shape, [2, 2, 3]);
  t.deepEqual(numbersOf(data.sample(2)).slice(0, 3), [1, 0, 0]);
  t.is(data.where(0), join(root, 'cat', '0.png'));
  const error = refuses(t, 'input', 'image.format', () => data.sample(3));
  t.regex(error?.message ?? '', /dog.2\.jpg/);
  refuses(t, 'input', 'dataset.index', () => data.sample(4));
  refuses(t, 'input', 'dataset.index', () => data.label(-1));
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  refuses(t, 'input', 'dataset.empty', () => openDataset(empty));
  writeFileSync(
    join(empty, 'a.png'),
    pngOf(1, 1, () => [0, 0, 0, 255]),
  );
  refuses(t, 'input', 'dataset.no-classes', () => openDataset(empty));
  mkdirSync(join(empty, 'class'));
  refuses(t, 'input', 'dataset.empty', () => openDataset(empty));
  refuses(t, 'input', 'file.missing', () => openDataset(join(folder, 'nowhere')));
});

test('an npz is a dataset', t => {
  let made = 0;
  const open = (arrays: Readonly<Record<string, Tensor>>, labelsKey?: string) => {
    const path = join(folder, `data${made++}.npz`);
    writeNpz(path, arrays);
    return openDataset(path, labelsKey === undefined ? {} : {labelsKey});
  };
  const x = tensorFrom('u8', [2, 1, 2], [1, 2, 3, 4]);
  const y = tensorFrom('i32', [2], [7, 3]);
  const data = open({x, y});
  t.like(data, {count: 2, classes: null});
  t.deepEqual(data.sample(1), tensorFrom('u8', [1, 2], [3, 4]));
  t.is(data.label(1), 3);
  refuses(t, 'input', 'dataset.index', () => data.sample(2));
  t.is(open({x, y_age: y}).label(0), 7, 'the only labels there are');
  const several = {x, y_age: y, y_sex: tensorFrom('f32', [2, 1], [1, 0])};
  t.is(open(several, 'y_sex').label(0), 1);
  t.regex(refuses(t, 'input', 'dataset.no-labels', () => open(several).label(0))?.message ?? '', /x, y_age, y_sex/);
  t.regex(refuses(t, 'input', 'dataset.labels-key', () => open(several, 'y'))?.message ?? '', /x, y_age, y_sex/);
  t.notThrows(() => open({x}).sample(0), 'images alone are enough to calibrate');
  refuses(t, 'input', 'dataset.no-samples', () => open({y}));
  refuses(t, 'input', 'dataset.no-samples', () => open({x: y}));
  refuses(t, 'input', 'dataset.empty', () => open({x: tensorFrom('u8', [0, 2], []), y}));
  refuses(t, 'input', 'dataset.count', () => open({x, y: tensorFrom('i32', [3], [0, 1, 2])}));
  refuses(t, 'input', 'dataset.label', () => open({x, y: tensorFrom('f32', [2], [0, 0.5])}));
  const nan = open({x: tensorFrom('f32', [2, 2], [1, 2, 3, Number.NaN]), y});
  t.notThrows(() => nan.sample(0));
  t.regex(refuses(t, 'input', 'dataset.nan', () => nan.sample(1))?.message ?? '', /x\[1\]: element 1 is NaN/);
  refuses(t, 'input', 'dataset.format', () => openDataset(fileOf('a.csv', Buffer.from('1,2'))));
});
