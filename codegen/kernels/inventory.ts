/**
 * The table of micro-kernels, and the choice of kernel and tile for a target.
 * CONTRACT.md says what each contract computes; the headers beside this file hold the code.
 */

/** An instruction-set extension that a target may have. */
export type Feature =
  | 'avx2'
  | 'fma'
  | 'avx512f'
  | 'avx512bw'
  | 'avx512vl'
  | 'avx512dq'
  | 'avx512vnni'
  | 'avxvnni'
  | 'neon'
  | 'simd128';

/** What a kernel computes and with which signature. */
export type Contract = 'conv2d_f32' | 'winograd_f32' | 'depthwise_f32' | 'maxpool_f32' | 'avgpool_f32' | 'matmul_f32';

export interface Kernel {
  readonly contract: Contract;
  /** Name of the C function. */
  readonly fn: string;
  /** Header in this folder that defines it. */
  readonly header: string;
  /** The target must have all of these. */
  readonly needs: readonly Feature[];
}

/** Rows of one contract go from plain to special; the first is portable C and the reference in the tests. */
export const kernels: readonly Kernel[] = (
  [
    ['conv2d_f32', 'conv2d_f32.h'],
    ['winograd_f32', 'winograd_f32.h'],
    ['depthwise_f32', 'depthwise_f32.h'],
    ['maxpool_f32', 'pool_f32.h'],
    ['avgpool_f32', 'pool_f32.h'],
    ['matmul_f32', 'matmul_f32.h'],
  ] as const
).flatMap(([contract, header]) => [
  {contract, fn: `${contract}_portable`, header, needs: []},
  {contract, fn: `${contract}_simd`, header, needs: ['avx2', 'fma']},
  {contract, fn: `${contract}_simd`, header, needs: ['avx512f']},
]);

/** The last kernel of a contract that a target with these features can run. */
export function choose(contract: Contract, features: Iterable<Feature>): Kernel {
  const has = new Set(features);
  const kernel = kernels.findLast(row => row.contract === contract && row.needs.every(need => has.has(need)));
  if (!kernel) throw new RangeError(`no kernel for ${contract}`);
  return kernel;
}

/** What the choice of a tile depends on: the fields of the C struct conv2d_shape. */
export interface ConvolutionSize {
  readonly oh: number;
  readonly ow: number;
  readonly oc: number;
  readonly kh: number;
  readonly kw: number;
  readonly ic: number;
  readonly groups: number;
}

/** The register tile of conv2d_f32: mr output columns (or floor(mr / ow) whole rows) x nv panels of 16 channels. */
export interface Tile {
  readonly mr: number;
  readonly nv: number;
  readonly panelsOuter: boolean;
}

/** Output channels in one panel of packed weights. */
export const panelSize = 16;

/** Packed weights beyond this many bytes are not read again for every output row. */
const residentWeightBytes = 512 * 1024;

/** A weight block beyond this many bytes does not stay in the first-level cache. */
const nearWeightBytes = 24 * 1024;

/** What a core can do in one cycle, in vectors. */
const perCycle = {fma: 2, load: 2, store: 1, farBytes: 32};

/** Cycles from one multiply-add to the next that uses its result: 4, and some for orders of execution that do not hide it. */
const fmaLatency = 4.5;

/** Cycles that a tile costs apart from its arithmetic: loops, addresses, start of the sums. */
const tileOverhead = 12;

interface Registers {
  readonly lanes: number;
  /** All vector registers, and how many of them may hold sums (DNNC_TILE_VECTORS in simd.h). */
  readonly all: number;
  readonly sums: number;
}

function registersOf(features: ReadonlySet<Feature>): Registers | undefined {
  if (features.has('avx512f')) return {lanes: 16, all: 32, sums: 28};
  if (features.has('avx2') && features.has('fma')) return {lanes: 8, all: 16, sums: 12};
  return undefined;
}

/** Whether a tile of `points` x `vectors` sums, one broadcast and its weights fit the registers. */
function fits(points: number, vectors: number, registers: Registers): boolean {
  // weights that only one point uses come straight from memory
  const weights = points === 1 ? 1 : vectors;
  return points * vectors <= registers.sums && points * vectors + weights + 1 <= registers.all;
}

/** Estimated cycles of one tile that sums over `depth` products. */
function tileCycles(points: number, vectors: number, depth: number, registers: Registers): number {
  const sums = points * vectors;
  const bytes = vectors * registers.lanes * 4;
  const far = depth * bytes > nearWeightBytes ? bytes / perCycle.farBytes : 0;
  const step = Math.max(sums / perCycle.fma, (points + vectors) / perCycle.load, fmaLatency, far);
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
export function chooseTile(size: ConvolutionSize, features: Iterable<Feature>): Tile {
  const panels = Math.ceil(size.oc / panelSize);
  const weightBytes = size.groups * panels * panelSize * size.kh * size.kw * size.ic * 4;
  const panelsOuter = weightBytes > residentWeightBytes;
  const registers = registersOf(new Set(features));
  if (!registers) return {mr: Math.min(4, size.ow), nv: 1, panelsOuter};

  let best = {mr: 1, nv: 1, cycles: Number.POSITIVE_INFINITY};
  for (let nv = 1; nv <= Math.min(8, panels); nv++) {
    const vectors = Math.ceil(Math.min(nv * panelSize, size.oc) / registers.lanes);
    for (let mr = 1; mr <= Math.min(28, size.ow * size.oh); mr++) {
      // more than one row only as whole rows
      if (mr > size.ow && mr % size.ow !== 0) continue;
      if (!fits(mr, vectors, registers)) break;
      const candidate = cycles(size, mr, nv, registers);
      if (candidate < best.cycles) best = {mr, nv, cycles: candidate};
    }
  }
  return {mr: best.mr, nv: best.nv, panelsOuter};
}
