/** The leading eigenvectors of symmetric matrices. */
import {EigenvalueDecomposition, Matrix as Small} from 'ml-matrix';
import {firstRows, type Matrix, type Product, timesTransposed, transposed, zeros} from './matrix.js';
import {choleskyOf, forward} from './solve.js';

/** Larger matrices are projected first. */
const exactUpTo = 160;
/** Vectors beyond those wanted, and how often the matrix is applied (Halko, Martinsson and Tropp 2011, algorithm 4.4). */
const [oversampling, powers] = [16, 4];

/**
 * The `count` eigenvectors of a positive semidefinite `s` with the largest eigenvalues, as rows, orthonormal, from the largest
 * down: exactly for small matrices, else by randomized subspace iteration, whose random numbers are always the same.
 */
export function leading(product: Product, s: Matrix, count: number): Matrix {
  const n = s.rows;
  const wanted = count + oversampling;
  if (n <= exactUpTo || 2 * wanted >= n) return firstRows(eigenvectors(s), count);
  let basis = orthonormal(product, timesTransposed(product, gaussian(wanted, n), s));
  for (let i = 1; i < powers; i++) basis = orthonormal(product, timesTransposed(product, basis, s));
  // Rayleigh and Ritz: the small problem within the subspace.
  const inside = timesTransposed(product, timesTransposed(product, basis, s), basis);
  return firstRows(timesTransposed(product, eigenvectors(inside), transposed(basis)), count);
}

/** `leading` of one matrix for any count up to `most`, by one decomposition, once it is asked for. */
export function leadingOf(product: Product, s: Matrix, most: number): (count: number) => Matrix {
  let known: Matrix | null = null;
  return count => {
    known ??= leading(product, s, most);
    return firstRows(known, count);
  };
}

/** All, as rows. */
function eigenvectors({rows: n, data}: Matrix): Matrix {
  const full = Small.from1DArray(n, n, data);
  const {realEigenvalues, eigenvectorMatrix} = new EigenvalueDecomposition(full, {assumeSymmetric: true});
  const order = realEigenvalues.map((_, i) => i).sort((a, b) => realEigenvalues[b]! - realEigenvalues[a]!);
  const result = zeros(n, n);
  order.forEach((column, i) => {
    for (let k = 0; k < n; k++) result.data[i * n + k] = eigenvectorMatrix.get(k, column);
  });
  return result;
}

/** Rows with the same span, orthonormal: Cholesky QR, twice, since once loses half of the digits. */
function orthonormal(product: Product, rows: Matrix): Matrix {
  return whitened(product, whitened(product, rows));
}

function whitened(product: Product, rows: Matrix): Matrix {
  const l = choleskyOf(product, timesTransposed(product, rows, rows), 0);
  return transposed(forward(product, l, transposed(rows)));
}

function gaussian(rows: number, columns: number): Matrix {
  const result = zeros(rows, columns);
  let state = 1;
  const uniform = (): number => {
    // Marsaglia's xorshift.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 1) / 4294967297;
  };
  for (let at = 0; at < result.data.length; at++)
    result.data[at] = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return result;
}
