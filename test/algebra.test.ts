/** Products, systems and eigenvectors of matrices, where the answer is known: in TypeScript and by the addon. */
import test from 'ava';
import {leading} from '../compiler/algebra/eigen.js';
import {
  type FloatProduct,
  type Matrix,
  matrixOf,
  minus,
  type Product,
  portableFloatProduct,
  portableProduct,
  times,
  timesTransposed,
  transposed,
} from '../compiler/algebra/matrix.js';
import {backward, cholesky, forward, solve} from '../compiler/algebra/solve.js';
import {writeLoader} from '../compiler/loader.js';
import {openLoader} from '../runtime/index.js';
import {temporaryFolder} from './support/temporary.js';
import {hasCompiler} from './tiny-build.js';

const compiled = hasCompiler ? test : test.skip;

let state = 7;
const noise = (): number => {
  state = (state * 1103515245 + 12345) % 2147483648;
  return state / 1073741824 - 1;
};
const random = (rows: number, columns: number): Matrix => matrixOf(rows, columns, Array.from({length: rows * columns}, noise));
const largest = ({data}: Matrix): number => data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Positive definite. */
function covariance(n: number): Matrix {
  const half = random(n, 2 * n);
  return timesTransposed(portableProduct, half, half);
}

for (const n of [1, 5, 64, 65, 200]) {
  test(`Cholesky and its systems, ${n} unknowns`, t => {
    const a = covariance(n);
    const l = cholesky(portableProduct, a)!;
    t.true(largest(minus(timesTransposed(portableProduct, l, l), a)) < 1e-10 * largest(a));
    const x = random(3, n);
    t.true(largest(minus(solve(portableProduct, l, times(portableProduct, x, a)), x)) < 1e-8);
    t.true(largest(minus(forward(portableProduct, l, timesTransposed(portableProduct, x, l)), x)) < 1e-8);
    t.true(largest(minus(backward(portableProduct, l, times(portableProduct, x, l)), x)) < 1e-8);
  });
}

test('what is not positive definite has no factor', t => {
  t.is(cholesky(portableProduct, matrixOf(2, 2, [1, 2, 2, 1])), null);
});

for (const n of [6, 300]) {
  test(`leading eigenvectors, ${n} x ${n}`, t => {
    // Eigenvalues fall by a third each; the last ones are zero.
    const basis = leading(portableProduct, covariance(n), n);
    const scaled = matrixOf(
      n,
      n,
      basis.data.map((value, at) => value * 0.66 ** Math.floor(at / n)),
    );
    const s = times(portableProduct, transposed(basis), scaled);
    const found = leading(portableProduct, s, 4);
    const cosines = timesTransposed(portableProduct, found, basis);
    for (let i = 0; i < 4; i++) t.true(Math.abs(Math.abs(cosines.data[i * n + i]!) - 1) < 1e-6, `${cosines.data[i * n + i]}`);
    const gram = timesTransposed(portableProduct, found, found);
    for (let i = 0; i < 16; i++) t.true(Math.abs(gram.data[i]! - (i % 5 === 0 ? 1 : 0)) < 1e-10);
  });
}

compiled('the product of floats in C is the portable one, as it lies and turned', async t => {
  const folder = temporaryFolder();
  await writeLoader(folder);
  const {productOfFloats} = openLoader(folder);
  for (const [m, n, k] of [
    [1, 1, 1],
    [8, 32, 256],
    [13, 33, 300],
    [70, 70, 17],
    [3, 100, 515],
  ] as const)
    for (const turned of [false, true]) {
      const [a, b] = [Float32Array.from(random(m, k).data), Float32Array.from(random(k, n + 2).data)];
      const run = (by: FloatProduct): Float64Array => {
        const out = new Float64Array(m * (n + 1)).fill(0.5);
        by(a, turned ? 1 : k, turned ? m : 1, b, n + 2, out, n + 1, m, n, k);
        return out;
      };
      const [wanted, found] = [run(portableFloatProduct), run(productOfFloats)];
      found.forEach((value, at) => {
        t.true(Math.abs(value - wanted[at]!) < 1e-4, `${m} x ${n} x ${k}: ${at}`);
      });
    }
  const few = new Float32Array(8);
  const out = new Float64Array(4);
  t.notThrows(() => productOfFloats(few, 1, 2, few, 2, out, 2, 2, 2, 4));
  t.throws(() => productOfFloats(few, 1, 2, few, 2, out, 2, 2, 2, 5), {instanceOf: RangeError, message: /sizes/});
  t.throws(() => productOfFloats(few, 2, 2, few, 2, out, 2, 2, 2, 4), {instanceOf: RangeError, message: /sizes/});
  t.throws(() => productOfFloats(few, 1, 2, few, 2, out, 3, 2, 2, 4), {instanceOf: RangeError, message: /sizes/});
});

compiled('the product in C is the portable one, for every remainder of rows, columns and depth', async t => {
  const folder = temporaryFolder();
  await writeLoader(folder);
  const {product} = openLoader(folder);
  for (const [m, n, k] of [
    [1, 1, 1],
    [4, 4, 8],
    [5, 7, 13],
    [9, 70, 300],
    [66, 6, 515],
  ] as const) {
    const [a, b] = [random(m, k + 3), random(n, k + 1)];
    const run = (by: Product): Float64Array => {
      const out = new Float64Array(m * (n + 2)).fill(0.5);
      by(a.data, k + 3, b.data, k + 1, out, n + 2, m, n, k);
      return out;
    };
    const [wanted, found] = [run(portableProduct), run(product)];
    found.forEach((value, at) => {
      t.true(Math.abs(value - wanted[at]!) < 1e-10, `${m} x ${n} x ${k}: ${at}`);
    });
  }
  const few = new Float64Array(8);
  t.throws(() => product(few, 4, few, 4, few, 4, 3, 2, 4), {instanceOf: RangeError, message: /sizes/});
  t.throws(() => product(few, 2, few, 4, few, 4, 2, 2, 4), {instanceOf: RangeError, message: /sizes/});
});
