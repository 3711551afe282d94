/** The blob of weights: packing against a formula per element, header, checksum; and C that opens it, or says why not. */
import {execFileSync} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {targets} from '../codegen/targets/index.js';
import {checksum, headerBytes, layOut, packWeights, seal} from '../codegen/weights.js';
import {blobOf} from '../ir/edit.js';
import {parse} from '../ir/parse.js';
import type {Packing, Plan, Weight} from '../ir/plan.js';
import {bytesOfTensor, elements, fromHalf, tensorFrom} from '../ir/tensor.js';
import type {DType} from '../ir/types.js';
import {cc, compileAs, temporaryFolder, writeSources} from './support/cc.js';

const planOf = (weights: readonly Weight[]): Plan => ({
  name: 'p',
  memory: null,
  segments: [],
  entries: [
    {name: 't', roots: weights.map(weight => ({kind: 'weights', name: weight.name, weight})), inputs: [], outputs: [], steps: []},
  ],
});

/** Values 1, 2, 3, ...: padding is 0, so every value says where it came from. */
function weightOf(shape: readonly number[], packing: Packing, dtype: DType = 'f32'): Weight {
  const tensor = tensorFrom(
    dtype,
    shape,
    Array.from({length: elements(shape)}, (_, i) => i + 1),
  );
  return {name: 'w', blob: blobOf(bytesOfTensor(tensor)), type: {dtype, shape}, packing};
}

function packed(weight: Weight): Float32Array {
  const layout = layOut([planOf([weight])]);
  const bytes = packWeights(layout);
  return new Float32Array(bytes.slice(layout.offsetOf(weight), layout.offsetOf(weight) + layout.sizeOf(weight)).buffer);
}

/** Element [o][i][r][s], counted from 1. */
const at = (shape: readonly number[], o: number, i = 0, r = 0, s = 0): number => {
  const [, inputs = 1, rows = 1, columns = 1] = shape as [number, number?, number?, number?];
  return ((o * inputs + i) * rows + r) * columns + s + 1;
};

test('panels: [group][o/16][r][s][i][16]', t => {
  for (const [shape, groups] of [
    [[16, 3, 3, 3], 1],
    [[17, 2, 1, 3], 1],
    [[33, 5], 1],
    [[1, 1, 1, 1], 1],
    [[6, 2, 2, 2], 3],
    [[40, 3, 1, 2], 2],
  ] as const) {
    const [outputs, inputs, rows = 1, columns = 1] = shape as readonly [number, number, number?, number?];
    const perGroup = outputs / groups;
    const panels = Math.ceil(perGroup / 16);
    const values = packed(weightOf(shape, {kind: 'panels', groups}));
    let place = 0;
    for (let g = 0; g < groups; g++)
      for (let panel = 0; panel < panels; panel++)
        for (let r = 0; r < rows; r++)
          for (let s = 0; s < columns; s++)
            for (let i = 0; i < inputs; i++)
              for (let lane = 0; lane < 16; lane++, place++) {
                const channel = panel * 16 + lane;
                const wanted = channel < perGroup ? at(shape, g * perGroup + channel, i, r, s) : 0;
                if (values[place] !== wanted)
                  t.fail(`${shape} in ${groups} groups: [${place}] is ${values[place]}, not ${wanted}`);
              }
    t.is(values.length, place, `${shape}`);
  }
});

test('panels of narrow weights: halves as they are, integers of 4 bits two per byte', t => {
  const shape = [19, 3, 1, 2];
  const packing: Packing = {kind: 'panels', groups: 1};
  const words = (weight: Weight): Uint8Array => {
    const layout = layOut([planOf([weight])]);
    const offset = layout.offsetOf(weight);
    return packWeights(layout).slice(offset, offset + layout.sizeOf(weight));
  };
  const wide = packed(weightOf(shape, packing));
  const halves = new Uint16Array(words(weightOf(shape, packing, 'f16')).buffer);
  const bytes = words(weightOf(shape, packing, 'i8'));
  const nibbles = words(weightOf(shape, packing, 'i4'));
  t.deepEqual([halves.length, bytes.length, nibbles.length], [192, 192, 128]);
  wide.forEach((value, place) => {
    t.is(fromHalf(halves[place]!), value);
    t.is(bytes[place], value);
    const lane = place % 16;
    const word = new DataView(nibbles.buffer).getUint32((place - lane) / 2 + 4 * (lane % 2), true);
    t.is((word >>> (4 * Math.floor(lane / 2))) & 15, value & 15);
  });
});

test('depthwise panels: [c/16][r][s][16]', t => {
  for (const shape of [
    [16, 1, 3, 3],
    [19, 1, 2, 3],
    [1, 1, 1, 1],
  ]) {
    const [channels, , rows, columns] = shape as [number, number, number, number];
    const values = packed(weightOf(shape, {kind: 'depthwise-panels'}));
    let place = 0;
    for (let panel = 0; panel < Math.ceil(channels / 16); panel++)
      for (let r = 0; r < rows; r++)
        for (let s = 0; s < columns; s++)
          for (let lane = 0; lane < 16; lane++, place++) {
            const channel = panel * 16 + lane;
            t.is(values[place], channel < channels ? at(shape, channel, 0, r, s) : 0, `${shape} [${place}]`);
          }
    t.is(values.length, place);
  }
});

/** Values of the polynomial a + bx + cx^2 at a point, by the factor of each coefficient; the last point is infinity. */
const factorsAt: Readonly<Record<2 | 4, readonly (readonly number[])[]>> = {
  2: [0, 1, -1].map(x => [1, x, x * x]),
  4: [0, 1, -1, 2, -2].map(x => [1, x, x * x]),
};

/** What the transform of x and that of the products leave to the weights at each point. */
const scaleAt = {2: [1, 1 / 2, 1 / 2], 4: [1 / 4, -1 / 6, -1 / 6, 1 / 24, 1 / 24]} as const;

test("Winograd's panels: [point][o/16][i][16], values of the kernel's polynomial in each axis of three weights", t => {
  for (const shape of [
    [16, 2, 3, 3],
    [17, 3, 1, 3],
    [5, 2, 3, 1],
  ])
    for (const tile of [2, 4] as const) {
      const [outputs, inputs, rows, columns] = shape as [number, number, number, number];
      const values = packed(weightOf(shape, {kind: 'winograd-panels', tile}));
      const points = [...factorsAt[tile].map((factors, point) => factors.map(x => x * scaleAt[tile][point]!)), [0, 0, 1]];
      const [down, across] = [rows, columns].map(size => (size === 1 ? [[1]] : points)) as [number[][], number[][]];
      let place = 0;
      for (const row of down)
        for (const column of across)
          for (let panel = 0; panel < Math.ceil(outputs / 16); panel++)
            for (let i = 0; i < inputs; i++)
              for (let lane = 0; lane < 16; lane++, place++) {
                const o = panel * 16 + lane;
                const weight = (r: number, s: number): number => (o < outputs ? at(shape, o, i, r, s) : 0);
                const wanted = row
                  .flatMap((a, r) => column.map((b, s) => a * b * weight(r, s)))
                  .reduce((sum, each) => sum + each);
                if (Math.abs(values[place]! - wanted) > 1e-4)
                  t.fail(`${shape} by ${tile}: [${place}] is ${values[place]}, not ${wanted}`);
              }
      t.is(values.length, place, `${shape} by ${tile}`);
    }
});

test('bias panels: [group][o/16 * 16], and zeros where there is no bias', t => {
  const values = packed(weightOf([34], {kind: 'bias-panels', groups: 2}));
  t.is(values.length, 64);
  values.forEach((value, place) => {
    const [group, channel] = [Math.floor(place / 32), place % 32];
    t.is(value, channel < 17 ? group * 17 + channel + 1 : 0);
  });
  const none = packed({name: 'zeros', blob: null, type: {dtype: 'f32', shape: [20]}, packing: {kind: 'bias-panels', groups: 1}});
  t.deepEqual([...none], new Array<number>(32).fill(0));
});

test('plain weights are their bytes; all begin at multiples of 64; equal ones are one', t => {
  const list = [
    weightOf([3], {kind: 'plain'}),
    weightOf([5], {kind: 'plain'}, 'i64'),
    weightOf([3], {kind: 'plain'}),
    weightOf([3], {kind: 'bias-panels', groups: 1}),
    weightOf([7], {kind: 'plain'}, 'u8'),
  ];
  const layout = layOut([planOf(list)]);
  t.is(layout.weights.length, 4);
  t.is(layout.offsetOf(list[0]!), layout.offsetOf(list[2]!));
  const offsets = layout.weights.map(layout.offsetOf);
  t.deepEqual(offsets, [64, 128, 192, 256]);
  t.is(layout.bytes, 320);
  const bytes = packWeights(layout);
  for (const weight of [list[0]!, list[1]!, list[4]!]) {
    const offset = layout.offsetOf(weight);
    t.deepEqual(bytes.slice(offset, offset + weight.blob!.bytes.length), weight.blob!.bytes);
  }
  t.throws(() => layout.offsetOf(weightOf([9], {kind: 'plain'})), {message: /is not in the blob/});
});

/** The checksum, written anew with big integers. */
function slowChecksum(bytes: Uint8Array): readonly [number, number] {
  const mask = 0xffffffffn;
  const lanes = Array.from({length: 8}, (_, i) => (0x9e3779b1n * BigInt(i + 1)) & mask);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let place = 0; place < bytes.length; place += 4) {
    const lane = (place / 4) % 8;
    const mixed = ((lanes[lane]! ^ BigInt(view.getUint32(place, true))) * 0x85ebca6bn) & mask;
    lanes[lane] = mixed ^ (mixed >> 15n);
  }
  let [low, high] = [0n, 0n];
  lanes.forEach((lane, i) => {
    low = ((low ^ lane) * 0xc2b2ae35n) & mask;
    low ^= low >> 13n;
    high = ((high ^ lanes[7 - i]!) * 0x27d4eb2fn) & mask;
    high ^= high >> 16n;
  });
  return [Number(low), Number(high)];
}

test('the checksum is that of its description, and every bit counts', t => {
  const bytes = Uint8Array.from({length: 256}, (_, i) => (i * 37) % 251);
  t.deepEqual(checksum(bytes), slowChecksum(bytes));
  t.deepEqual(checksum(new Uint8Array()), slowChecksum(new Uint8Array()));
  const seen = new Set([String(checksum(bytes))]);
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    seen.add(String(checksum(bytes)));
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  t.is(seen.size, 1 + 8 * bytes.length);
});

test('the header says what the file is', t => {
  const blob = new Uint8Array(192).map((_, i) => (i < headerBytes ? 0 : i));
  seal(blob, '00112233445566778899aabbccddeeff');
  const view = new DataView(blob.buffer);
  t.is(Buffer.from(blob.subarray(0, 8)).toString(), 'dnncblob');
  t.is(view.getUint32(8, true), 1);
  t.is(view.getUint32(12, true), 0x01020304);
  t.is(Buffer.from(blob.subarray(16, 32)).toString('hex'), '00112233445566778899aabbccddeeff');
  t.is(view.getBigUint64(32, true), 192n);
  t.deepEqual([view.getUint32(40, true), view.getUint32(44, true)], [...slowChecksum(blob.subarray(64))]);
  t.deepEqual(blob.subarray(48, 64), new Uint8Array(16));
});

const names = ['OK', 'TRUNCATED', 'NOT_A_BLOB', 'FORMAT', 'BYTE_ORDER', 'OTHER_BUILD', 'DAMAGED', 'MISALIGNED'];

/** A program that checks blobs: each case is a change to the good one; prints the code of each. */
const main = (cases: readonly {readonly change: string}[]): string => `
#include "tiny.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void) {
  static unsigned char good[TINY_WEIGHTS_BYTES];
  unsigned char *space = aligned_alloc(64, TINY_WEIGHTS_BYTES + 64);
  FILE *file = fopen("tiny.weights", "rb");
  if (!file || fread(good, 1, sizeof good, file) != sizeof good) return 1;
${cases
  .map(
    ({change}) => `  {
    unsigned char *blob = space;
    size_t bytes = sizeof good;
    tiny_weights weights;
    memcpy(space, good, sizeof good);
    ${change}
    const int code = tiny_check(blob, bytes), opened = tiny_open(blob, bytes, &weights);
    printf("%d\\n", code != opened || (code == 0) != (weights.data == blob) || (code != 0 && weights.data) ? -1 : code);
  }
`,
  )
  .join('')}  free(space);
  return 0;
}
`;

test('C opens its own weights, and says what is wrong with others', t => {
  const module = parse(
    'dnnc-ir 1 module @tiny { input %x : f32[1,40] const %w : f32[3,40] = random(1) %y = linear(%x, %w) : f32[1,3] head @h = %y }',
  );
  const [generic] = targets;
  const compiled = compileAs(module, 'tiny', [generic!]);
  if (compiled instanceof Error) throw compiled;
  const cases: readonly (readonly [name: string, wanted: string, change: string])[] = [
    ['as it is', 'OK', ''],
    ['longer than needed', 'OK', 'bytes += 64;'],
    ['empty', 'TRUNCATED', 'bytes = 0;'],
    ['shorter than a header', 'TRUNCATED', 'bytes = 63;'],
    ['header alone', 'TRUNCATED', 'bytes = 64;'],
    ['one byte short', 'TRUNCATED', 'bytes--;'],
    ['another file', 'NOT_A_BLOB', 'memset(blob, 0x7f, bytes);'],
    ['last letter of the name', 'NOT_A_BLOB', "blob[7] = 'B';"],
    ['another version', 'FORMAT', 'blob[8] = 2;'],
    ['the other byte order', 'BYTE_ORDER', 'blob[12] = 1, blob[13] = 2, blob[14] = 3, blob[15] = 4;'],
    ['another build', 'OTHER_BUILD', 'blob[16] ^= 1;'],
    ['another build, at the last byte', 'OTHER_BUILD', 'blob[31] ^= 128;'],
    ['first bit of the weights', 'DAMAGED', 'blob[64] ^= 1;'],
    ['last bit of the weights', 'DAMAGED', 'blob[bytes - 1] ^= 128;'],
    ['a bit of the checksum', 'DAMAGED', 'blob[44] ^= 4;'],
    ['two words swapped', 'DAMAGED', 'memcpy(blob + 64, good + 68, 4); memcpy(blob + 68, good + 64, 4);'],
    ['four bytes off', 'MISALIGNED', 'memmove(blob + 4, blob, bytes); blob += 4;'],
    ['32 bytes off', 'MISALIGNED', 'memmove(blob + 32, blob, bytes); blob += 32;'],
  ];
  const folder = temporaryFolder();
  writeSources(folder, [{name: 'tiny', result: compiled}], [generic!]);
  writeFileSync(join(folder, 'main.c'), main(cases.map(([, , change]) => ({change}))));
  const flags = ['-std=c11', '-O1', '-Wall', '-Wextra', '-Werror', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  execFileSync(cc, [...flags, 'main.c', 'tiny.generic.c', '-o', 'main', '-lm'], {cwd: folder, stdio: 'pipe'});
  const codes = execFileSync(join(folder, 'main'), {cwd: folder, encoding: 'utf8'}).trim().split('\n').map(Number);
  cases.forEach(([name, wanted], i) => {
    t.is(names[codes[i]!] ?? codes[i], wanted, name);
  });
});
