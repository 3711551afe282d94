/** Which register tile a convolution is computed by: estimates in cycles, from what a core can do in one. */
import type {KernelCall} from '../../ir/plan.js';
import {type Feature, isTiledConvolution, isWinograd, panelSize} from './inventory.js';

/** What the choice of a tile depends on: the fields of the C struct conv2d_shape. */
export interface ConvolutionSize {
  /** Sums of products of bytes: `ic` counts groups of four. */
  readonly bytes?: boolean;
  readonly oh: number;
  readonly ow: number;
  readonly oc: number;
  readonly kh: number;
  readonly kw: number;
  readonly ic: number;
  readonly groups: number;
}

/** The convolution that a call computes tile by tile; null where it has no tile. */
export function tiledSize({contract, fields}: Pick<KernelCall, 'contract' | 'fields'>): ConvolutionSize | null {
  const size = (name: string): number => fields[name] ?? 1;
  const [oc, ic] = [size('oc'), size('ic')];
  // Each product of Winograd is a 1x1 convolution of a row of tiles, to whole vectors of all targets but the widest.
  if (isWinograd(contract)) {
    const whole = Math.ceil(oc / 8) * 8;
    return {oh: 1, ow: size('tiles'), kh: 1, kw: 1, oc: whole, ic, groups: 1};
  }
  if (contract === 'conv2d_u8') {
    const sum = {kh: size('rows'), kw: size('cols'), ic: Math.ceil(size('run') / 4)};
    return {oh: size('oh'), ow: size('ow'), ...sum, oc, groups: size('groups'), bytes: true};
  }
  if (!isTiledConvolution(contract)) return null;
  return {oh: size('oh'), ow: size('ow'), kh: size('kh'), kw: size('kw'), oc, ic, groups: size('groups')};
}

/** The register tile of conv2d_f32 and conv2d_u8: mr output columns (or floor(mr / ow) whole rows) x nv panels of 16 channels. */
export interface Tile {
  readonly mr: number;
  readonly nv: number;
  readonly panelsOuter: boolean;
}

/** Packed weights beyond this many bytes are not read again for every output row. */
const residentWeightBytes = 512 * 1024;

/** A weight block beyond this many bytes does not stay in the first-level cache. */
const nearWeightBytes = 24 * 1024;

/** What a core can do in one cycle, in vectors. */
const perCycle = {load: 2, store: 1, farBytes: 32};

/** Cycles from one multiply-add to the next that uses its result: 4, and some for orders of execution that do not hide it. */
const fmaLatency = 4.5;

/** Cycles that a tile costs apart from its arithmetic: loops, addresses, start of the sums. */
const tileOverhead = 12;

/** Multiply-adds per cycle, and products of four bytes each, that a C compiler makes of portable code; measured with gcc 12. */
const portable = {macs: 4, fours: 1.5};

/** Instructions for products of four bytes where there is none that does it all. */
const withoutDots = 3;

interface Registers {
  readonly lanes: number;
  /** All vector registers, and how many of them may hold sums (DNNC_TILE_VECTORS in simd.h, DNNC_DOT_VECTORS in bytes.h). */
  readonly all: number;
  readonly sums: number;
  /** Of them, how many a multiply-add needs besides its operands, and how many of these can be begun in a cycle. */
  readonly spare: number;
  readonly fmas: number;
}

function registersOf(features: ReadonlySet<Feature>, bytes: boolean): Registers | undefined {
  const fused = {spare: 0, fmas: 2};
  if (features.has('avx512f')) return {lanes: 16, all: 32, sums: bytes && !features.has('avx512vnni') ? 20 : 28, ...fused};
  if (features.has('avx2') && features.has('fma'))
    return {lanes: 8, all: 16, sums: bytes && !features.has('avxvnni') ? 8 : 12, ...fused};
  // Products are added by an instruction of their own.
  if (features.has('simd128')) return {lanes: 4, all: 16, sums: 8, spare: 1, fmas: 1};
  return undefined;
}

/** Whether a tile of `points` x `vectors` sums, one broadcast and its weights fit the registers. */
function fits(points: number, vectors: number, registers: Registers): boolean {
  // weights that only one point uses come straight from memory
  const weights = points === 1 ? 1 : vectors;
  return points * vectors <= registers.sums && points * vectors + weights + 1 + registers.spare <= registers.all;
}

/** Estimated cycles of one tile that sums over `depth` products. */
function tileCycles(points: number, vectors: number, depth: number, registers: Registers): number {
  const sums = points * vectors;
  const bytes = vectors * registers.lanes * 4;
  const far = depth * bytes > nearWeightBytes ? bytes / perCycle.farBytes : 0;
  const step = Math.max(sums / registers.fmas, (points + vectors) / perCycle.load, fmaLatency, far);
  return depth * step + sums / perCycle.store + tileOverhead;
}

/** Splits `total` into full parts of `size` and what is left: [[size, how many], [rest, 0 or 1]]. */
function parts(total: number, size: number): readonly (readonly [number, number])[] {
  return [[size, Math.floor(total / size)] as const, [total % size, 1] as const].filter(([part, count]) => part * count > 0);
}

/** Estimated cycles of one group with a tile, tails counted exactly. */
function cycles(size: ConvolutionSize, mr: number, nv: number, registers: Registers): number {
  const lines = Math.min(Math.max(1, Math.floor(mr / size.ow)), size.oh);
  const depth = size.kh * size.kw * size.ic;
  let sum = 0;
  for (const [rows, strips] of parts(size.oh, lines))
    for (const [columns, across] of parts(size.ow, Math.min(mr, size.ow)))
      for (const [channels, blocks] of parts(size.oc, Math.min(nv * panelSize, size.oc))) {
        const vectors = Math.ceil(channels / registers.lanes);
        sum += strips * across * blocks * tileCycles(rows * columns, vectors, depth, registers);
      }
  return sum;
}

/** The cheapest tile that fits the registers of the target. */
export const chooseTile = (size: ConvolutionSize, features: Iterable<Feature>): Tile => rankedTiles(size, features)[0];

/** Cycles that the cheapest tile takes, of one image and group. */
export function tiledCycles(size: ConvolutionSize, features: readonly Feature[]): number {
  const bytes = size.bytes ?? false;
  const registers = registersOf(new Set(features), bytes);
  if (!registers) return (size.oh * size.ow * size.kh * size.kw * size.ic * size.oc) / (bytes ? portable.fours : portable.macs);
  const {mr, nv} = chooseTile(size, features);
  const dots = features.includes('avx512vnni') || features.includes('avxvnni');
  return cycles(size, mr, nv, registers) * (bytes && !dots ? withoutDots : 1);
}

/** Floats in a vector register. */
export const lanesOf = (features: readonly Feature[]): number => registersOf(new Set(features), false)?.lanes ?? 4;

/** The cheapest tile for each number of panels, the cheapest of all first; then that one with its loops the other way round. */
export function rankedTiles(size: ConvolutionSize, features: Iterable<Feature>): readonly [Tile, ...Tile[]] {
  const panels = Math.ceil(size.oc / panelSize);
  const weightBytes = size.groups * panels * panelSize * size.kh * size.kw * size.ic * 4;
  const panelsOuter = weightBytes > residentWeightBytes;
  const registers = registersOf(new Set(features), size.bytes ?? false);
  if (!registers) return [{mr: Math.min(4, size.ow), nv: 1, panelsOuter}];

  const found: {readonly mr: number; readonly nv: number; readonly cycles: number}[] = [];
  for (let nv = 1; nv <= Math.min(8, panels); nv++) {
    const vectors = Math.ceil(Math.min(nv * panelSize, size.oc) / registers.lanes);
    let best = {mr: 1, nv, cycles: Number.POSITIVE_INFINITY};
    for (let mr = 1; mr <= Math.min(28, size.ow * size.oh); mr++) {
      // more than one row only as whole rows
      if (mr > size.ow && mr % size.ow !== 0) continue;
      if (!fits(mr, vectors, registers)) break;
      const candidate = cycles(size, mr, nv, registers);
      if (candidate < best.cycles) best = {mr, nv, cycles: candidate};
    }
    if (best.cycles < Number.POSITIVE_INFINITY) found.push(best);
  }
  const [first, ...others] = found.sort((a, b) => a.cycles - b.cycles).map(({mr, nv}): Tile => ({mr, nv, panelsOuter}));
  const chosen = first ?? {mr: 1, nv: 1, panelsOuter};
  return [chosen, ...others, {...chosen, panelsOuter: !panelsOuter}];
}
