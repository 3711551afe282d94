/**
 * The integers of one layer by what it reads and what it should give. Least squares tell the weights that it should have, and one
 * weight after the other is rounded so that what is lost is made good by the next (GPTQ, Frantar 2023). The layer takes what errs
 * least on samples that were held out; rounding to nearest is among that.
 */
import {tensorOf} from '../../ir/tensor.js';
import {matrixOf, type Product, timesTransposed} from '../algebra/matrix.js';
import {correctionsOf, diagonalOf, inTurn} from '../quantize-weights/gptq.js';
import type {Products} from '../reconstruct/fit.js';
import {biasFor, targetOf} from '../reconstruct/least-squares.js';
import {addRows, gather, type Moments, momentsOf} from '../reconstruct/moments.js';
import type {Parameters} from '../reconstruct/network.js';
import type {Rounded, Way} from './insert.js';
import type {ByteLayer} from './running.js';
import {fitsBias, realWeights} from './weights.js';

/**
 * What a layer reads now, what it should give, and what is added to that now: [group][row][width], [group][row][output].
 */
export type Rows = {
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly added: Float32Array | null;
  /** Rows of each group. */
  readonly count: number;
};

/** Wider sums are rounded to nearest: a factorization grows with the third power of the width. */
const widest = 1536;

/** By rows that it is fitted to, and rows that it is judged by. */
export function roundLayer(products: Products, each: ByteLayer, fit: Rows, held: Rows): Rounded {
  const {nearest, step} = each;
  const {product} = products;
  const whole = errorOn(product, each, nearest, held);
  let [best, least] = [nearest, whole];
  for (const candidate of candidatesFor(products, each, fit)) {
    if (!fitsBias(candidate.bias, candidate.scales, step)) continue;
    const error = errorOn(product, each, candidate, held);
    if (error < least) [best, least] = [candidate, error];
  }
  return {...best, gain: least > 0 ? 10 * Math.log10(whole / least) : 0};
}

/** All but rounding to nearest by itself. */
function candidatesFor(products: Products, each: ByteLayer, fit: Rows): readonly Rounded[] {
  const {layer, nearest} = each;
  const {rows: outputs, columns: width} = layer.weights;
  const groups = layer.window?.groups ?? 1;
  const own = outputs / groups;
  const integers = Int8Array.from(nearest.weights.data, Number);
  const made = new Map<Way, {readonly codes: Int8Array; readonly scales: Float32Array; readonly bias: number[]}>();
  for (let group = 0; group < groups; group++) {
    const alone = {codes: part(integers, group, groups), scales: part(nearest.scales, group, groups)};
    for (const [way, {codes, scales}, moments] of partsFor(products, each, fit, group, alone)) {
      const so = made.get(way) ?? {codes: new Int8Array(outputs * width), scales: new Float32Array(outputs), bias: []};
      made.set(way, so);
      so.codes.set(codes, group * own * width);
      so.scales.set(scales, group * own);
      const map = Float64Array.from(codes, (code, i) => Math.fround(code * scales[Math.floor(i / width)]!));
      so.bias.push(...biasFor(moments, matrixOf(own, width, map)));
    }
  }
  return Array.from(made, ([way, {codes, scales, bias}]) => {
    const weights = tensorOf('i8', nearest.weights.shape, new Uint8Array(codes.buffer));
    return {weights, scales, bias, way, gain: 0};
  });
}

type Integers = {readonly codes: Int8Array; readonly scales: Float32Array};

/** Of one group of channels, with the moments that its bias is to be right by. */
function partsFor(
  {product, floats}: Products,
  {layer: {weights, window}}: ByteLayer,
  {x, y}: Rows,
  group: number,
  alone: Integers,
): readonly (readonly [Way, Integers, Moments])[] {
  const groups = window?.groups ?? 1;
  const {columns: width} = weights;
  const own = weights.rows / groups;
  const [rows, wanted] = [part(x, group, groups), part(y, group, groups)];
  const gathered = gather(width, own);
  addRows(floats, gathered, rows, wanted);
  const moments = momentsOf(gathered);
  if (width > widest) return [['bias', alone, moments]];
  const plain = matrixOf(own, width, part(weights.data, group, groups));
  const {map, gram} = targetOf(product, moments, plain);
  const corrections = correctionsOf(gram.data, width, 0);
  const rounded = (data: Float64Array): Integers =>
    inTurn({data, outputs: own, width}, corrections, diagonalOf(gram.data, width), 8);
  return [
    ['bias', alone, moments],
    ['gptq', rounded(plain.data), moments],
    ['fit', rounded(map.data), moments],
  ];
}

/** One of equal parts. */
function part<A extends Float32Array | Float64Array | Int8Array>(all: A, at: number, parts: number): A {
  const each = all.length / parts;
  return all.subarray(at * each, (at + 1) * each) as A;
}

/** Mean square of what is off behind the activation. */
function errorOn(product: Product, {layer, bounds}: ByteLayer, rounded: Rounded, {x, y, added, count}: Rows): number {
  const {low, high} = bounds;
  const kept = (value: number): number => (value < low ? low : value > high ? high : value);
  const given = resultsOf(product, {x, count}, {weights: realWeights(rounded), bias: rounded.bias}, layer.window?.groups ?? 1);
  let sum = 0;
  for (let i = 0; i < y.length; i++) {
    const beside = added?.[i] ?? 0;
    sum += (kept(y[i]! + beside) - kept(given[i]! + beside)) ** 2;
  }
  return sum / y.length;
}

/** Weights times rows and the bias: [group][row][output]. */
export function resultsOf(
  product: Product,
  {x, count}: Pick<Rows, 'x' | 'count'>,
  {weights, bias}: Parameters,
  groups: number,
): Float32Array {
  const outputs = bias.length;
  const own = outputs / groups;
  const width = weights.length / outputs;
  const result = new Float32Array(groups * count * own);
  const all = Float64Array.from(weights);
  for (let group = 0; group < groups; group++) {
    const rows = matrixOf(count, width, part(x, group, groups));
    const {data} = timesTransposed(product, rows, matrixOf(own, width, part(all, group, groups)));
    for (let i = 0; i < data.length; i++) result[group * count * own + i] = data[i]! + bias[group * own + (i % own)]!;
  }
  return result;
}
