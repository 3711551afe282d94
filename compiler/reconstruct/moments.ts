/** Means and second moments of what a layer reads (x) and of what it should give (y): all that least squares need. */
import {type Matrix, type Product, zeros} from '../algebra/matrix.js';

export type Gathered = {
  readonly width: number;
  readonly outputs: number;
  count: number;
  readonly sumX: Float64Array;
  readonly sumY: Float64Array;
  /** Sum of x x': the lower half. */
  readonly gram: Float64Array;
  /** Sum of y x'; none is gathered where there are no outputs. */
  readonly cross: Float64Array;
  squaresOfY: number;
};

export const gather = (width: number, outputs: number): Gathered => ({
  ...{width, outputs, count: 0, squaresOfY: 0},
  sumX: new Float64Array(width),
  sumY: new Float64Array(outputs),
  gram: new Float64Array(width * width),
  cross: new Float64Array(outputs * width),
});

const [chunk, block, tile] = [2048, 64, 16];

/** Adds rows of x, [count][width], and of y, [count][outputs]. */
export function addRows(product: Product, into: Gathered, x: Float32Array, y: Float32Array): void {
  const {width, gram, sumX} = into;
  forEachChunk(x, width, sumX, (left, rows, first) => {
    for (let i = 0; i < width; i += block) {
      const size = Math.min(block, width - i);
      product(left.subarray(i * rows), rows, left, rows, gram.subarray(i * width), width, size, i + size, rows);
    }
    if (into.outputs > 0) addCross(product, into, left, y, first);
  });
  into.count += x.length / width;
}

/** The same rows of x, whose moments are known, with other rows of y. */
export function withOutputs(product: Product, known: Gathered, x: Float32Array, y: Float32Array): Gathered {
  const {width, outputs} = known;
  const other = {...gather(0, outputs), ...{width, gram: known.gram, sumX: known.sumX, count: known.count}};
  const into = {...other, cross: new Float64Array(outputs * width)};
  forEachChunk(x, width, new Float64Array(width), (left, _, first) => addCross(product, into, left, y, first));
  return into;
}

function addCross(product: Product, into: Gathered, left: Float64Array, y: Float32Array, first: number): void {
  const {width, outputs, cross, sumY} = into;
  const rows = left.length / width;
  const right = columnsOf(y, outputs, first, rows, sumY);
  product(right, rows, left, rows, cross, width, outputs, width, rows);
  for (const value of right) into.squaresOfY += value * value;
}

function forEachChunk(
  x: Float32Array,
  width: number,
  sums: Float64Array,
  see: (columns: Float64Array, rows: number, first: number) => void,
): void {
  const count = x.length / width;
  for (let first = 0; first < count; first += chunk) {
    const rows = Math.min(chunk, count - first);
    see(columnsOf(x, width, first, rows, sums), rows, first);
  }
}

/** Columns of some rows, one after the other; their sums are added. */
function columnsOf(values: Float32Array, width: number, first: number, rows: number, sums: Float64Array): Float64Array {
  const result = new Float64Array(width * rows);
  // In tiles, so that neither side leaves the nearest cache.
  for (let start = 0; start < width; start += tile)
    for (let i = 0; i < rows; i++) {
      const row = (first + i) * width;
      const end = Math.min(start + tile, width);
      for (let k = start; k < end; k++) result[k * rows + i] = values[row + k]!;
    }
  for (let k = 0; k < width; k++) {
    let sum = 0;
    for (let at = k * rows; at < (k + 1) * rows; at++) sum += result[at]!;
    sums[k]! += sum;
  }
  return result;
}

/** Means over all rows; second moments are about the means. */
export type Moments = {
  readonly count: number;
  readonly meanX: Float64Array;
  readonly meanY: Float64Array;
  /** E[(x - mean)(x - mean)'] */
  readonly gram: Matrix;
  /** E[(y - mean)(x - mean)'] */
  readonly cross: Matrix;
  /** E|y - mean|^2 */
  readonly energyY: number;
};

export function momentsOf({width, outputs, count, sumX, sumY, gram, cross, squaresOfY}: Gathered): Moments {
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
  const energyY = squaresOfY * share - meanY.reduce((sum, mean) => sum + mean * mean, 0);
  return {count, meanX, meanY, gram: g, cross: k, energyY};
}
