/** Dense matrices of doubles, row after row, and their products: by the addon where there is one, else in TypeScript. */
import type {NativeLoader} from '../../runtime/index.js';

export type Matrix = {
  readonly rows: number;
  readonly columns: number;
  /** [rows][columns] */
  readonly data: Float64Array;
};

/** out[m][n] += sum over k of a[m][k] * b[n][k]: as `NativeLoader` says. */
export type Product = NativeLoader['product'];

/** On any machine. */
export const portableProduct: Product = (a, lda, b, ldb, out, ldo, m, n, k) => {
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      const [left, right] = [i * lda, j * ldb];
      let sum = 0;
      for (let at = 0; at < k; at++) sum += a[left + at]! * b[right + at]!;
      out[i * ldo + j]! += sum;
    }
};

/** out[m][n] += sum over k of a[m * row + k * step] * b[k][n], of floats: as `NativeLoader` says. */
export type FloatProduct = NativeLoader['productOfFloats'];

/** On any machine. */
export const portableFloatProduct: FloatProduct = (a, row, step, b, ldb, out, ldo, m, n, k) => {
  for (let i = 0; i < m; i++)
    for (let at = 0; at < k; at++) {
      const factor = a[i * row + at * step]!;
      for (let j = 0; j < n; j++) out[i * ldo + j]! += factor * b[at * ldb + j]!;
    }
};

export const zeros = (rows: number, columns: number): Matrix => ({rows, columns, data: new Float64Array(rows * columns)});

export const matrixOf = (rows: number, columns: number, values: ArrayLike<number>): Matrix => ({
  ...{rows, columns},
  data: new Float64Array(values),
});

export function identity(n: number): Matrix {
  const result = zeros(n, n);
  for (let i = 0; i < n; i++) result.data[i * n + i] = 1;
  return result;
}

export function transposed({rows, columns, data}: Matrix): Matrix {
  const result = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = data[i * columns + j]!;
  return {rows: columns, columns: rows, data: result};
}

/** a b' */
export function timesTransposed(product: Product, a: Matrix, b: Matrix): Matrix {
  const out = zeros(a.rows, b.rows);
  product(a.data, a.columns, b.data, b.columns, out.data, b.rows, a.rows, b.rows, a.columns);
  return out;
}

/** a b */
export const times = (product: Product, a: Matrix, b: Matrix): Matrix => timesTransposed(product, a, transposed(b));

/** The first rows. */
export const firstRows = ({columns, data}: Matrix, rows: number): Matrix => ({
  ...{rows, columns},
  data: data.slice(0, rows * columns),
});

export const minus = (a: Matrix, b: Matrix): Matrix => ({...a, data: a.data.map((value, at) => value - b.data[at]!)});

/** Sum of products of elements: tr(a b'). */
export function inner(a: Matrix, b: Matrix): number {
  let sum = 0;
  for (let at = 0; at < a.data.length; at++) sum += a.data[at]! * b.data[at]!;
  return sum;
}

/** a x for one vector. */
export function apply({rows, columns, data}: Matrix, x: ArrayLike<number>): Float64Array {
  const result = new Float64Array(rows);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[i]! += data[i * columns + j]! * x[j]!;
  return result;
}
