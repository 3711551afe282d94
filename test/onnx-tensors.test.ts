/** Tensors are read however an ONNX file stores them, and only where their data fits their shape. */
import {mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import type {onnx} from 'onnx-proto';
import protobuf from 'protobufjs/minimal.js';
import {budgetOf} from '../compiler/onnx/budget.js';
import {decodeModel} from '../compiler/onnx/decode.js';
import {decodeTensor} from '../compiler/onnx/decode-tensor.js';
import {readTensorFile, writeTensorFile} from '../compiler/onnx/tensor-file.js';
import {dtypeOfOnnx, onnxTypeName, tensorOfProto} from '../compiler/onnx/tensors.js';
import {countVarints, Run, signedVarints} from '../compiler/onnx/wire.js';
import {numbersOf, tensorFrom, toBfloat, toHalf} from '../ir/tensor.js';
import {field, joined, modelBytes, refuses, smallGraph, tensorBytes, text, varint} from './support/onnx-bytes.js';

const folder = mkdtempSync(join(tmpdir(), 'dnnc-onnx-'));
test.after.always(() => rmSync(folder, {recursive: true}));

const decoded = (bytes: Uint8Array, where: string | null = null) =>
  tensorOfProto(decodeTensor(bytes, budgetOf('t.pb')), {file: 't.pb', folder: where});
const tensor = (proto: onnx.ITensorProto, where: string | null = null) => decoded(tensorBytes(proto), where);
const numbers = (proto: onnx.ITensorProto) => numbersOf(tensor(proto));

test('every way of storing elements', t => {
  const raw = (array: ArrayBufferView) => ({rawData: new Uint8Array(array.buffer, array.byteOffset, array.byteLength)});
  t.deepEqual(numbers({dims: [2], dataType: 1, ...raw(Float32Array.of(1.5, -2))}), [1.5, -2]);
  t.deepEqual(numbers({dims: [2], dataType: 1, floatData: [1.5, -2]}), [1.5, -2]);
  t.deepEqual(numbers({dims: [2], dataType: 11, doubleData: [1e300, -2]}), [1e300, -2]);
  t.deepEqual(numbers({dims: [3], dataType: 6, int32Data: [-1, 0, 2 ** 31 - 1]}), [-1, 0, 2 ** 31 - 1]);
  t.deepEqual(numbers({dims: [2], dataType: 3, int32Data: [-128, 127]}), [-128, 127]);
  t.deepEqual(numbers({dims: [2], dataType: 2, int32Data: [0, 255]}), [0, 255]);
  t.deepEqual(numbers({dims: [2], dataType: 5, int32Data: [-32768, 1]}), [-32768, 1]);
  t.deepEqual(numbers({dims: [2], dataType: 4, int32Data: [65535, 1]}), [65535, 1]);
  t.deepEqual(numbers({dims: [2], dataType: 9, int32Data: [1, 0]}), [1, 0]);
  t.deepEqual(numbers({dims: [2], dataType: 10, int32Data: [toHalf(0.5), toHalf(-2)]}), [0.5, -2]);
  t.deepEqual(numbers({dims: [2], dataType: 16, int32Data: [toBfloat(0.5), toBfloat(-2)]}), [0.5, -2]);
  t.deepEqual(numbers({dims: [2], dataType: 7, int64Data: [-1, 2 ** 40]}), [-1, 2 ** 40]);
  t.deepEqual(numbers({dims: [1], dataType: 13, uint64Data: [2 ** 52]}), [2 ** 52]);
  t.deepEqual(numbers({dims: [1], dataType: 12, uint64Data: [2 ** 32 - 1]}), [2 ** 32 - 1]);
  t.deepEqual(numbers({dims: [3], dataType: 22, ...raw(Uint8Array.of(0x1f, 0x08))}), [-1, 1, -8]);
  t.deepEqual(numbers({dims: [3], dataType: 21, int32Data: [0x1f, 0x08]}), [15, 1, 8]);
  t.deepEqual(numbers({dims: [3], dataType: 9, ...raw(Uint8Array.of(0, 1, 255))}), [0, 1, 1]);
  t.deepEqual(numbers({dims: [], dataType: 1, floatData: [7]}), [7]);
  t.deepEqual(numbers({dims: [0, 5], dataType: 1}), []);
});

test('repeated fields may come packed, one by one, or both', t => {
  const one = (value: number) => joined(Uint8Array.of(0x25), new Uint8Array(Float32Array.of(value).buffer));
  const bytes = joined(varint(1, 4), varint(2, 1), one(1), field(4, new Uint8Array(Float32Array.of(2, 3).buffer)), one(4));
  t.deepEqual(numbersOf(decoded(bytes)), [1, 2, 3, 4]);
  const run = new Run();
  for (let i = 0; i < 1000; i++) run.add(Uint8Array.of(i % 128));
  t.deepEqual(
    [...run.bytes],
    Array.from({length: 1000}, (_, i) => i % 128),
  );
});

test('varints', t => {
  const values = [0, 1, 127, 128, 300, 2 ** 31, 2 ** 32 + 5, 2 ** 52, -1, -(2 ** 40)];
  const writer = protobuf.Writer.create();
  for (const value of values) writer.int64(value);
  const bytes = writer.finish();
  t.deepEqual(signedVarints(bytes), values);
  t.is(countVarints(bytes), values.length);
  t.is(countVarints(Uint8Array.of(1, 128)), null);
});

test('tensors that do not hold what they claim', t => {
  const refused = (code: string, proto: onnx.ITensorProto) => refuses(t, 'input', code, () => tensor(proto));
  const started = performance.now();
  for (let i = 0; i < 100; i++)
    refused('onnx.tensor-bytes', {dims: [2 ** 20, 2 ** 20], dataType: 1, rawData: Uint8Array.of(1, 2, 3)});
  t.true(performance.now() - started < 1000, 'nothing is allocated');
  refused('onnx.tensor-bytes', {dims: [2 ** 20, 2 ** 20], dataType: 6, int32Data: [1, 2, 3]});
  refused('onnx.tensor-bytes', {dims: [2], dataType: 7, int64Data: [1, 2, 3]});
  refused('onnx.tensor-bytes', {dims: [3], dataType: 1});
  refused('onnx.tensor-dims', {dims: [-3], dataType: 1, floatData: [1]});
  refused('onnx.tensor-dims', {dims: [2 ** 50, 2 ** 50], dataType: 1, floatData: [1]});
  refused('onnx.tensor-dims', {dims: [...Array.from({length: 30}, () => 2 ** 40), 0], dataType: 1});
  refused('onnx.tensor-storage', {dims: [1], dataType: 1, floatData: [1], rawData: new Uint8Array(4)});
  refused('onnx.tensor-storage', {dims: [1], dataType: 1, int32Data: [1]});
  refused('onnx.tensor-value', {dims: [1], dataType: 3, int32Data: [128]});
  const broken = joined(varint(1, 1), varint(2, 7), field(7, new Uint8Array(11).fill(255).with(10, 1)));
  refuses(t, 'input', 'onnx.tensor-bytes', () => decoded(broken));
  for (const [dataType, name] of [
    [8, 'string'],
    [14, 'complex64'],
    [17, 'float8e4m3fn'],
    [99, 'number 99'],
  ] as const) {
    t.is(dtypeOfOnnx(dataType), null);
    t.is(onnxTypeName(dataType), name);
    const error = refuses(t, 'unsupported', 'onnx.tensor-type', () => tensor({dims: [1], dataType, rawData: new Uint8Array(8)}));
    t.regex(error?.message ?? '', new RegExp(name));
  }
});

test('external data stays in the folder of the model', t => {
  const home = join(folder, 'model');
  mkdirSync(join(home, 'inner'), {recursive: true});
  const values = Float32Array.of(9, 1, 2, 3);
  writeFileSync(join(home, 'inner', 'w.bin'), new Uint8Array(values.buffer));
  writeFileSync(join(folder, 'secret.bin'), new Uint8Array(values.buffer));
  symlinkSync(join(folder, 'secret.bin'), join(home, 'link.bin'));
  symlinkSync(join(home, 'inner', 'w.bin'), join(home, 'good-link.bin'));
  const external = (location: string, offset = '4', length?: string): onnx.ITensorProto => ({
    name: 'w',
    dims: [3],
    dataType: 1,
    dataLocation: 1,
    externalData: [
      {key: 'location', value: location},
      {key: 'offset', value: offset},
      ...(length === undefined ? [] : [{key: 'length', value: length}]),
    ],
  });
  t.deepEqual(numbersOf(tensor(external('inner/w.bin', '4', '12'), home)), [1, 2, 3]);
  t.deepEqual(numbersOf(tensor(external('inner/w.bin', '0'), home)), [9, 1, 2]);
  t.deepEqual(numbersOf(tensor(external('good-link.bin'), home)), [1, 2, 3]);
  const refused = (code: string, ...[location, offset, length]: Parameters<typeof external>) =>
    refuses(t, 'input', code, () => tensor(external(location, offset, length), home));
  refused('onnx.external-location', '');
  refused('onnx.external-absolute', join(home, 'inner', 'w.bin'));
  refused('onnx.external-absolute', 'C:\\w.bin');
  refused('onnx.external-parent', '../secret.bin');
  refused('onnx.external-parent', 'inner/../inner/w.bin');
  refused('onnx.external-parent', 'inner\\..\\..\\secret.bin');
  refused('onnx.external-symlink', 'link.bin');
  refused('onnx.external-missing', 'nothing.bin');
  refused('onnx.external-missing', 'inner');
  refused('onnx.external-range', 'inner/w.bin', '8');
  refused('onnx.external-range', 'inner/w.bin', '999999999999999');
  refused('onnx.tensor-bytes', 'inner/w.bin', '0', '8');
  refuses(t, 'input', 'onnx.external-folder', () => tensor(external('inner/w.bin'), null));
  const graph = {...smallGraph(), initializer: [external('w', 'minus one')]};
  refuses(t, 'input', 'onnx.malformed', () => decodeModel(modelBytes(graph), 'm.onnx'));
});

test('tensor files round-trip', t => {
  const path = join(folder, 'x.pb');
  const tensors = [
    tensorFrom('f32', [2, 2], [1, -2, 3.5, 0]),
    tensorFrom('i64', [2], [-1n, 5n]),
    tensorFrom('f16', [1], [0.5]),
    tensorFrom('i4', [3], [-8, 7, -1]),
    tensorFrom('u4', [2], [15, 1]),
    tensorFrom('bool', [2], [1, 0]),
    tensorFrom('u8', [], [3]),
  ];
  for (const written of tensors) {
    writeTensorFile(path, written, 'x');
    t.deepEqual(readTensorFile(path), {...written, name: 'x'});
  }
  for (const bytes of [text('hello'), new Uint8Array(0), Uint8Array.of(8, 200), Uint8Array.of(8, 1)]) {
    writeFileSync(path, bytes);
    refuses(t, 'input', 'tensor-file.format', () => readTensorFile(path));
  }
  refuses(t, 'input', 'file.missing', () => readTensorFile(join(folder, 'none.pb')));
});
