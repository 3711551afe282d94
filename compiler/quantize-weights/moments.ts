/** Second moments of what a layer's weights are multiplied with, from a few positions of each image: G = E[x x'], mean E[x]. */
import {invariant} from '../../ir/diagnostics.js';
import {choosePlaces, gatherRows, positionsPerImage, randomNumbers, sizeBehind, type Window} from '../reconstruct/rows.js';

/** Of each group of channels by itself. Inputs are in the order of the weights, [channel][row][column]. */
export type Moments = {
  readonly width: number;
  readonly groups: number;
  readonly mean: Float64Array;
  readonly products: Float64Array;
};

export type Accumulator = {
  readonly width: number;
  readonly groups: number;
  readonly sums: Float64Array;
  /** The upper triangle of each group. */
  readonly products: Float64Array;
  count: number;
  /** Chooses positions. */
  readonly random: () => number;
};

export const accumulator = (width: number, groups = 1, seed = 1): Accumulator => ({
  ...{width, groups, count: 0, random: randomNumbers(seed)},
  sums: new Float64Array(groups * width),
  products: new Float64Array(groups * width * width),
});

/** Adds positions of a batch of images [n][c][h][w], or all rows of [...][width]. */
export function secondMoments(
  activation: Float32Array,
  shape: readonly number[],
  window: Window | null,
  into: Accumulator,
  positions = positionsPerImage,
): void {
  if (!window) {
    const rows = activation.length / into.width;
    for (let first = 0; first < rows; first += positions)
      add(activation.subarray(first * into.width, Math.min(rows, first + positions) * into.width), 0, into);
    into.count += rows;
    return;
  }
  const [images, channels, height, width] = shape as [number, number, number, number];
  const points = window.kernel.reduce((product, size) => product * size, 1);
  const inputs = (channels / window.groups) * points;
  invariant(into.width === inputs, 'moments.width', 'layer', `has ${inputs} inputs, not ${into.width}`);
  const [down, right] = sizeBehind(window, [height, width]);
  for (let n = 0; n < images; n++) {
    const places = choosePlaces(down * right, positions, into.random);
    for (let group = 0; group < window.groups; group++) {
      const gathered = new Float32Array(places.length * into.width);
      gatherRows(activation, shape, window, {n, group, places}, gathered);
      add(gathered, group, into);
    }
    into.count += places.length;
  }
}

/** Adds the products of rows, four rows at a time, so that each sum is read and written once for four. */
function add(rows: Float32Array, group: number, {width, sums, products}: Accumulator): void {
  const count = rows.length / width;
  const padded = new Float64Array(Math.ceil(count / 4) * 4 * width);
  padded.set(rows);
  const base = group * width * width;
  for (let first = 0; first < count; first += 4) {
    const [a, b, c, d] = [0, 1, 2, 3].map(i => padded.subarray((first + i) * width, (first + i + 1) * width)) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    for (let i = 0; i < width; i++) {
      const [p, q, r, s] = [a[i]!, b[i]!, c[i]!, d[i]!];
      sums[group * width + i]! += p + q + r + s;
      if (p === 0 && q === 0 && r === 0 && s === 0) continue;
      const row = base + i * width;
      for (let j = i; j < width; j++) products[row + j]! += p * a[j]! + q * b[j]! + r * c[j]! + s * d[j]!;
    }
  }
}

/** The means of everything that was added. */
export function momentsOf({width, groups, sums, products, count}: Accumulator): Moments {
  const whole = new Float64Array(products.length);
  const share = 1 / Math.max(1, count);
  for (let g = 0; g < groups; g++)
    for (let i = 0; i < width; i++)
      for (let j = i; j < width; j++) {
        const base = g * width * width;
        const value = products[base + i * width + j]! * share;
        whole[base + i * width + j] = value;
        whole[base + j * width + i] = value;
      }
  return {width, groups, mean: sums.map(sum => sum * share), products: whole};
}
