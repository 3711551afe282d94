/** How a convolution by Winograd's minimal filtering is cut into tiles (codegen/kernels/winograd_f32.h). */

/**
 * Ways to compute a convolution: sum by sum, by transforms of output tiles of 2 x 2 or 4 x 4 (3x3 kernels), or of four outputs in
 * a line (1x3 and 3x1 kernels).
 */
export type ConvolutionWay = 'direct' | 'winograd-2' | 'winograd-4' | 'winograd-line-4';

export const winogradTile = {'winograd-2': 2, 'winograd-4': 4, 'winograd-line-4': 4} as const;

/** Ways that a plain kernel of so many rows and columns has; the one with the smallest weights first. */
export function waysFor(rows: number, columns: number): readonly ['direct', ...ConvolutionWay[]] {
  if (rows === 3 && columns === 3) return ['direct', 'winograd-2', 'winograd-4'];
  return rows * columns === 3 ? ['direct', 'winograd-line-4'] : ['direct'];
}

/** Output and kernel, rows and columns; channels. */
type Sizes = {
  readonly oh: number;
  readonly ow: number;
  readonly kh: number;
  readonly kw: number;
  readonly ic: number;
  readonly oc: number;
};

/** What lies between the three steps should stay in a second-level cache. */
const scratchBytes = 192 * 1024;

/** Transforms along a line do so little that the same has to stay in a part of the first-level cache, which is not larger than this. */
const [nearBytes, firstLevelBytes] = [16 * 1024, 48 * 1024];

/** Fewer tiles than these make the products wait for the transformed weights. */
const fewestTiles = 8;

/** Outputs along one side of a tile, and points that it is computed from: no more than one where the kernel has one weight. */
const outputsAlong = (kernel: number, m: number): number => (kernel === 1 ? 1 : m);
const pointsAlong = (kernel: number, m: number): number => (kernel === 1 ? 1 : m + 2);

/** Points of the transform of a tile. */
export const pointsOf = ({kh, kw}: Pick<Sizes, 'kh' | 'kw'>, m: number): number => pointsAlong(kh, m) * pointsAlong(kw, m);

/** Tiles of an image. */
export const tilesOf = ({oh, ow, kh, kw}: Omit<Sizes, 'ic' | 'oc'>, m: number): number =>
  Math.ceil(oh / outputsAlong(kh, m)) * Math.ceil(ow / outputsAlong(kw, m));

/** Floats between the steps for so many tiles: the transformed input, and its products with the weights. */
export const scratchElements = ({ic, oc, ...kernel}: Omit<Sizes, 'oh' | 'ow'>, m: number, tiles: number): number =>
  tiles * pointsOf(kernel, m) * (ic + Math.ceil(oc / 16) * 16);

/** Whether so few tiles as the products need stay in the first-level cache. */
export const isNear = (sizes: Omit<Sizes, 'oh' | 'ow'>, m: number): boolean =>
  4 * scratchElements(sizes, m, fewestTiles) <= firstLevelBytes;

/** Tiles that go through all steps together: equal parts of the image, as large as the scratch allows. */
export function tilesTogether(sizes: Sizes, m: number): number {
  const all = tilesOf(sizes, m);
  const near = sizes.kh !== sizes.kw && isNear(sizes, m);
  const most = Math.max(fewestTiles, Math.floor((near ? nearBytes : scratchBytes) / 4 / scratchElements(sizes, m, 1)));
  return (near && evenPart(all, most)) || Math.ceil(all / Math.ceil(all / most));
}

/** The largest part that leaves nothing over, if it is not much smaller than `most`; else 0. Rests are code of their own, and short. */
function evenPart(all: number, most: number): number {
  for (let part = Math.min(all, most); 3 * part >= 2 * most; part--) if (all % part === 0) return part;
  return 0;
}
