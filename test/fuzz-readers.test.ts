/** Whatever the bytes, a reader of files gives a result or a DnncError, soon. Seeds are printed on failure. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {zipSync} from 'fflate';
import jpeg from 'jpeg-js';
import {PNG} from 'pngjs';
import {decodeIdx} from '../compiler/data/idx.js';
import {decodeImage} from '../compiler/data/image.js';
import {decodeNpy, encodeNpy} from '../compiler/data/npy.js';
import {openNpz} from '../compiler/data/npz.js';
import {decodeModel} from '../compiler/onnx/decode.js';
import {readTensorFile} from '../compiler/onnx/tensor-file.js';
import {tensorOfProto} from '../compiler/onnx/tensors.js';
import {validateModel} from '../compiler/onnx/validate.js';
import {DnncError} from '../ir/diagnostics.js';
import {tensorFrom} from '../ir/tensor.js';
import {attribute, modelBytes, node, smallGraph, tensorBytes, valueInfo} from './support/onnx-bytes.js';

const folder = mkdtempSync(join(tmpdir(), 'dnnc-fuzz-'));
test.after.always(() => rmSync(folder, {recursive: true}));

/** A small generator with a period of 2^32: the same seed gives the same run everywhere. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return below => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Flips bits, cuts, or copies a piece elsewhere; often several times. */
function mutated(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  let result = Uint8Array.from(bytes);
  for (let rounds = 1 + random(4); rounds > 0 && result.length > 0; rounds--)
    switch (random(5)) {
      case 0:
        result = result.slice(0, random(result.length));
        break;
      case 1: {
        const [from, to, length] = [random(result.length), random(result.length), random(64)];
        result = Uint8Array.from(
          Buffer.concat([result.subarray(0, to), result.subarray(from, from + length), result.subarray(to)]),
        );
        break;
      }
      case 2:
        result[random(result.length)] = [0, 1, 127, 128, 255][random(5)]!;
        break;
      default:
        result[random(result.length)]! ^= 1 << random(8);
    }
  return result;
}

/** Milliseconds for each kind of file, and for one file of it. */
const allowed = 2000;
const slowest = 20_000;

function fuzz(t: ExecutionContext, seeds: readonly Uint8Array[], read: (bytes: Uint8Array) => unknown): void {
  const started = performance.now();
  let accepted = 0;
  let seed = 0;
  for (; performance.now() - started < allowed && seed < 20_000; seed++) {
    const bytes = mutated(seeds[seed % seeds.length]!, randomFrom(seed));
    const before = performance.now();
    try {
      read(bytes);
      accepted++;
    } catch (cause) {
      if (!(cause instanceof DnncError) || cause.kind === 'bug')
        t.fail(`seed ${seed}: ${cause instanceof Error ? cause.stack : cause}`);
    }
    if (performance.now() - before > slowest) t.fail(`seed ${seed} took ${performance.now() - before} ms`);
  }
  t.log(`${seed} files, ${accepted} of them still readable`);
  t.true(seed > accepted);
}

test.serial('fuzz: onnx models', t => {
  const branch = {name: 'b', output: [valueInfo('o', [1])], node: [node('Relu', ['x'], ['o'])]};
  const withIf = {
    ...smallGraph(),
    node: [node('If', ['x'], ['y'], {attribute: [attribute('then_branch', {type: 5, g: branch})]})],
  };
  const fn = {name: 'F', domain: 'f', input: ['a'], output: ['b'], node: [node('Relu', ['a'], ['b'])]};
  const called = {...smallGraph(), node: [node('F', ['x'], ['y'], {domain: 'f'})]};
  fuzz(t, [modelBytes(), modelBytes(withIf), modelBytes(called, {functions: [fn]})], bytes => {
    const model = validateModel(decodeModel(bytes, 'm.onnx'), 'm.onnx');
    for (const proto of model.graph.initializers) tensorOfProto(proto, {file: 'm.onnx', folder});
  });
});

test.serial('fuzz: tensor files', t => {
  const path = join(folder, 'x.pb');
  const seeds = [
    {dims: [2, 3], dataType: 1, floatData: [1, 2, 3, 4, 5, 6]},
    {dims: [3], dataType: 7, int64Data: [-1, 2, 2 ** 40]},
    {dims: [5], dataType: 22, rawData: Uint8Array.of(1, 2, 3)},
    {dims: [2], dataType: 10, int32Data: [1, 2]},
  ];
  fuzz(t, seeds.map(tensorBytes), bytes => {
    writeFileSync(path, bytes);
    readTensorFile(path);
  });
});

const floats = tensorFrom(
  'f32',
  [3, 4],
  Array.from({length: 12}, (_, i) => i),
);

test.serial('fuzz: npy', t => {
  const fortran = Buffer.from(Buffer.from(encodeNpy(floats)).toString('latin1').replace('False', 'True '), 'latin1');
  fuzz(t, [encodeNpy(floats), encodeNpy(tensorFrom('i64', [2], [1, 2])), fortran], bytes => decodeNpy(bytes, 'a.npy'));
});

test.serial('fuzz: IDX', t => {
  const seeds = [
    Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6),
    Uint8Array.of(0, 0, 13, 1, 0, 0, 0, 1, 0x3f, 0x80, 0, 0),
  ];
  fuzz(t, seeds, bytes => decodeIdx(bytes, 'a-idx'));
});

test.serial('fuzz: npz', t => {
  const path = join(folder, 'a.npz');
  const members = {'x.npy': encodeNpy(floats), 'y.npy': encodeNpy(tensorFrom('i64', [3], [0, 1, 2]))};
  fuzz(t, [zipSync(members), zipSync(members, {level: 0})], bytes => {
    writeFileSync(path, bytes);
    const npz = openNpz(path);
    for (const key of npz.keys) npz.read(key);
  });
});

const noise = (count: number): Buffer => Buffer.from(Uint8Array.from({length: count}, (_, i) => (i * i * 31) >> 3));

test.serial('fuzz: png', t => {
  const seeds = ([0, 2, 6] as const).map(colorType => {
    const png = new PNG({width: 9, height: 7});
    png.data = noise(9 * 7 * 4);
    return PNG.sync.write(png, {colorType});
  });
  // Without a right checksum nothing behind it would be reached, so most files get one.
  fuzz(t, seeds, bytes => decodeImage(bytes[bytes.length - 1]! & 1 ? bytes : withChecksums(bytes), 'a.png'));
});

/** The same PNG with right checksums on all its chunks. */
function withChecksums(bytes: Uint8Array): Uint8Array {
  const png = Buffer.from(bytes);
  for (let at = 8; at + 12 <= png.length; ) {
    const end = at + 8 + png.readUInt32BE(at);
    if (end + 4 > png.length) break;
    png.writeUInt32BE(checksum(png.subarray(at + 4, end)), end);
    at = end + 4;
  }
  return png;
}

function checksum(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

test.serial('fuzz: jpeg', t => {
  const seeds = [
    [8, 8],
    [33, 17],
  ].map(([width = 1, height = 1]) => jpeg.encode({width, height, data: noise(width * height * 4)}, 80).data);
  fuzz(t, seeds, bytes => decodeImage(bytes, 'a.jpg'));
});
