/** Which of several ways to compute a call is the cheapest: estimates in cycles of a core with 512-bit vectors. */
import type {Sizes} from '../../ir/op.js';
import type {KernelCall} from '../../ir/plan.js';
import {type Feature, panelSize} from './inventory.js';
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

/** Whether a kernel call could have been computed in another way. */
export function choosesWay({contract, fields}: KernelCall): boolean {
  if (contract === 'winograd_f32') return true;
  const size = (name: string): number => fields[name] ?? 1;
  const plain = ['sh', 'sw', 'dh', 'dw', 'groups'].every(name => size(name) === 1);
  return contract === 'conv2d_f32' && plain && size('kh') === 3 && size('kw') === 3;
}

/** The way that a kernel call is computed in. */
export const wayOf = ({contract, fields}: KernelCall): string =>
  contract === 'winograd_f32' ? `winograd-${fields.m}` : 'direct';

/** How a kernel call is computed, in words, with the estimates that decided where there was a choice. */
export function whyOf(call: KernelCall): string {
  const {contract, fields} = call;
  if (!choosesWay(call)) return contract;
  const estimates = (['direct', 'winograd-2', 'winograd-4'] as const)
    .map(way => `${way} ${(convolutionCycles(way, fields) / 1000).toFixed(0)}`)
    .join(', ');
  const {m = 0, tiles = 0} = fields;
  const chosen = contract === 'winograd_f32' ? `Winograd F(${m}x${m}, 3x3), ${tiles} tiles` : 'direct';
  return `${chosen}; estimated kilocycles: ${estimates}`;
}

/** Multiply-adds of one vector per cycle. */
const fmas = 2;
/** Bytes of weights per cycle, by how many there are: from the second-level cache, the third, and beyond. */
const bandwidth = (bytes: number): number => (bytes <= 768 * 1024 ? 64 : bytes <= 8 * 1024 * 1024 ? 18 : 6);
/** Cycles to transform one tile for one vector of channels, there and back, measured with codegen/kernels/bench. */
const transforms: Readonly<Record<number, {readonly forward: number; readonly back: number}>> = {
  2: {forward: 110, back: 85},
  4: {forward: 190, back: 145},
};

function convolutionCycles(way: string, sizes: Sizes): number {
  const size = (name: string): number => sizes[name] ?? 1;
  const [ic, oc] = [size('ic'), Math.ceil(size('oc') / panelSize)];
  const stream = (bytes: number, times: number): number => (bytes * times) / bandwidth(bytes);
  const weights = ic * oc * panelSize * 4;
  if (way === 'direct') {
    const sums = (size('n') * size('oh') * size('ow') * 9 * ic * oc) / fmas;
    return Math.max(1.1 * sums, stream(9 * weights, 1));
  }
  const m = Number(way.slice(-1));
  const points = (m + 2) ** 2;
  const all = size('n') * Math.ceil(size('oh') / m) * Math.ceil(size('ow') / m);
  const {forward, back} = transforms[m]!;
  // A product with few rows waits for its own sums.
  const rows = Math.min(all, 8);
  const products = (points * all * ic * oc) / fmas / Math.min(1, (rows * Math.min(oc, 4)) / 8);
  const rounds = Math.ceil(all / Math.max(8, Math.floor((192 * 1024) / 4 / (points * (ic + oc * panelSize)))));
  return Math.max(1.1 * products, stream(points * weights, rounds)) + all * (forward * Math.ceil(ic / panelSize) + back * oc);
}
