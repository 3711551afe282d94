/** Second moments of what a layer's weights are multiplied with, from a few positions of each image: G = E[x x'], mean E[x]. */
import {invariant} from '../../ir/diagnostics.js';

/** Of each group of channels by itself. Inputs are in the order of the weights, [channel][row][column]. */
export type Moments = {
  readonly width: number;
  readonly groups: number;
  readonly mean: Float64Array;
  readonly products: Float64Array;
};

/** The window of a layer over its input: a linear layer has one position per row. */
export type Window = {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** top, left, bottom, right */
  readonly pads: readonly number[];
  readonly groups: number;
};

export type Accumulator = {
  readonly width: number;
  readonly groups: number;
  readonly sums: Float64Array;
  /** The upper triangle of each group. */
  readonly products: Float64Array;
  count: number;
  /** Of the choice of positions. */
  state: number;
};

export const accumulator = (width: number, groups = 1, seed = 1): Accumulator => ({
  ...{width, groups, count: 0, state: seed},
  sums: new Float64Array(groups * width),
  products: new Float64Array(groups * width * width),
});

/** Positions of each image that are looked at: more do not change the moments. */
export const positionsPerImage = 64;

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
  const [rows, columns] = window.kernel as [number, number];
  const each = channels / window.groups;
  invariant(
    into.width === each * rows * columns,
    'moments.width',
    'layer',
    `has ${each * rows * columns} inputs, not ${into.width}`,
  );
  const across = (axis: 0 | 1, size: number): number =>
    Math.floor(
      (size + window.pads[axis]! + window.pads[axis + 2]! - window.dilations[axis]! * (window.kernel[axis]! - 1) - 1) /
        window.strides[axis]!,
    ) + 1;
  const [down, right] = [across(0, height), across(1, width)];
  for (let n = 0; n < images; n++) {
    const places = placesOf(down * right, positions, into);
    for (let g = 0; g < window.groups; g++) {
      const gathered = new Float32Array(places.length * into.width);
      let at = 0;
      for (const place of places) {
        const top = Math.floor(place / right) * window.strides[0]! - window.pads[0]!;
        const left = (place % right) * window.strides[1]! - window.pads[1]!;
        for (let c = 0; c < each; c++) {
          const plane = (n * channels + g * each + c) * height;
          for (let r = 0; r < rows; r++)
            for (let s = 0; s < columns; s++, at++) {
              const [y, x] = [top + r * window.dilations[0]!, left + s * window.dilations[1]!];
              if (y >= 0 && y < height && x >= 0 && x < width) gathered[at] = activation[(plane + y) * width + x]!;
            }
        }
      }
      add(gathered, g, into);
    }
    into.count += places.length;
  }
}

/** Different positions at random; all where there are no more than wanted. */
function placesOf(total: number, wanted: number, into: Accumulator): readonly number[] {
  if (total <= wanted) return Array.from({length: total}, (_, i) => i);
  const chosen = new Set<number>();
  while (chosen.size < wanted) {
    // Marsaglia's xorshift.
    into.state ^= into.state << 13;
    into.state ^= into.state >>> 17;
    into.state ^= into.state << 5;
    chosen.add((into.state >>> 0) % total);
  }
  return [...chosen];
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
