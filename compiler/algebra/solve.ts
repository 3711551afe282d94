/** Symmetric positive definite systems by Cholesky's factorization, in blocks, so that nearly all of it is products. */
import {type Matrix, type Product, transposed, zeros} from './matrix.js';

const block = 64;

/** L of a = L L', lower triangular; null where `a` is not positive definite. Only the lower half of `a` is read. */
export function cholesky(product: Product, {rows: n, data: a}: Matrix): Matrix | null {
  const l = zeros(n, n);
  const {data} = l;
  for (let first = 0; first < n; first += block) {
    const size = Math.min(block, n - first);
    // What earlier columns leave of this block column.
    const below = n - first;
    const known = new Float64Array(below * size);
    product(data.subarray(first * n), n, data.subarray(first * n), n, known, size, below, size, first);
    for (let i = 0; i < below; i++) {
      const row = (first + i) * n + first;
      for (let j = 0; j < size && j <= i; j++) {
        let sum = a[row + j]! - known[i * size + j]!;
        const other = (first + j) * n + first;
        for (let k = 0; k < j; k++) sum -= data[row + k]! * data[other + k]!;
        if (i > j) data[row + j] = sum / data[other + j]!;
        else if (sum > 0) data[row + j] = Math.sqrt(sum);
        else return null;
      }
    }
  }
  return l;
}

/** As `cholesky`, with as little on the diagonal as it needs: that part of the trace to begin with. */
export function choleskyOf(product: Product, a: Matrix, least: number): Matrix {
  const n = a.rows;
  let trace = 0;
  for (let i = 0; i < n; i++) trace += a.data[i * n + i]!;
  for (let part = least; ; part = Math.max(1e-15, 10 * part)) {
    const data = a.data.slice();
    for (let i = 0; i < n; i++) data[i * n + i]! += part * trace + Number.MIN_VALUE;
    const l = cholesky(product, {...a, data});
    if (l) return l;
  }
}

/** x of x (L L') = b, where `l` is L. */
export const solve = (product: Product, l: Matrix, b: Matrix): Matrix => backward(product, l, forward(product, l, b));

/** x of x L' = b: rows of b become white where L L' is their covariance. */
export function forward(product: Product, {rows: n, data: l}: Matrix, b: Matrix): Matrix {
  const data = b.data.slice();
  for (let first = 0; first < n; first += block) {
    const size = Math.min(block, n - first);
    const known = new Float64Array(b.rows * size);
    product(data, n, l.subarray(first * n), n, known, size, b.rows, size, first);
    for (let i = 0; i < b.rows; i++) {
      const row = i * n + first;
      for (let j = 0; j < size; j++) {
        let sum = data[row + j]! - known[i * size + j]!;
        const other = (first + j) * n + first;
        for (let k = 0; k < j; k++) sum -= data[row + k]! * l[other + k]!;
        data[row + j] = sum / l[other + j]!;
      }
    }
  }
  return {...b, data};
}

/** x of x L = b. */
export function backward(product: Product, l: Matrix, b: Matrix): Matrix {
  const n = l.rows;
  const upper = transposed(l).data;
  const data = b.data.slice();
  for (let first = Math.floor((n - 1) / block) * block; first >= 0; first -= block) {
    const size = Math.min(block, n - first);
    const next = first + size;
    const known = new Float64Array(b.rows * size);
    if (next < n) product(data.subarray(next), n, upper.subarray(first * n + next), n, known, size, b.rows, size, n - next);
    for (let i = 0; i < b.rows; i++) {
      const row = i * n + first;
      for (let j = size - 1; j >= 0; j--) {
        let sum = data[row + j]! - known[i * size + j]!;
        const other = (first + j) * n + first;
        for (let k = j + 1; k < size; k++) sum -= data[row + k]! * upper[other + k]!;
        data[row + j] = sum / upper[other + j]!;
      }
    }
  }
  return {...b, data};
}
