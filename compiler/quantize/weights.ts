/** Weights and biases of one layer as integers. */
import {numberAt, type Tensor, zeros} from '../../ir/tensor.js';
import {sizeBehind, type Window} from '../reconstruct/rows.js';
import {type ErrorSoFar, seeError} from './observe.js';

export type IntegerWeights = {
  /** i8, from -127 to 127, in the shape of the weights. */
  readonly weights: Tensor;
  /** f32, one per output channel. */
  readonly scales: Float32Array;
};

/** The largest bias in steps of the sum: sums of products then still fit into 32 bits. */
const mostBias = 2 ** 30;

/**
 * Symmetric, one scale per output channel, by the largest weight of the channel. A channel whose weights are tiny beside its
 * bias gets a scale in which the bias fits into 32 bits; one without weights and bias the scale 1. `input` is the scale of x.
 */
export function quantizeWeights(w: Tensor, bias: readonly number[], input: number): IntegerWeights {
  const outputs = w.shape[0]!;
  const each = w.data.length / outputs;
  const weights = zeros('i8', w.shape);
  const scales = Float32Array.from({length: outputs}, (_, o) => {
    let largest = 0;
    for (let i = o * each; i < (o + 1) * each; i++) largest = Math.max(largest, Math.abs(numberAt(w, i)));
    return Math.max(largest / 127, Math.abs(bias[o] ?? 0) / input / mostBias) || 1;
  });
  for (let i = 0; i < w.data.length; i++) {
    const whole = Math.round(numberAt(w, i) / scales[Math.floor(i / each)]!);
    weights.data[i] = Math.max(-127, Math.min(127, whole));
  }
  return {weights, scales};
}

/** Whether biases fit into sums of 32 bits. `input` is the scale of x. */
export const fitsBias = (bias: readonly number[], scales: Float32Array, input: number): boolean =>
  bias.every((value, o) => Math.abs(value) / (scales[o]! * input) <= mostBias);

/** i32 in steps of the sum: the scale of x times that of the channel's weights. */
export function quantizeBias(bias: readonly number[], scales: Float32Array): Tensor {
  const whole = zeros('i32', [bias.length]);
  bias.forEach((value, o) => {
    whole.data[o] = Math.round(value / scales[o]!);
  });
  return whole;
}

/** What the integers stand for. */
export function realWeights({weights, scales}: IntegerWeights): Float32Array {
  const each = weights.data.length / scales.length;
  return Float32Array.from({length: weights.data.length}, (_, i) => numberAt(weights, i) * scales[Math.floor(i / each)]!);
}

export function errorOfWeights(w: Tensor, integer: IntegerWeights): ErrorSoFar {
  const so = {signal: 0, noise: 0};
  seeError(
    so,
    Float32Array.from({length: w.data.length}, (_, i) => numberAt(w, i)),
    realWeights(integer),
  );
  return so;
}

/** Means by input channel of x, and of x as it is stored. */
export type Means = {readonly real: ArrayLike<number>; readonly stored: ArrayLike<number>};

/**
 * What quantization takes from the mean of each output, by which the bias grows (Nagel et al. 2019, section 4.2): the sum over
 * a kernel of W E[x] - Wq E[xq]. `seen` is for each point of the kernel the part of the results for which it lies on the image
 * and not on the border; all, where absent.
 */
export function biasCorrection(
  w: Tensor,
  integer: IntegerWeights,
  means: Means,
  groups: number,
  seen?: ArrayLike<number>,
): Float64Array {
  const [outputs = 1, perGroup = 1] = w.shape;
  const window = w.data.length / outputs / perGroup;
  const quantized = realWeights(integer);
  return Float64Array.from({length: outputs}, (_, o) => {
    const first = Math.floor(o / (outputs / groups)) * perGroup;
    let sum = 0;
    for (let i = 0; i < perGroup; i++) {
      let [real, whole] = [0, 0];
      const start = (o * perGroup + i) * window;
      for (let point = 0; point < window; point++) {
        const part = seen?.[point] ?? 1;
        real += part * numberAt(w, start + point);
        whole += part * quantized[start + point]!;
      }
      sum += real * means.real[first + i]! - whole * means.stored[first + i]!;
    }
    return sum;
  });
}

/** For each point of a kernel, row by row, the part of the results for which it lies on an image of that size. */
export function seenBy(window: Window, size: readonly [number, number]): Float64Array {
  const results = sizeBehind(window, size);
  const along = (axis: 0 | 1): readonly number[] =>
    Array.from({length: window.kernel[axis]!}, (_, point) => {
      const places = Array.from(
        {length: results[axis]},
        (_, i) => i * window.strides[axis]! - window.pads[axis]! + point * window.dilations[axis]!,
      );
      return places.filter(place => place >= 0 && place < size[axis]).length / results[axis];
    });
  const [rows, columns] = [along(0), along(1)];
  return Float64Array.from(rows.flatMap(row => columns.map(column => row * column)));
}
