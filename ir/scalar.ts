/**
 * Scalar expressions: the one source of every element-wise meaning. The same expression is evaluated here, composed by
 * fusion (substitution), and printed as C by codegen/c/expression.ts. Text form: `max(add(x0, x1), 0)`.
 */
import {invariant} from './diagnostics.js';
import {fromBfloat, fromHalf, roundEven, toBfloat, toHalf} from './tensor.js';
import type {DType} from './types.js';

export type Scalar =
  | {readonly kind: 'arg'; readonly index: number}
  | {readonly kind: 'lit'; readonly value: number}
  | {readonly kind: 'call'; readonly fn: ScalarFn; readonly args: readonly Scalar[]}
  | {readonly kind: 'cast'; readonly to: DType; readonly arg: Scalar};

export const arg = (index: number): Scalar => ({kind: 'arg', index});
export const lit = (value: number): Scalar => ({kind: 'lit', value});
export const cast = (to: DType, x: Scalar): Scalar => ({kind: 'cast', to, arg: x});
export const call = (fn: ScalarFn, ...args: readonly Scalar[]): Scalar => ({kind: 'call', fn, args});

type Meaning = {
  readonly arity: number;
  /** 'same': the type of the operands. 'bool': a truth value. 'branch': the type of the last operand. */
  readonly result: 'same' | 'bool' | 'branch';
  readonly real: (...x: number[]) => number;
  /** Integers, exact; absent where the function is for floats only. */
  readonly whole?: (...x: bigint[]) => bigint;
};

const truth = (b: boolean): number => (b ? 1 : 0);
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
const meaning = (fn: ScalarFn): Meaning => scalarFunctions[fn];

/** The element type of an expression whose arguments have the given types; null for a bare literal, which takes its neighbour's. */
export function typeOfScalar(expression: Scalar, args: readonly DType[]): DType | null {
  switch (expression.kind) {
    case 'arg':
      return args[expression.index] ?? null;
    case 'lit':
      return null;
    case 'cast':
      return expression.to;
    case 'call': {
      const {result} = meaning(expression.fn);
      if (result === 'bool') return 'bool';
      const operands = result === 'branch' ? expression.args.slice(1) : expression.args;
      for (const operand of operands) {
        const type = typeOfScalar(operand, args);
        if (type) return type;
      }
      return null;
    }
    default:
      return expression satisfies never;
  }
}

/** The type that a cast converts from. Bare numbers are of the wanted type, or of f32 where it has no arithmetic. */
export function typeBeforeCast({to, arg: inner}: Scalar & {readonly kind: 'cast'}, args: readonly DType[]): DType {
  return typeOfScalar(inner, args) ?? (to === 'f16' || to === 'bf16' ? 'f32' : to);
}

const isFloat = (dtype: DType): boolean => dtype === 'f64' || dtype === 'f32' || dtype === 'f16' || dtype === 'bf16';

const widths: Partial<Record<DType, readonly [bits: number, signed: boolean]>> = {
  i4: [4, true],
  u4: [4, false],
  i8: [8, true],
  u8: [8, false],
  i16: [16, true],
  u16: [16, false],
  i32: [32, true],
  u32: [32, false],
  i64: [64, true],
  u64: [64, false],
};

/** A number as the type can hold it: floats round, integers wrap, and a float becoming an integer saturates (NaN gives 0), but for 4 bits. */
export function convert(value: number | bigint, from: DType, to: DType): number | bigint {
  if (to === 'bool') return typeof value === 'bigint' ? truth(value !== 0n) : truth(value !== 0);
  if (to === 'f64') return Number(value);
  if (to === 'f32') return Math.fround(Number(value));
  if (to === 'f16') return fromHalf(toHalf(Number(value)));
  if (to === 'bf16') return fromBfloat(toBfloat(Number(value)));
  const [bits, signed] = widths[to]!;
  const wrap = (x: bigint): bigint => (signed ? BigInt.asIntN(bits, x) : BigInt.asUintN(bits, x));
  if (typeof value === 'bigint' || !isFloat(from)) return wrap(BigInt(value));
  // To 4 bits by way of an i32, as ONNX's own tests have it.
  if (bits === 4) return wrap(BigInt(convert(value, from, 'i32')));
  if (Number.isNaN(value)) return 0n;
  const low = signed ? -(2 ** (bits - 1)) : 0;
  const high = 2 ** (signed ? bits - 1 : bits);
  const whole = Math.trunc(value);
  if (whole >= high) return wrap(-1n) === -1n ? 2n ** BigInt(bits - 1) - 1n : 2n ** BigInt(bits) - 1n;
  return whole <= low ? BigInt(low) : BigInt(whole);
}

export type Evaluator = (args: readonly (number | bigint)[]) => number | bigint;

/** Compiles an expression to a closure. Arguments and results are numbers for float and bool types, bigints for integers. */
export function evaluator(expression: Scalar, args: readonly DType[], wanted: DType): Evaluator {
  switch (expression.kind) {
    case 'arg': {
      const {index} = expression;
      return values => values[index]!;
    }
    case 'lit': {
      const value = isFloat(wanted) || wanted === 'bool' ? expression.value : convert(expression.value, 'f64', wanted);
      return () => value;
    }
    case 'cast': {
      const {to} = expression;
      const from = typeBeforeCast(expression, args);
      const inner = evaluator(expression.arg, args, from);
      return values => convert(inner(values), from, to);
    }
    case 'call': {
      const {fn} = expression;
      const {real, whole, result} = meaning(fn);
      const branches = result === 'branch' ? expression.args.slice(1) : expression.args;
      const operand = branches.map(x => typeOfScalar(x, args)).find(type => type !== null) ?? wanted;
      const inner = expression.args.map((x, i) => evaluator(x, args, result === 'branch' && i === 0 ? 'bool' : operand));
      if (isFloat(operand) || operand === 'bool') {
        const round = operand === 'f64' || operand === 'bool' || result === 'bool' ? (x: number) => x : Math.fround;
        return values => round(real(...inner.map(f => Number(f(values)))));
      }
      invariant(whole, 'scalar.whole', fn, `has no integer meaning (for ${operand})`);
      if (result === 'bool') return values => Number(whole(...inner.map(f => BigInt(f(values)))));
      return values => convert(whole(...inner.map(f => BigInt(f(values)))), operand, operand);
    }
    default:
      return expression satisfies never;
  }
}

/** Replaces each argument by an expression: the composition of element-wise steps. */
export function substitute(expression: Scalar, by: (index: number) => Scalar): Scalar {
  switch (expression.kind) {
    case 'arg':
      return by(expression.index);
    case 'lit':
      return expression;
    case 'cast':
      return cast(expression.to, substitute(expression.arg, by));
    case 'call':
      return call(expression.fn, ...expression.args.map(x => substitute(x, by)));
    default:
      return expression satisfies never;
  }
}

/** Number of calls and casts: what one element costs. */
export function sizeOfScalar(expression: Scalar): number {
  if (expression.kind === 'call') return 1 + expression.args.reduce((sum, x) => sum + sizeOfScalar(x), 0);
  return expression.kind === 'cast' ? 1 + sizeOfScalar(expression.arg) : 0;
}

/** The highest argument index that occurs, plus one. */
export function arityOf(expression: Scalar): number {
  if (expression.kind === 'arg') return expression.index + 1;
  if (expression.kind === 'lit') return 0;
  const inner = expression.kind === 'call' ? expression.args : [expression.arg];
  return Math.max(0, ...inner.map(arityOf));
}

export function printScalar(expression: Scalar): string {
  switch (expression.kind) {
    case 'arg':
      return `x${expression.index}`;
    case 'lit':
      return printNumber(expression.value);
    case 'cast':
      return `${expression.to}(${printScalar(expression.arg)})`;
    case 'call':
      return `${expression.fn}(${expression.args.map(printScalar).join(', ')})`;
    default:
      return expression satisfies never;
  }
}

/** Numbers in text forms: shortest digits that read back to the same value; inf, -inf, nan by name. */
export function printNumber(value: number): string {
  if (Object.is(value, -0)) return '-0';
  if (Number.isNaN(value)) return 'nan';
  if (value === Number.POSITIVE_INFINITY) return 'inf';
  return value === Number.NEGATIVE_INFINITY ? '-inf' : String(value);
}

export function parseNumber(text: string): number | null {
  if (text === 'nan') return Number.NaN;
  if (text === 'inf') return Number.POSITIVE_INFINITY;
  if (text === '-inf') return Number.NEGATIVE_INFINITY;
  return /^-?\d+(\.\d+)?(e[-+]?\d+)?$/.test(text) ? Number(text) : null;
}

const dtypes: ReadonlySet<string> = new Set([
  'f64',
  'f32',
  'f16',
  'bf16',
  'i8',
  'u8',
  'i16',
  'u16',
  'i32',
  'u32',
  'i64',
  'u64',
  'bool',
  'i4',
  'u4',
]);
export const isDType = (name: string): name is DType => dtypes.has(name);

/** Reads the text form; null where it is not one. */
export function parseScalar(text: string): Scalar | null {
  const tokens = text.match(/[(),]|[^\s(),]+/g) ?? [];
  let at = 0;
  const expression = (): Scalar | null => {
    const word = tokens[at++];
    if (word === undefined) return null;
    if (/^x\d+$/.test(word)) return arg(Number(word.slice(1)));
    const value = parseNumber(word);
    if (value !== null) return lit(value);
    if (tokens[at++] !== '(') return null;
    const args: Scalar[] = [];
    while (tokens[at] !== ')') {
      const next = expression();
      if (!next) return null;
      args.push(next);
      if (tokens[at] === ',') at++;
      else if (tokens[at] !== ')') return null;
    }
    at++;
    if (isDType(word)) return args.length === 1 ? cast(word, args[0]!) : null;
    return isScalarFn(word) && meaning(word).arity === args.length ? call(word, ...args) : null;
  };
  const result = expression();
  return at === tokens.length ? result : null;
}

/** erf to double precision: Taylor series near 0, continued fraction (Lentz) of erfc beyond (Abramowitz & Stegun 7.1.6, 7.1.14). */
export function erf(x: number): number {
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
