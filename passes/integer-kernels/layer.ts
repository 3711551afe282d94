/** Weights and bias of a layer of whole numbers. */
import {constantOf} from '../../ir/graph.js';
import type {Builder} from '../../ir/op.js';
import {mostTaps, placesBeyond} from '../../ir/ops/common/bytes.js';
import {concat} from '../../ir/ops/concat/index.js';
import {gather} from '../../ir/ops/gather/index.js';
import {numberAt, numbersOf, tensorFrom, tensorOfConstant} from '../../ir/tensor.js';
import type {DType, Graph, Value, ValueId} from '../../ir/types.js';

/** Whole numbers: weights in [-128, 127], but for a few in [-256, 254], and for each output the bias less what the zero point adds to its sums. */
export type Layer = {
  readonly shape: readonly number[];
  readonly weights: readonly number[];
  readonly bias: readonly number[];
  /** Sums of the weights of each output. */
  readonly totals: readonly number[];
  /** What the largest sum over bytes can be, whatever its sign. */
  readonly reach: number;
};

/** null where weights are not so, or sums could pass 31 bits. */
export function layerOf(graph: Graph, w: ValueId, b: ValueId | null, zero: number): Layer | null {
  const [ofWeights, ofBias] = [constantOf(graph, w), b === null ? null : constantOf(graph, b)];
  if (ofWeights?.value.type.dtype !== 'f32' || (b !== null && ofBias?.value.type.dtype !== 'f32')) return null;
  const [weights, bias] = [tensorOfConstant(ofWeights), ofBias && tensorOfConstant(ofBias)];
  const [outputs = 1, ...rest] = weights.shape;
  const each = rest.reduce((n, d) => n * d, 1);
  const all = numbersOf(weights);
  const [sums, totals] = [new Array<number>(outputs).fill(0), new Array<number>(outputs).fill(0)];
  let reach = 0;
  for (let o = 0; o < outputs; o++) {
    const own = bias ? numberAt(bias, o) : 0;
    let [sum, largest] = [0, 0];
    for (let i = o * each; i < (o + 1) * each; i++) {
      const value = all[i]!;
      if (!Number.isInteger(value) || Math.abs(value) > 256) return null;
      sum += value;
      largest += Math.abs(value);
    }
    if (!Number.isInteger(own)) return null;
    totals[o] = sum;
    sums[o] = own - zero * sum;
    reach = Math.max(reach, 255 * largest + Math.abs(sums[o]!));
  }
  return reach < 2 ** 31 ? {shape: weights.shape, weights: all, bias: sums, totals, reach} : null;
}

/** A layer whose weights a kernel of bytes can hold, and the channels of x that follow its own once more. */
export type Fitted = {readonly layer: Layer; readonly again: readonly number[]};

/**
 * Channels of x with weights beyond a byte, where they are more than kernels sum once more, come once more behind the others: with
 * what is beyond. That takes a copy of x, which must be small beside the weights. Null where they do not fit so.
 */
export function fitted(layer: Layer, groups: number, sizeOfX: number): Fitted | null {
  const {shape, weights, bias} = layer;
  if (placesBeyond(weights, bias.length) !== null) return {layer, again: []};
  if (groups !== 1 || 4 * sizeOfX > weights.length || weights.some(value => value < -256 || value > 254)) return null;
  const [outputs = 1, inputs = 1, ...kernel] = shape;
  const window = kernel.reduce((n, d) => n * d, 1);
  const channelOf = (at: number): number => Math.floor(at / window) % inputs;
  const again = [...new Set(weights.flatMap((value, at) => (inByte(value) === value ? [] : [channelOf(at)])))].sort(
    (a, b) => a - b,
  );
  const all = Array.from({length: outputs}, (_, o) => {
    const own = weights.slice(o * inputs * window, (o + 1) * inputs * window);
    const beyond = again.flatMap(c => own.slice(c * window, (c + 1) * window).map(value => value - inByte(value)));
    return [...own.map(inByte), ...beyond];
  });
  return {layer: {...layer, shape: [outputs, inputs + again.length, ...kernel], weights: all.flat()}, again};
}

const inByte = (value: number): number => Math.min(127, Math.max(-128, value));

/** Whether no sum over bytes can reach 2^24: it is a real number of 32 bits then, without a rounding. */
export const isSmall = ({reach}: Layer): boolean => reach < 2 ** 24;

/** Whether kernels of bytes can hold channels with kernels of their own. */
export const fitsDepthwise = (layer: Layer): boolean =>
  isSmall(layer) && narrowest(layer) === 'i8' && layer.weights.length <= mostTaps * layer.bias.length;

export const narrowest = ({weights}: Layer): DType => (weights.some(value => value < -128 || value > 127) ? 'i16' : 'i8');

/** x, and the channels of it that come again, on that axis. */
export function imageOf(x: Value, again: readonly number[], axis: number, {emit, literal}: Builder): Value {
  if (again.length === 0) return x;
  const [beyond] = emit(gather, [x, literal(tensorFrom('i32', [again.length], again))], {axis});
  return emit(concat, [x, beyond], {axis})[0];
}

export const literals = ({shape, weights, bias}: Layer, forWeights: DType, forBias: DType, build: Builder): readonly Value[] => [
  build.literal(tensorFrom(forWeights, shape, weights)),
  build.literal(tensorFrom(forBias, [shape[0]!], bias)),
];
