/** Means and second moments of what a layer reads (x) and of what it should give (y): all that least squares need. */
import {type FloatProduct, type Matrix, zeros} from '../algebra/matrix.js';

export type Gathered = {
  readonly width: number;
  readonly outputs: number;
  /** How many rows tell no more than one. */
  readonly alike: number;
  count: number;
  readonly sumX: Float64Array;
  readonly sumY: Float64Array;
  /** Sum of x x': the lower half. */
  readonly gram: Float64Array;
  /** Sum of y x'; none is gathered where there are no outputs. */
  readonly cross: Float64Array;
};

export const gather = (width: number, outputs: number, alike = 1): Gathered => ({
  ...{width, outputs, alike, count: 0},
  sumX: new Float64Array(width),
  sumY: new Float64Array(outputs),
  gram: new Float64Array(width * width),
  cross: new Float64Array(outputs * width),
});

/** Rows that stay in the second-level cache, and columns of the lower half that are taken together. */
const [chunk, block] = [256, 64];

/** Adds rows of x, [count][width], and of y, [count][outputs]. */
export function addRows(floats: FloatProduct, into: Gathered, x: Float32Array, y: Float32Array): void {
  const {width, gram, sumX} = into;
  const count = x.length / width;
  for (let first = 0; first < count; first += chunk) {
    const rows = Math.min(chunk, count - first);
    const own = x.subarray(first * width, (first + rows) * width);
    for (let i = 0; i < width; i += block) {
      const size = Math.min(block, width - i);
      floats(own.subarray(i), 1, width, own, width, gram.subarray(i * width), width, size, i + size, rows);
    }
  }
  addSums(sumX, x);
  if (into.outputs > 0) addCross(floats, into, x, y);
  into.count += count;
}

/** The same rows of x, whose moments are known, with other rows of y. */
export function withOutputs(floats: FloatProduct, known: Gathered, x: Float32Array, y: Float32Array): Gathered {
  const {width, outputs} = known;
  const into = {...known, sumY: new Float64Array(outputs), cross: new Float64Array(outputs * width)};
  addCross(floats, into, x, y);
  return into;
}

function addCross(floats: FloatProduct, {width, outputs, cross, sumY}: Gathered, x: Float32Array, y: Float32Array): void {
  floats(y, 1, outputs, x, width, cross, width, outputs, width, x.length / width);
  addSums(sumY, y);
}

function addSums(sums: Float64Array, values: Float32Array): void {
  const width = sums.length;
  for (let first = 0; first < values.length; first += width) for (let i = 0; i < width; i++) sums[i]! += values[first + i]!;
}

/** Means over all rows; second moments are about the means. */
export type Moments = {
  /** Rows, as far as they are independent. */
  readonly count: number;
  readonly meanX: Float64Array;
  readonly meanY: Float64Array;
  /** E[(x - mean)(x - mean)'] */
  readonly gram: Matrix;
  /** E[(y - mean)(x - mean)'] */
  readonly cross: Matrix;
};

export function momentsOf({width, outputs, alike, count, sumX, sumY, gram, cross}: Gathered): Moments {
  const share = 1 / Math.max(1, count);
  const [meanX, meanY] = [sumX.map(sum => sum * share), sumY.map(sum => sum * share)];
  const [g, k] = [zeros(width, width), zeros(outputs, width)];
  for (let i = 0; i < width; i++)
    for (let j = 0; j <= i; j++) {
      const value = gram[i * width + j]! * share - meanX[i]! * meanX[j]!;
      g.data[i * width + j] = value;
      g.data[j * width + i] = value;
    }
  for (let o = 0; o < outputs; o++)
    for (let j = 0; j < width; j++) k.data[o * width + j] = cross[o * width + j]! * share - meanY[o]! * meanX[j]!;
  return {count: count / alike, meanX, meanY, gram: g, cross: k};
}
