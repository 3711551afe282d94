/** Thin layers whose first map has structure: few numbers in many places. Their halves are fitted in turn. */
import {leading, leadingOf} from '../algebra/eigen.js';
import {identity, type Matrix, matrixOf, type Product, times, timesTransposed, transposed, zeros} from '../algebra/matrix.js';
import {backward, choleskyOf, solve} from '../algebra/solve.js';
import {kernelOf, type Layer} from '../reconstruct/layers.js';
import type {Target} from '../reconstruct/least-squares.js';

/** A first map with structure: its free numbers, and how they fill it. */
export type Structured = {
  readonly start: Matrix;
  /** The map [rows][width] that the numbers are. */
  expand(values: Matrix): Matrix;
  /** The gradient of the numbers from that of the map. */
  restrict(gradient: Matrix): Matrix;
  /** What `restrict` makes of metric times the map of the numbers times the gram. */
  curve(metric: Matrix, values: Matrix): Matrix;
  /** Divides by the metric of what the numbers are multiplied with. */
  precondition(gradient: Matrix): Matrix;
};

/** k x 1 to `rank` channels: the numbers are [rank][channel][row], the map has a row for each of them and each column of the kernel. */
export function spatial(product: Product, layer: Layer, {map, gram}: Target, most: number): (rank: number) => Structured {
  const [, columns] = kernelOf(layer);
  const width = map.columns / columns;
  const metric = zeros(width, width);
  for (let s = 0; s < columns; s++) addBlock(metric, gram, columns, s);
  const l = factor(product, metric);
  const inverse = solve(product, l, identity(width));
  const rows = zeros(map.rows * columns, width);
  for (let o = 0; o < map.rows; o++)
    for (let q = 0; q < width; q++)
      for (let s = 0; s < columns; s++) rows.data[(o * columns + s) * width + q] = map.data[o * map.columns + q * columns + s]!;
  const directions = leadingOf(product, squared(product, times(product, rows, l)), most);
  // The gram between columns of the kernel, [s][t][width][width].
  const between = Array.from({length: columns}, (_, s) => Array.from({length: columns}, (_, t) => blockOf(gram, columns, s, t)));
  return rank => ({
    start: backward(product, l, directions(rank)),
    expand(values) {
      const result = zeros(rank * columns, map.columns);
      for (let r = 0; r < rank; r++)
        for (let q = 0; q < width; q++)
          for (let s = 0; s < columns; s++)
            result.data[(r * columns + s) * map.columns + q * columns + s] = values.data[r * width + q]!;
      return result;
    },
    restrict(gradient) {
      const result = zeros(rank, width);
      for (let r = 0; r < rank; r++)
        for (let q = 0; q < width; q++)
          for (let s = 0; s < columns; s++)
            result.data[r * width + q]! += gradient.data[(r * columns + s) * map.columns + q * columns + s]!;
      return result;
    },
    // Only what is not zero in the map, and only what is not dropped behind: a third of the products each, where there are three columns.
    curve(metric, values) {
      const result = zeros(rank, width);
      for (let s = 0; s < columns; s++) {
        const seen = zeros(width, rank * columns);
        for (let t = 0; t < columns; t++) {
          const part = timesTransposed(product, between[s]![t]!, values);
          for (let q = 0; q < width; q++)
            for (let r = 0; r < rank; r++) seen.data[q * rank * columns + r * columns + t] = part.data[q * rank + r]!;
        }
        const own = zeros(rank, rank * columns);
        for (let r = 0; r < rank; r++)
          own.data.set(
            metric.data.subarray((r * columns + s) * metric.columns, (r * columns + s + 1) * metric.columns),
            r * metric.columns,
          );
        product(own.data, own.columns, seen.data, seen.columns, result.data, width, rank, width, own.columns);
      }
      return result;
    },
    precondition: gradient => timesTransposed(product, gradient, inverse),
  });
}

/** Every `step`th row and column of the gram, from `first` and `second` on. */
function blockOf({columns, data}: Matrix, step: number, first: number, second: number): Matrix {
  const n = columns / step;
  const result = zeros(n, n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) result.data[i * n + j] = data[(i * step + first) * columns + j * step + second]!;
  return result;
}

/** One filter per channel: the numbers are [channel][point]. */
export function separable(product: Product, layer: Layer, {map, gram}: Target): Structured {
  const {channels} = layer;
  const points = map.columns / channels;
  const factors = Array.from({length: channels}, (_, c) => {
    const own = zeros(points, points);
    for (let p = 0; p < points; p++)
      for (let q = 0; q < points; q++) own.data[p * points + q] = gram.data[(c * points + p) * gram.columns + c * points + q]!;
    return factor(product, own);
  });
  const perChannel = (make: (c: number) => Matrix): Matrix =>
    matrixOf(channels, points, Array.from({length: channels}, (_, c) => [...make(c).data]).flat());
  return {
    start: perChannel(c => {
      const rows = zeros(map.rows, points);
      for (let o = 0; o < map.rows; o++)
        for (let p = 0; p < points; p++) rows.data[o * points + p] = map.data[o * map.columns + c * points + p]!;
      return backward(product, factors[c]!, leading(product, squared(product, times(product, rows, factors[c]!)), 1));
    }),
    expand(values) {
      const result = zeros(channels, map.columns);
      for (let c = 0; c < channels; c++)
        for (let p = 0; p < points; p++) result.data[c * map.columns + c * points + p] = values.data[c * points + p]!;
      return result;
    },
    restrict(gradient) {
      const result = zeros(channels, points);
      for (let c = 0; c < channels; c++)
        for (let p = 0; p < points; p++) result.data[c * points + p] = gradient.data[c * map.columns + c * points + p]!;
      return result;
    },
    curve(metric, values) {
      const result = zeros(channels, points);
      for (let at = 0; at < map.columns; at++) {
        const c = Math.floor(at / points);
        for (let other = 0, from = at * gram.columns; other < channels; other++) {
          let seen = 0;
          for (let p = 0; p < points; p++, from++) seen += gram.data[from]! * values.data[other * points + p]!;
          result.data[at]! += metric.data[c * channels + other]! * seen;
        }
      }
      return result;
    },
    precondition: gradient =>
      perChannel(c => solve(product, factors[c]!, matrixOf(1, points, gradient.data.slice(c * points, (c + 1) * points)))),
  };
}

/** a'a */
export function squared(product: Product, a: Matrix): Matrix {
  const turned = transposed(a);
  return timesTransposed(product, turned, turned);
}

/** Adds every `step`th row and column of the gram, from `first` on. */
export function addBlock(into: Matrix, {columns, data}: Matrix, step: number, first: number): void {
  const n = into.rows;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) into.data[i * n + j]! += data[(i * step + first) * columns + j * step + first]! / step;
}

export const factor = (product: Product, a: Matrix): Matrix => choleskyOf(product, a, 1e-9 / a.rows);
