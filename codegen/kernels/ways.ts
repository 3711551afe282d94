/** Which of several ways to compute a call is the cheapest: estimates in cycles of a core with 512-bit vectors. */
import type {Sizes} from '../../ir/op.js';
import {isNear, pointsOf, tilesOf, tilesTogether, waysFor} from '../../ir/ops/conv2d/winograd.js';
import type {KernelCall} from '../../ir/plan.js';
import {type Feature, isWinograd, panelSize} from './inventory.js';
import {type ConvolutionSize, chooseTile, type Tile} from './tiles.js';

export type ChooseWay = <W extends string>(contract: string, sizes: Sizes, ways: readonly [W, ...W[]]) => W;

/** Answers what a build may choose: how a call is computed when it is lowered, its register tile when C is written. */
export type Chooser = {
  readonly way: ChooseWay;
  readonly tile: (size: ConvolutionSize, features: readonly Feature[]) => Tile;
};

/** By the cost models, below and in tiles.ts. */
export const cheapest: Chooser = {way: (_contract, sizes, ways) => rankedWays(sizes, ways)[0], tile: chooseTile};

/** The way with the smallest weights: for builds where memory counts for more than time. */
export const smallest: Chooser = {way: (_contract, _sizes, ways) => ways[0], tile: chooseTile};

export type Preference = 'speed' | 'size';
export const preferences: Readonly<Record<Preference, Chooser>> = {speed: cheapest, size: smallest};

/** From the cheapest to the dearest. */
export function rankedWays<W extends string>(sizes: Sizes, ways: readonly [W, ...W[]]): readonly [W, ...W[]] {
  const cycles = (way: W): number => convolutionCycles(way, sizes);
  const [first, ...others] = [...ways].sort((a, b) => cycles(a) - cycles(b));
  return [first ?? ways[0], ...others];
}

/** Rows and columns of the kernels of Winograd calls, whose fields do not say them. */
const windows: Readonly<Record<string, Sizes>> = {
  winograd_f32: {kh: 3, kw: 3},
  winograd_1x3_f32: {kh: 1, kw: 3},
  winograd_3x1_f32: {kh: 3, kw: 1},
};

/** The sizes that the way of a kernel call was chosen by; null where there was no choice. */
export function wayedSizes({contract, fields}: KernelCall): Sizes | null {
  if (contract in windows) return {...fields, ...windows[contract]};
  const size = (name: string): number => fields[name] ?? 1;
  const plain = ['sh', 'sw', 'dh', 'dw', 'groups'].every(name => size(name) === 1);
  return contract === 'conv2d_f32' && plain && waysFor(size('kh'), size('kw')).length > 1 ? fields : null;
}

/** The way that a kernel call is computed in. */
export function wayOf({contract, fields}: KernelCall): string {
  if (!isWinograd(contract)) return 'direct';
  return contract === 'winograd_f32' ? `winograd-${fields.m}` : `winograd-line-${fields.m}`;
}

/** How a kernel call is computed, in words, with the estimates that decided where there was a choice. */
export function whyOf(call: KernelCall): string {
  const sizes = wayedSizes(call);
  if (!sizes) return call.contract;
  const estimates = waysFor(sizes.kh!, sizes.kw!)
    .map(way => `${way} ${(convolutionCycles(way, sizes) / 1000).toFixed(0)}`)
    .join(', ');
  return `${transformOf(call) ?? 'direct'}; estimated kilocycles: ${estimates}`;
}

function transformOf({contract, fields: {m = 0, tiles = 0}}: KernelCall): string | null {
  if (!isWinograd(contract)) return null;
  const along = contract === 'winograd_1x3_f32' ? 'rows' : 'columns';
  const transform = contract === 'winograd_f32' ? `F(${m}x${m}, 3x3)` : `F(${m}, 3) along ${along}`;
  return `Winograd ${transform}, ${tiles} tiles`;
}

/** Multiply-adds of one vector per cycle. */
const fmas = 2;
/** Bytes of weights per cycle, by how many there are: from the second-level cache, the third, and beyond. */
export const bandwidth = (bytes: number): number => (bytes <= 768 * 1024 ? 64 : bytes <= 8 * 1024 * 1024 ? 18 : 6);

type Transform = {readonly forward: number; readonly back: number};
/** Cycles to transform one tile for one vector of channels, there and back, measured with codegen/kernels/bench. */
const transforms: Readonly<Record<number, Transform>> = {2: {forward: 110, back: 85}, 4: {forward: 190, back: 145}};
/** The same along a line, from the first-level cache and from the second. */
const lines: Readonly<Record<'near' | 'far', Transform>> = {near: {forward: 12, back: 16}, far: {forward: 31, back: 21}};

/** Weights of products along a line: up to so many bytes in the first-level cache, in the second. */
const [nearWeights, farWeights] = [32 * 1024, 768 * 1024];

/** Along a line there is little to do for each weight: products wait for those in the second-level cache if tiles are few, and for all beyond. */
function lineCycles(products: number, bytes: number, rounds: number): number {
  if (bytes <= nearWeights) return products;
  return bytes <= farWeights ? Math.max(products, (bytes * rounds) / 24) : products + (bytes * rounds) / bandwidth(bytes);
}

export function convolutionCycles(way: string, sizes: Sizes): number {
  const size = (name: string): number => sizes[name] ?? 1;
  const [ic, oc] = [size('ic'), Math.ceil(size('oc') / panelSize)];
  const stream = (bytes: number, times: number): number => (bytes * times) / bandwidth(bytes);
  const weights = ic * oc * panelSize * 4;
  if (way === 'direct') {
    const window = size('kh') * size('kw');
    const sums = (size('n') * size('oh') * size('ow') * window * ic * oc) / fmas;
    return Math.max(1.1 * sums, stream(window * weights, 1));
  }
  const m = Number(way.slice(-1));
  const image = {oh: size('oh'), ow: size('ow'), kh: size('kh'), kw: size('kw'), ic, oc: size('oc')};
  const points = pointsOf(image, m);
  const all = size('n') * tilesOf(image, m);
  // A product with few rows waits for its own sums.
  const rows = Math.min(all, 8);
  const products = (points * all * ic * oc) / fmas / Math.min(1, (rows * Math.min(oc, 4)) / 8);
  const rounds = Math.ceil(all / tilesTogether(image, m));
  const sums = isLine(image)
    ? lineCycles(1.1 * products, points * weights, rounds)
    : Math.max(1.1 * products, stream(points * weights, rounds));
  return sums + all * transformCycles(image, m);
}

const isLine = ({kh, kw}: {readonly kh: number; readonly kw: number}): boolean => kh !== kw;

/** To transform a tile of all channels, there and back. */
function transformCycles(image: Parameters<typeof isNear>[0], m: number): number {
  const {forward, back} = isLine(image) ? lines[isNear(image, m) ? 'near' : 'far'] : transforms[m]!;
  return forward * Math.ceil(image.ic / panelSize) + back * Math.ceil(image.oc / panelSize);
}

/** Multiply-accumulates of a call that its way leaves out; transforms count as those that take as long. */
export function leftOut(call: KernelCall): number {
  if (!isWinograd(call.contract)) return 0;
  const sizes = wayedSizes(call) ?? {};
  const size = (name: string): number => sizes[name] ?? 1;
  const [n, oh, ow, kh, kw] = [size('n'), size('oh'), size('ow'), size('kh'), size('kw')];
  const [ic, oc, m] = [size('ic'), size('oc'), size('m')];
  const image = {oh, ow, kh, kw, ic, oc};
  const each = pointsOf(image, m) * ic * oc + transformCycles(image, m) * fmas * panelSize;
  return Math.max(0, n * (oh * ow * kh * kw * ic * oc - tilesOf(image, m) * each));
}
