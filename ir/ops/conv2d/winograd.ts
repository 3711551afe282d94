/** How a 3x3 convolution by Winograd's minimal filtering is cut into tiles (codegen/kernels/winograd_f32.h). */

/** Ways to compute a 3x3 convolution: sum by sum, or by transforms of output tiles of 2 x 2 or 4 x 4. */
export type ConvolutionWay = 'direct' | 'winograd-2' | 'winograd-4';

export const winogradTile = {'winograd-2': 2, 'winograd-4': 4} as const;

type Sizes = {readonly oh: number; readonly ow: number; readonly ic: number; readonly oc: number};

/** What lies between the three steps should stay in a second-level cache. */
const scratchBytes = 192 * 1024;

/** Fewer tiles than these make the products wait for the transformed weights. */
const fewestTiles = 8;

/** Floats between the steps for so many tiles: the transformed input, and its products with the weights. */
export const scratchElements = ({ic, oc}: Pick<Sizes, 'ic' | 'oc'>, m: number, tiles: number): number =>
  tiles * (m + 2) ** 2 * (ic + Math.ceil(oc / 16) * 16);

/** Tiles that go through all steps together: equal parts of the image, as large as the scratch allows. */
export function tilesTogether(sizes: Sizes, m: number): number {
  const all = Math.ceil(sizes.oh / m) * Math.ceil(sizes.ow / m);
  const most = Math.max(fewestTiles, Math.floor(scratchBytes / 4 / scratchElements(sizes, m, 1)));
  return Math.ceil(all / Math.ceil(all / most));
}
