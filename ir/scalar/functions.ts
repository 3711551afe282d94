/** The functions that a scalar expression may call: what each means for floats and for integers, exactly. */
import {roundEven} from '../tensor.js';

export type Meaning = {
  readonly arity: number;
  /** 'same': the type of the operands. 'bool': a truth value. 'branch': the type of the last operand. */
  readonly result: 'same' | 'bool' | 'branch';
  readonly real: (...x: number[]) => number;
  /** Integers, exact; absent where the function is for floats only. */
  readonly whole?: (...x: bigint[]) => bigint;
};

export const truth = (b: boolean): number => (b ? 1 : 0);
const big = (b: boolean): bigint => (b ? 1n : 0n);

const compare = (real: (a: number, b: number) => boolean, whole: (a: bigint, b: bigint) => boolean): Meaning => ({
  arity: 2,
  result: 'bool',
  real: (a, b) => truth(real(a!, b!)),
  whole: (a, b) => big(whole(a!, b!)),
});
const unary = (real: (x: number) => number, whole?: (x: bigint) => bigint): Meaning => ({
  arity: 1,
  result: 'same',
  real: x => real(x!),
  ...(whole && {whole: x => whole(x!)}),
});
const binary = (real: (a: number, b: number) => number, whole?: (a: bigint, b: bigint) => bigint): Meaning => ({
  arity: 2,
  result: 'same',
  real: (a, b) => real(a!, b!),
  ...(whole && {whole: (a, b) => whole(a!, b!)}),
});

/** a ** b modulo 2 ** 64, which is what every type keeps of it: the number itself may have more digits than memory has room. */
function power(a: bigint, b: bigint): bigint {
  if (b < 0n) return a === 1n ? 1n : a === -1n ? (b % 2n === 0n ? 1n : -1n) : 0n;
  let result = 1n;
  for (let [base, rest] = [a, b]; rest > 0n; base = BigInt.asUintN(64, base * base), rest >>= 1n)
    if (rest & 1n) result = BigInt.asUintN(64, result * base);
  return result;
}

/** Every function an expression may use. Division of integers truncates towards zero, by zero it gives 0 (C leaves it undefined). */
export const scalarFunctions = {
  add: binary(
    (a, b) => a + b,
    (a, b) => a + b,
  ),
  sub: binary(
    (a, b) => a - b,
    (a, b) => a - b,
  ),
  mul: binary(
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  div: binary(
    (a, b) => a / b,
    (a, b) => (b === 0n ? 0n : a / b),
  ),
  /** NaN wins, as ONNX's Max, Min, Relu and Clip have it in onnxruntime. */
  max: binary(Math.max, (a, b) => (a > b ? a : b)),
  min: binary(Math.min, (a, b) => (a < b ? a : b)),
  /** clamp(x, low, high); unlike min(max(x, low), high) it gives low for NaN. */
  clamp: {
    arity: 3,
    result: 'same',
    real: (x, low, high) => (x! > low! ? Math.min(x!, high!) : low!),
    whole: (x, low, high) => (x! <= low! ? low! : x! < high! ? x! : high!),
  },
  /** As in C: 1 to any power is 1, also to NaN, and so is -1 to an infinite one. */
  pow: binary((a, b) => (a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b), power),
  /** C's fmod: the sign of the dividend. */
  fmod: binary(
    (a, b) => a % b,
    (a, b) => (b === 0n ? 0n : a % b),
  ),
  /** Python's %: the sign of the divisor, of a zero and of an infinite divisor too. */
  mod: binary(
    (a, b) => {
      const rest = a % b;
      if (rest === 0) return b < 0 || Object.is(b, -0) ? -0 : 0;
      return rest < 0 === b < 0 ? rest : rest + b;
    },
    (a, b) => (b === 0n ? 0n : ((a % b) + b) % b),
  ),
  neg: unary(
    x => -x,
    x => -x,
  ),
  abs: unary(Math.abs, x => (x < 0n ? -x : x)),
  sign: unary(Math.sign, x => (x > 0n ? 1n : x < 0n ? -1n : 0n)),
  sqrt: unary(Math.sqrt),
  exp: unary(Math.exp),
  log: unary(Math.log),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  tan: unary(Math.tan),
  asin: unary(Math.asin),
  acos: unary(Math.acos),
  atan: unary(Math.atan),
  sinh: unary(Math.sinh),
  cosh: unary(Math.cosh),
  tanh: unary(Math.tanh),
  asinh: unary(Math.asinh),
  acosh: unary(Math.acosh),
  atanh: unary(Math.atanh),
  erf: unary(erf),
  sigmoid: unary(x => 1 / (1 + Math.exp(-x))),
  /** log(1 + exp(x)) without overflow. */
  softplus: unary(x => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  floor: unary(Math.floor, x => x),
  ceil: unary(Math.ceil, x => x),
  /** Half to even. */
  round: unary(roundEven, x => x),
  lt: compare(
    (a, b) => a < b,
    (a, b) => a < b,
  ),
  le: compare(
    (a, b) => a <= b,
    (a, b) => a <= b,
  ),
  eq: compare(
    (a, b) => a === b,
    (a, b) => a === b,
  ),
  and: binary(
    (a, b) => truth(a !== 0 && b !== 0),
    (a, b) => a & b,
  ),
  or: binary(
    (a, b) => truth(a !== 0 || b !== 0),
    (a, b) => a | b,
  ),
  xor: binary(
    (a, b) => truth((a !== 0) !== (b !== 0)),
    (a, b) => a ^ b,
  ),
  /** Shifts by a negative number of bits, or by all and more, leave no bit; of a negative number that goes right, the sign. */
  shl: binary(
    (a, b) => a * 2 ** b,
    (a, b) => (b < 0n || b > 63n ? 0n : a << b),
  ),
  shr: binary(
    (a, b) => Math.floor(a / 2 ** b),
    (a, b) => a >> (b < 0n || b > 63n ? 64n : b),
  ),
  bitnot: unary(
    x => -x - 1,
    x => ~x,
  ),
  not: {arity: 1, result: 'bool', real: x => truth(x === 0), whole: x => big(x === 0n)},
  isnan: {arity: 1, result: 'bool', real: x => truth(Number.isNaN(x!)), whole: () => 0n},
  isinf: {
    arity: 1,
    result: 'bool',
    real: x => truth(x === Number.POSITIVE_INFINITY || x === Number.NEGATIVE_INFINITY),
    whole: () => 0n,
  },
  /** select(condition, then, else) */
  select: {arity: 3, result: 'branch', real: (c, a, b) => (c ? a! : b!), whole: (c, a, b) => (c ? a! : b!)},
} as const satisfies Record<string, Meaning>;

export type ScalarFn = keyof typeof scalarFunctions;

export const isScalarFn = (name: string): name is ScalarFn => Object.hasOwn(scalarFunctions, name);

/** The meaning of a function through its common type. */
export const meaning = (fn: ScalarFn): Meaning => scalarFunctions[fn];

/** erf to double precision: Taylor series near 0, continued fraction (Lentz) of erfc beyond (Abramowitz & Stegun 7.1.6, 7.1.14). */
function erf(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x)) return x;
  if (size > 6) return Math.sign(x);
  if (size < 2.5) {
    let term = size;
    let sum = size;
    for (let n = 1; n < 200 && Math.abs(term) > 1e-18 * sum; n++) {
      term *= (2 * size * size) / (2 * n + 1);
      sum += term;
    }
    return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * Math.exp(-size * size) * sum;
  }
  let fraction = 0;
  for (let n = 60; n >= 1; n--) fraction = n / 2 / (size + fraction);
  return Math.sign(x) * (1 - Math.exp(-size * size) / Math.sqrt(Math.PI) / (size + fraction));
}
