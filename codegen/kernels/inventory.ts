/**
 * The table of micro-kernels, and the choice of one for a target.
 * CONTRACT.md says what each contract computes; the headers beside this file hold the code.
 */

/** An instruction-set extension that a target may have. */
export type Feature =
  | 'avx2'
  | 'fma'
  | 'f16c'
  | 'avx512f'
  | 'avx512bw'
  | 'avx512vl'
  | 'avx512dq'
  | 'avx512vnni'
  | 'avxvnni'
  | 'amxint8'
  | 'neon'
  | 'simd128';

/** Output channels in one panel of packed weights. */
export const panelSize = 16;

/** Channels in one block of packed bytes of depthwise_u8. */
export const blockSize = 64;

/** What a kernel computes and with which signature. */
export type Contract =
  | 'conv2d_f32'
  | 'conv2d_u8'
  | 'winograd_f32'
  | 'winograd_1x3_f32'
  | 'winograd_3x1_f32'
  | 'depthwise_f32'
  | 'depthwise_u8'
  | 'maxpool_f32'
  | 'avgpool_f32'
  | 'matmul_f32'
  | NarrowContract;

/** Convolutions by weights of fewer bits than the results. */
export type NarrowContract = `conv2d_f32_by_${'f16' | 'bf16' | 'i8' | 'i4'}`;

/** Whether a call sums in the register tile of conv2d_f32, whatever its weights are stored as. */
export const isTiledConvolution = (contract: string): boolean =>
  contract === 'conv2d_f32' || contract.startsWith('conv2d_f32_by_');

/** Whether a call computes a convolution by transforms of tiles. */
export const isWinograd = (contract: string): boolean => contract.startsWith('winograd_');

export interface Kernel {
  readonly contract: Contract;
  /** Name of the C function. */
  readonly fn: string;
  /** Header in this folder that defines it. */
  readonly header: string;
  /** The target must have all of these. */
  readonly needs: readonly Feature[];
  /** Which calls it can do, by their fields; all where absent. */
  readonly fits?: (fields: Readonly<Record<string, number>>) => boolean;
}

/** Tiles leave no rows and no channels over: such code compiles in half the time. */
function isEven({oh = 1, ow = 1, oc = 1, mr = 1, nv = 1}: Readonly<Record<string, number>>): boolean {
  const lines = Math.max(1, Math.min(Math.floor(mr / ow), oh));
  return oh % lines === 0 && oc % Math.min(nv * panelSize, oc) === 0;
}

/** A window's runs are cut into equal parts of up to 64 bytes, and a tile is more than a few points. */
function fitsTiles({ow = 1, run = 1}: Readonly<Record<string, number>>): boolean {
  return run % (4 * Math.ceil(run / 64)) === 0 && ow >= 4;
}

/** Halves become floats by an instruction that AVX2 does not imply, though every CPU with the one has the other. */
const avx2For = (contract: Contract): readonly Feature[] =>
  contract === 'conv2d_f32_by_f16' ? ['avx2', 'fma', 'f16c'] : ['avx2', 'fma'];

/** What a target must have for the kernels of a contract that work on vectors: one of these. */
const vectorsFor = (contract: Contract): readonly (readonly Feature[])[] => [avx2For(contract), ['avx512f'], ['simd128']];

/** Rows of one contract go from plain to special; the first is portable C and the reference in the tests. */
export const kernels: readonly Kernel[] = (
  [
    ['conv2d_f32', 'conv2d_f32.h'],
    ['conv2d_u8', 'conv2d_u8.h'],
    ['winograd_f32', 'winograd_f32.h'],
    ['winograd_1x3_f32', 'winograd_f32.h'],
    ['winograd_3x1_f32', 'winograd_f32.h'],
    ['depthwise_f32', 'depthwise_f32.h'],
    ['depthwise_u8', 'depthwise_u8.h'],
    ['maxpool_f32', 'pool_f32.h'],
    ['avgpool_f32', 'pool_f32.h'],
    ['matmul_f32', 'matmul_f32.h'],
    ['conv2d_f32_by_f16', 'conv2d_narrow.h'],
    ['conv2d_f32_by_bf16', 'conv2d_narrow.h'],
    ['conv2d_f32_by_i8', 'conv2d_narrow.h'],
    ['conv2d_f32_by_i4', 'conv2d_narrow.h'],
  ] as const
).flatMap(([contract, header]) => [
  {contract, fn: `${contract}_portable`, header, needs: []},
  ...vectorsFor(contract).map((needs): Kernel => ({contract, fn: `${contract}_simd`, header, needs})),
  ...(isTiledConvolution(contract) || contract === 'conv2d_u8'
    ? vectorsFor(contract).map(needs => ({
        contract,
        fn: `${contract}_simd_even`,
        header,
        needs,
        fits: isEven,
      }))
    : []),
  ...(contract === 'conv2d_u8'
    ? [{contract, fn: 'conv2d_u8_amx', header: 'conv2d_u8_amx.h', needs: ['avx512f', 'amxint8'] as const, fits: fitsTiles}]
    : []),
]);

/** The last kernel of a contract that does a call with these fields, tile included, on a target with these features. */
export function choose(contract: Contract, features: Iterable<Feature>, fields: Readonly<Record<string, number>>): Kernel {
  const has = new Set(features);
  const kernel = kernels.findLast(
    row => row.contract === contract && row.needs.every(need => has.has(need)) && (row.fits?.(fields) ?? true),
  );
  if (!kernel) throw new RangeError(`no kernel for ${contract}`);
  return kernel;
}
