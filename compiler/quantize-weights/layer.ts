/** The weights of one layer in integers: per group of channels, in the order in which kernels sum where scales change on the way. */
import {gptq} from './gptq.js';
import type {Moments} from './moments.js';
import {type Bits, type Matrix, roundToNearest, weightAt} from './round.js';

export type LayerWeights = {
  /** [outputs][inputs][points], all groups of channels one after the other. */
  readonly data: Float32Array;
  readonly outputs: number;
  readonly inputs: number;
  /** Rows times columns of the kernel. */
  readonly points: number;
  /** Groups of channels. */
  readonly groups: number;
};

export type NarrowLayer = {
  /** In the order of the weights. */
  readonly codes: Int8Array;
  /** [outputs][ceil(width / group)], in the order of the sum: [point][input]. */
  readonly scales: Float32Array;
  /** What the outputs' means lose: to be added to the bias. Null where the inputs' means are not known. */
  readonly shift: Float32Array | null;
  /** The mean square of what the outputs are off, as a part of their own: rounded to nearest, and as it is. Null without moments. */
  readonly error: {readonly before: number; readonly after: number} | null;
};

/** `group`: inputs that share a scale; all where absent. */
export function narrowLayer(
  layer: LayerWeights,
  bits: Bits,
  moments: Moments | null,
  method: 'nearest' | 'gptq',
  group = layer.inputs * layer.points,
): NarrowLayer {
  const {data, outputs, inputs, points, groups} = layer;
  const width = inputs * points;
  const rows = Math.ceil(width / group);
  const [perGroup, order] = [outputs / groups, orderOfSum(inputs, points)];
  const codes = new Int8Array(data.length);
  const scales = new Float32Array(outputs * rows);
  const shift = moments && new Float32Array(outputs);
  const errors: {readonly before: number; readonly after: number}[] = [];
  for (let g = 0; g < groups; g++) {
    const first = g * perGroup;
    const part: Matrix = {
      ...{outputs: perGroup, width},
      data: Float32Array.from(
        {length: perGroup * width},
        (_, at) => data[(first + Math.floor(at / width)) * width + order[at % width]!]!,
      ),
    };
    const products = moments && method === 'gptq' ? inOrder(moments, g, order) : null;
    const tuned = products && gptq(part, products, {bits, group});
    if (tuned) errors.push(tuned);
    const made = tuned ?? roundToNearest(part, bits, group);
    scales.set(made.scales, first * rows);
    for (let at = 0; at < made.codes.length; at++) {
      const [o, k] = [first + Math.floor(at / width), at % width];
      codes[o * width + order[k]!] = made.codes[at]!;
      if (shift) shift[o]! += (part.data[at]! - weightAt(made, width, at)) * moments.mean[g * width + order[k]!]!;
    }
  }
  const mean = (pick: 'before' | 'after'): number => errors.reduce((sum, error) => sum + error[pick], 0) / errors.length;
  return {codes, scales, shift, error: errors.length > 0 ? {before: mean('before'), after: mean('after')} : null};
}

/** Where the products of a sum find their weights: [point][input] -> [input][point]. */
const orderOfSum = (inputs: number, points: number): Int32Array =>
  Int32Array.from({length: inputs * points}, (_, k) => (k % inputs) * points + Math.floor(k / inputs));

/** The second moments of a group with both axes in the order of the sum. */
function inOrder({width, products}: Moments, group: number, order: Int32Array): Float64Array {
  const result = new Float64Array(width * width);
  const base = group * width * width;
  for (let i = 0; i < width; i++) {
    const row = base + order[i]! * width;
    for (let j = 0; j < width; j++) result[i * width + j] = products[row + order[j]!]!;
  }
  return result;
}
