/** Weights as integers times a scale, each rounded by itself: scales that lose least, per output channel or group of inputs. */

export type Bits = 4 | 8;

/** [outputs][width] of real weights. */
export type Matrix = {readonly data: Float32Array | Float64Array; readonly outputs: number; readonly width: number};

/** weight[o][i] = scales[o][floor(i / group)] * codes[o][i] */
export type Quantized = {
  readonly codes: Int8Array;
  readonly scales: Float32Array;
  /** Inputs in turn that share a scale; the whole width where each output has one. */
  readonly group: number;
};

export const lowest = (bits: Bits): number => -(2 ** (bits - 1));
export const highest = (bits: Bits): number => 2 ** (bits - 1) - 1;

/** Round half to even: what machines do, and without a bias. */
const rounded = (x: number): number => {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
};

export const codeOf = (value: number, scale: number, bits: Bits): number =>
  Math.min(highest(bits), Math.max(lowest(bits), rounded(value / scale)));

/** Scales to try, as parts of the one that the largest weight needs. Few bits gain from clipping, and from the code below the lowest. */
const steps = {4: {from: 0.4, to: 1.02, count: 63}, 8: {from: 0.75, to: 1, count: 26}} as const;

/** The scale with the least sum of squares of what is lost, an input counting as much as `importance` says. 1 where all is zero. */
export function bestScale(
  values: ArrayLike<number>,
  from: number,
  to: number,
  bits: Bits,
  importance?: ArrayLike<number>,
): number {
  let largest = 0;
  for (let i = from; i < to; i++) largest = Math.max(largest, Math.abs(values[i]!));
  if (largest === 0) return 1;
  const {from: first, to: last, count} = steps[bits];
  let [best, least] = [1, Number.POSITIVE_INFINITY];
  for (let step = 0; step < count; step++) {
    // As it will be stored. One that underflows holds nothing.
    const scale = Math.fround((largest * (first + ((last - first) * step) / (count - 1))) / highest(bits));
    if (scale === 0) continue;
    let loss = 0;
    for (let i = from; i < to && loss < least; i++) {
      const error = values[i]! - scale * codeOf(values[i]!, scale, bits);
      loss += error * error * (importance ? importance[i]! : 1);
    }
    if (loss < least) [best, least] = [scale, loss];
  }
  return best;
}

/** Rounds to nearest. */
export function roundToNearest({data, outputs, width}: Matrix, bits: Bits, group = width): Quantized {
  const rows = Math.ceil(width / group);
  const codes = new Int8Array(outputs * width);
  const scales = new Float32Array(outputs * rows);
  for (let o = 0; o < outputs; o++)
    for (let row = 0; row < rows; row++) {
      const [from, to] = [o * width + row * group, o * width + Math.min(width, (row + 1) * group)];
      const scale = bestScale(data, from, to, bits);
      scales[o * rows + row] = scale;
      for (let i = from; i < to; i++) codes[i] = codeOf(data[i]!, scale, bits);
    }
  return {codes, scales, group};
}

/** The weight that a code stands for. */
export function weightAt({codes, scales, group}: Quantized, width: number, at: number): number {
  const rows = Math.ceil(width / group);
  return Math.fround(codes[at]! * scales[Math.floor(at / width) * rows + Math.floor((at % width) / group)]!);
}
