/**
 * The weight blob: every weight of a plan, packed for its kernel, one after the other behind a header that says what it is.
 *
 * bytes 0..7 "dnncblob", 8..11 format 1, 12..15 byte-order mark 0x01020304, 16..31 build hash, 32..39 size of the blob,
 * 40..47 checksum of everything from byte 64 on, 48..63 zero. Little-endian. Weights begin at multiples of 64.
 */
import {invariant} from '../ir/diagnostics.js';
import {pointsOf} from '../ir/ops/conv2d/winograd.js';
import {everyEntry, type Packing, type Plan, type Weight} from '../ir/plan.js';
import {numbersOf, tensorOf, widthOf} from '../ir/tensor.js';
import {blockSize, panelSize} from './kernels/inventory.js';

export const headerBytes = 64;
export const blobAlignment = 64;
export const formatVersion = 1;

export type Layout = {
  /** Byte offset of a weight in the blob. */
  offsetOf(weight: Weight): number;
  /** Bytes that it takes there, packed and padded. */
  sizeOf(weight: Weight): number;
  readonly bytes: number;
  readonly weights: readonly Weight[];
};

/** Equal weights in equal packing are one. */
const keyOf = ({blob, type, packing}: Weight): string =>
  `${blob?.hash ?? 'zeros'} ${type.dtype}[${type.shape}] ${JSON.stringify(packing)}`;

export function layOut(plans: readonly Plan[]): Layout {
  const offsets = new Map<string, number>();
  const weights: Weight[] = [];
  let bytes = headerBytes;
  for (const plan of plans)
    for (const entry of everyEntry(plan))
      for (const root of entry.roots) {
        if (root.kind !== 'weights' || offsets.has(keyOf(root.weight))) continue;
        offsets.set(keyOf(root.weight), bytes);
        weights.push(root.weight);
        bytes += paddedBytes(root.weight);
      }
  return {
    bytes,
    weights,
    sizeOf: paddedBytes,
    offsetOf: weight => {
      const offset = offsets.get(keyOf(weight));
      invariant(offset !== undefined, 'weights.offset', weight.name, 'is not in the blob');
      return offset;
    },
  };
}

const paddedBytes = (weight: Weight): number => Math.ceil(packedBytes(weight) / blobAlignment) * blobAlignment;

/** Panels hold two integers of 4 bits per byte; what does not fit a byte of byte panels has another one. */
function packedBytes(weight: Weight): number {
  if (weight.packing.kind === 'byte-panels' || weight.packing.kind === 'depthwise-byte-panels') return packedElements(weight);
  return packedElements(weight) * (isNibbles(weight) ? 0.5 : widthOf(weight.type.dtype));
}

const isNibbles = ({type, packing}: Weight): boolean => type.dtype === 'i4' && packing.kind === 'panels';

const panels = (channels: number): number => Math.ceil(channels / panelSize);
const blocks = (channels: number): number => Math.ceil(channels / blockSize);

function packedElements({type, packing}: Weight): number {
  const [outputs = 1, ...rest] = type.shape;
  const each = rest.reduce((n, d) => n * d, 1);
  switch (packing.kind) {
    case 'plain':
      return outputs * each;
    case 'panels':
      return packing.groups * panels(outputs / packing.groups) * panelSize * each;
    case 'byte-panels': {
      const {runs, length} = runsOf(type.shape, packing.rows);
      const fours = runs * Math.ceil(length / 4) + packing.again.length;
      return packing.groups * panels(outputs / packing.groups) * panelSize * fours * 4;
    }
    case 'depthwise-panels':
      return panels(outputs) * panelSize * each;
    case 'depthwise-byte-panels':
      return blocks(outputs) * Math.ceil(rest[1]! / 4) * rest[2]! * 4 * blockSize;
    case 'depthwise-byte-bias':
      return blocks(outputs) * blockSize;
    case 'winograd-panels':
      return pointsOf(windowOf(type.shape), packing.tile) * panels(outputs) * panelSize * type.shape[1]!;
    case 'bias-panels':
      return packing.groups * panels(outputs / packing.groups) * panelSize;
    default:
      return packing satisfies never;
  }
}

/** The blob without its build hash: call `seal` once the code is known. */
export function packWeights(layout: Layout): Uint8Array {
  const bytes = new Uint8Array(layout.bytes);
  for (const weight of layout.weights) packInto(weight, bytes, layout.offsetOf(weight));
  return bytes;
}

/** One weight, packed for its kernel, at its place in the blob. */
export function packInto(weight: Weight, into: Uint8Array, offset: number): void {
  const {blob, type, packing} = weight;
  if (!blob) return;
  if (packing.kind === 'plain') {
    into.set(blob.bytes, offset);
    return;
  }
  if (packing.kind === 'byte-panels') {
    const numbers = numbersOf(tensorOf(type.dtype, type.shape, blob.bytes));
    packBytes(numbers, type.shape, packing, new Int8Array(into.buffer, offset));
    return;
  }
  if (packing.kind === 'depthwise-byte-panels') {
    packDepthwiseBytes(numbersOf(tensorOf(type.dtype, type.shape, blob.bytes)), type.shape, new Int8Array(into.buffer, offset));
    return;
  }
  const width = widthOf(type.dtype);
  invariant(width <= 4, 'weights.packing', packing.kind, `holds ${type.dtype}`);
  if (packing.kind === 'winograd-panels') {
    invariant(type.dtype === 'f32', 'weights.packing', packing.kind, `holds f32, not ${type.dtype}`);
    const from = wordsOf(blob.bytes, 4);
    packWinograd(
      new Float32Array(from.buffer, from.byteOffset, from.length),
      type.shape,
      packing.tile,
      new Float32Array(into.buffer, offset),
    );
    return;
  }
  const elements = packedElements(weight);
  const to = isNibbles(weight) ? new Uint8Array(elements) : wordsOf(into.subarray(offset, offset + elements * width), width);
  packPanels(wordsOf(blob.bytes, width), type.shape, packing, to);
  if (isNibbles(weight)) packNibbles(to, into.subarray(offset));
}

/** Sums of [o][i][kh][kw] over adjacent bytes of the image: how many runs there are, and bytes in each. */
function runsOf(shape: readonly number[], rows: boolean): {readonly runs: number; readonly length: number} {
  const [, inputs = 1, height = 1, width = 1] = shape;
  return rows ? {runs: height, length: width * inputs} : {runs: height * width, length: inputs};
}

function packBytes(from: readonly number[], shape: readonly number[], packing: BytePanels, to: Int8Array): void {
  const {groups, rows, again} = packing;
  const [outputs = 1, inputs = 1, height = 1, width = 1] = shape;
  const {runs, length} = runsOf(shape, rows);
  const perGroup = outputs / groups;
  const [four, fours] = [4 * panelSize, Math.ceil(length / 4)];
  for (let o = 0; o < outputs; o++) {
    const channel = o % perGroup;
    const panel = Math.floor(o / perGroup) * panels(perGroup) + Math.floor(channel / panelSize);
    for (let i = 0; i < inputs; i++)
      for (let r = 0; r < height; r++)
        for (let s = 0; s < width; s++) {
          const [at, k] = rows ? [r, s * inputs + i] : [r * width + s, i];
          const value = from[((o * inputs + i) * height + r) * width + s]!;
          const byte = Math.min(Math.max(value, -128), 127);
          const base = panel * (runs * fours + again.length) * four + (channel % panelSize) * 4;
          to[base + (at * fours + Math.floor(k / 4)) * four + (k % 4)] = byte;
          if (byte === value) continue;
          const extra = again.findIndex(({run, first}) => run === at && k >= first && k < first + 4);
          to[base + (runs * fours + extra) * four + (k - again[extra]!.first)] = value - byte;
        }
  }
}

/** Where a channel's number lies among the 64 of its block: sixteen channels by four quarters, in each of which they are side by side. */
const placeInBlock = (channel: number): number =>
  (Math.floor(channel / 4) % 4) * panelSize + (Math.floor(channel / panelSize) % 4) * 4 + (channel % 4);

/** Channels to pack, by the place in all blocks that they take: few come again until a block is full. */
function placesOf(channels: number): readonly (readonly [channel: number, block: number, place: number])[] {
  const all = [8, 16, 32].includes(channels) ? blockSize : channels;
  return Array.from({length: all}, (_, c) => [c % channels, Math.floor(c / blockSize), placeInBlock(c)] as const);
}

function packDepthwiseBytes(from: readonly number[], shape: readonly number[], to: Int8Array): void {
  const [channels = 1, , height = 1, width = 1] = shape;
  const fours = Math.ceil(height / 4);
  for (const [channel, block, place] of placesOf(channels))
    for (let r = 0; r < height; r++)
      for (let s = 0; s < width; s++) {
        const column = (block * fours + Math.floor(r / 4)) * width + s;
        to[(column * blockSize + place) * 4 + (r % 4)] = from[(channel * height + r) * width + s]!;
      }
}

type BytePanels = Extract<Packing, {kind: 'byte-panels'}>;

type Words = Uint8Array | Uint16Array | Uint32Array;

/** Bytes as words of 1, 2 or 4 of them: copied only where they are not aligned. */
function wordsOf(bytes: Uint8Array, width: number): Words {
  const {buffer, byteOffset, byteLength} = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  if (width === 1) return new Uint8Array(buffer, byteOffset, byteLength);
  return width === 2 ? new Uint16Array(buffer, byteOffset, byteLength / 2) : new Uint32Array(buffer, byteOffset, byteLength / 4);
}

/** Panels of 16 integers: even ones fill a 32-bit word from the low bits up, odd ones the next (codegen/kernels/weights.h). */
function packNibbles(from: Words, to: Uint8Array): void {
  from.forEach((value: number, i: number) => {
    const lane = i % panelSize;
    to[((i - lane) / panelSize) * 8 + (lane % 2) * 4 + (lane >> 2)]! |= (value & 15) << ((lane & 2) * 2);
  });
}

/** Moves words, whatever they mean. */
function packPanels(
  from: Words,
  shape: readonly number[],
  packing: Exclude<Packing, {kind: 'plain' | 'winograd-panels' | 'byte-panels' | 'depthwise-byte-panels'}>,
  to: Words,
): void {
  const [outputs, inputs = 1, rows = 1, columns = 1] = shape as [number, number?, number?, number?];
  if (packing.kind === 'depthwise-byte-bias') {
    for (const [channel, block, place] of placesOf(outputs)) to[block * blockSize + place] = from[channel]!;
    return;
  }
  const groups = packing.kind === 'depthwise-panels' ? 1 : packing.groups;
  const perGroup = outputs / groups;
  const depth = packing.kind === 'bias-panels' ? 1 : inputs * rows * columns;
  for (let o = 0; o < outputs; o++) {
    const [group, channel] = [Math.floor(o / perGroup), o % perGroup];
    const base = (group * panels(perGroup) + Math.floor(channel / panelSize)) * depth * panelSize + (channel % panelSize);
    if (packing.kind === 'bias-panels') to[base] = from[o]!;
    else
      for (let i = 0; i < inputs; i++)
        for (let r = 0; r < rows; r++)
          for (let s = 0; s < columns; s++)
            to[base + ((r * columns + s) * inputs + i) * panelSize] = from[((o * inputs + i) * rows + r) * columns + s]!;
  }
}

/** G of U = G g G^T for tiles of 2 and of 4 (Lavin and Gray 2015, section 4). */
type Matrix = readonly (readonly number[])[];
const winogradMatrix: Readonly<Record<2 | 4, Matrix>> = {
  2: [
    [1, 0, 0],
    [1 / 2, 1 / 2, 1 / 2],
    [1 / 2, -1 / 2, 1 / 2],
    [0, 0, 1],
  ],
  4: [
    [1 / 4, 0, 0],
    [-1 / 6, -1 / 6, -1 / 6],
    [-1 / 6, 1 / 6, -1 / 6],
    [1 / 24, 1 / 12, 1 / 6],
    [1 / 24, -1 / 12, 1 / 6],
    [0, 0, 1],
  ],
};

/** Along an axis of one weight nothing is transformed: G is 1. */
function packWinograd(from: Float32Array, shape: readonly number[], tile: 2 | 4, to: Float32Array): void {
  const [outputs, inputs] = shape as [number, number];
  const {kh, kw} = windowOf(shape);
  const [down, across] = [kh, kw].map(size => (size === 1 ? [[1]] : winogradMatrix[tile])) as [Matrix, Matrix];
  // What each weight of a kernel counts at each point: fits pack all layers over and over.
  const parts = down.flatMap(row => across.map(column => row.flatMap(r => column.map(s => r * s))));
  for (const [point, part] of parts.entries())
    for (let o = 0; o < outputs; o++) {
      const panel = point * panels(outputs) + Math.floor(o / panelSize);
      for (let i = 0, at = o * inputs * kh * kw; i < inputs; i++) {
        let sum = 0;
        for (let k = 0; k < part.length; k++, at++) sum += part[k]! * from[at]!;
        to[(panel * inputs + i) * panelSize + (o % panelSize)] = sum;
      }
    }
}

const windowOf = (shape: readonly number[]) => ({kh: shape[2]!, kw: shape[3]!});

/** Writes the header. `hash` is 32 hex digits; `magic` has eight letters. */
export function seal(blob: Uint8Array, hash: string, magic = 'dnncblob'): void {
  const view = new DataView(blob.buffer, blob.byteOffset);
  blob.set(new TextEncoder().encode(magic));
  view.setUint32(8, formatVersion, true);
  view.setUint32(12, 0x01020304, true);
  blob.set(Buffer.from(hash, 'hex'), 16);
  view.setBigUint64(32, BigInt(blob.byteLength), true);
  const [low, high] = checksum(blob.subarray(headerBytes));
  view.setUint32(40, low, true);
  view.setUint32(44, high, true);
}

/** Eight 32-bit lanes over little-endian words, so that C and JavaScript both run it at memory speed. Length: a multiple of 32. */
export function checksum(bytes: Uint8Array): readonly [number, number] {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const lanes = Uint32Array.from({length: 8}, (_, i) => 0x9e3779b1 * (i + 1));
  for (let at = 0; at < words.length; at += 8)
    for (let lane = 0; lane < 8; lane++) {
      const mixed = Math.imul(lanes[lane]! ^ words[at + lane]!, 0x85ebca6b);
      lanes[lane] = mixed ^ (mixed >>> 15);
    }
  let [low, high] = [0, 0];
  for (let lane = 0; lane < 8; lane++) {
    low = Math.imul(low ^ lanes[lane]!, 0xc2b2ae35);
    low ^= low >>> 13;
    high = Math.imul(high ^ lanes[7 - lane]!, 0x27d4eb2f);
    high ^= high >>> 16;
  }
  return [low >>> 0, high >>> 0];
}
