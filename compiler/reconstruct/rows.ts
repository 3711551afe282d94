/** What a layer multiplies with its weights, at some positions of an image: one row for each. */

/** The window of a convolution over its input. */
export type Window = {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** top, left, bottom, right */
  readonly pads: readonly number[];
  readonly groups: number;
};

/** Positions of each image that are looked at: more images tell more than more positions. */
export const positionsPerImage = 64;

/** Whole numbers below 2^32, always the same ones: Marsaglia's xorshift. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Different positions at random; all where there are no more than wanted. */
export function choosePlaces(total: number, wanted: number, random: () => number): readonly number[] {
  if (total <= wanted) return Array.from({length: total}, (_, i) => i);
  const chosen = new Set<number>();
  while (chosen.size < wanted) chosen.add(random() % total);
  return [...chosen];
}

/** Rows and columns of what a window gives. */
export function sizeBehind(window: Window, [height, width]: readonly [number, number]): readonly [number, number] {
  const across = (axis: 0 | 1, size: number): number =>
    Math.floor(
      (size + window.pads[axis]! + window.pads[axis + 2]! - window.dilations[axis]! * (window.kernel[axis]! - 1) - 1) /
        window.strides[axis]!,
    ) + 1;
  return [across(0, height), across(1, width)];
}

/**
 * Rows [place][channel][row][column] of image `n` of [images][channels][height][width], and of one group of channels. They are
 * written into zeros: what lies outside the image stays so.
 */
export function gatherRows(
  activation: ArrayLike<number>,
  shape: readonly number[],
  window: Window,
  {n, group, places}: {readonly n: number; readonly group: number; readonly places: readonly number[]},
  into: Float32Array,
): void {
  const [, channels, height, width] = shape as [number, number, number, number];
  const [rows, columns] = window.kernel as [number, number];
  const [, right] = sizeBehind(window, [height, width]);
  const each = channels / window.groups;
  const [down, across] = window.dilations as [number, number];
  let at = 0;
  for (const place of places) {
    const top = Math.floor(place / right) * window.strides[0]! - window.pads[0]!;
    const left = (place % right) * window.strides[1]! - window.pads[1]!;
    // What is inside the image: rows from `first` on, columns likewise.
    const [firstRow, lastRow] = inside(top, down, rows, height);
    const [firstColumn, lastColumn] = inside(left, across, columns, width);
    for (let c = 0; c < each; c++, at += rows * columns) {
      const plane = (n * channels + group * each + c) * height;
      for (let r = firstRow; r < lastRow; r++) {
        const from = (plane + top + r * down) * width + left;
        const to = at + r * columns;
        for (let s = firstColumn; s < lastColumn; s++) into[to + s] = activation[from + s * across]!;
      }
    }
  }
}

/** The first of `count` places, `step` apart from `start` on, that is not before 0, and the first that is not below `size`. */
function inside(start: number, step: number, count: number, size: number): readonly [number, number] {
  return [Math.max(0, Math.ceil(-start / step)), Math.min(count, Math.ceil((size - start) / step))];
}

/** Values [place][channel] of image 0 of [1][channels][height][width]. */
export function gatherValues(
  values: ArrayLike<number>,
  [, channels, height, width]: readonly number[],
  places: readonly number[],
  into: Float32Array,
): void {
  const [count, area] = [channels!, height! * width!];
  places.forEach((place, i) => {
    for (let c = 0; c < count; c++) into[i * count + c] = values[c * area + place]!;
  });
}
