/**
 * GPTQ (Frantar, Ashkboos, Hoefler and Alistarh 2023): one input after the other is rounded, and what is lost is made good by
 * those that are still real, as well as the inputs' second moments G = E[x x'] say they can. The error is tr(D G D') with
 * D = W - Q: the mean square of what the layer's outputs are off.
 *
 * With H = G + damping and H^-1 = U'U, U upper triangular, row j of U holds the corrections for an error at input j. U is R^-1
 * of H = R R', so one factorization and one triangular inverse do, in double precision.
 */
import {type Bits, bestScale, codeOf, type Matrix, type Quantized, roundToNearest, weightAt} from './round.js';

export type GptqOptions = {
  readonly bits: Bits;
  /** Inputs in turn that share a scale. Default: all. */
  readonly group?: number;
  /** Added to the diagonal of G, as a part of its mean. */
  readonly damping?: number;
};

export type Gptq = Quantized & {
  /** The error of rounding to nearest and of what is returned, as parts of the mean square of the outputs, tr(W G W'). */
  readonly before: number;
  readonly after: number;
};

/** `moments` is [width][width], symmetric. */
export function gptq(weights: Matrix, moments: Float64Array, {bits, group = weights.width, damping = 0.01}: GptqOptions): Gptq {
  const {outputs, width} = weights;
  const chosen = inTurn(weights, correctionsOf(moments, width, damping), diagonalOf(moments, width), bits, group);
  const nearest = roundToNearest(weights, bits, group);
  const whole = energy(weights.data, outputs, width, moments);
  const lost = (quantized: Quantized): number => {
    const differences = Float64Array.from(weights.data, (value: number, at: number) => value - weightAt(quantized, width, at));
    return whole > 0 ? energy(differences, outputs, width, moments) / whole : 0;
  };
  const [before, after] = [lost(nearest), lost(chosen)];
  // Where G says nothing, or next to nothing, corrections may do harm.
  return after <= before ? {...chosen, before, after} : {...nearest, before, after: before};
}

/** Rounds one input after the other by the `corrections` of moments; `importance` is of each input, for the choice of scales. */
export function inTurn(
  {data, outputs, width}: Matrix,
  corrections: Float64Array,
  importance: Float64Array,
  bits: Bits,
  group = width,
): Quantized {
  const rows = Math.ceil(width / group);
  const codes = new Int8Array(outputs * width);
  const scales = new Float32Array(outputs * rows);
  for (let o = 0; o < outputs; o++) {
    // Outputs do not depend on each other: one row stays in the nearest cache.
    const row = Float64Array.from(data.subarray(o * width, (o + 1) * width));
    let scale = 1;
    for (let j = 0; j < width; j++) {
      if (j % group === 0) {
        scale = bestScale(row, j, Math.min(width, j + group), bits, importance);
        scales[o * rows + j / group] = scale;
      }
      const code = codeOf(row[j]!, scale, bits);
      codes[o * width + j] = code;
      const base = j * width;
      const error = (row[j]! - scale * code) / corrections[base + j]!;
      for (let k = j + 1; k < width; k++) row[k]! -= error * corrections[base + k]!;
    }
  }
  return {codes, scales, group};
}

export const diagonalOf = (matrix: Float64Array, width: number): Float64Array =>
  Float64Array.from({length: width}, (_, i) => matrix[i * width + i]!);

/** U of (G + damping)^-1 = U'U. Inputs that are always zero correct nothing and cost nothing. */
export function correctionsOf(moments: Float64Array, width: number, damping: number): Float64Array {
  const diagonal = diagonalOf(moments, width);
  const mean = diagonal.reduce((sum, value) => sum + value, 0) / width || 1;
  for (let factor = Math.max(damping, 1e-9); ; factor *= 10) {
    const damped = Float64Array.from(moments);
    for (let i = 0; i < width; i++) damped[i * width + i]! += factor * mean;
    if (factorize(damped, width)) return invert(damped, width);
  }
}

/** R in place, upper triangular, of a positive definite R R'; false where it is not. Rows below use what rows above left. */
function factorize(a: Float64Array, n: number): boolean {
  // From the last column on: a[j][j]^2 is what the columns behind have left, then column j leaves the rest of all before it.
  // L of the matrix with both axes reversed is R reversed: rows of L are dot products of rows, adjacent in memory.
  a.reverse();
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      const [left, right] = [i * n, j * n];
      let sum = a[left + j]!;
      for (let k = 0; k < j; k++) sum -= a[left + k]! * a[right + k]!;
      if (i > j) a[left + j] = sum / a[right + j]!;
      else if (sum > 0) a[left + j] = Math.sqrt(sum);
      else return false;
    }
  a.reverse();
  return true;
}

/** The inverse of an upper triangular matrix, zero below: row i is what rows behind give it. */
function invert(r: Float64Array, n: number): Float64Array {
  const inverse = new Float64Array(n * n);
  for (let i = n - 1; i >= 0; i--) {
    const own = i * n;
    const pivot = 1 / r[own + i]!;
    for (let k = i + 1; k < n; k++) {
      const factor = -r[own + k]! * pivot;
      if (factor === 0) continue;
      const other = k * n;
      for (let j = k; j < n; j++) inverse[own + j]! += factor * inverse[other + j]!;
    }
    inverse[own + i] = pivot;
  }
  return inverse;
}

/** tr(M G M') of [outputs][width]. */
function energy(matrix: ArrayLike<number>, outputs: number, width: number, moments: Float64Array): number {
  let total = 0;
  for (let o = 0; o < outputs; o++) {
    const row = o * width;
    for (let i = 0; i < width; i++) {
      const own = matrix[row + i]!;
      if (own === 0) continue;
      const base = i * width;
      let sum = 0.5 * own * moments[base + i]!;
      for (let j = i + 1; j < width; j++) sum += matrix[row + j]! * moments[base + j]!;
      total += 2 * own * sum;
    }
  }
  return total;
}
