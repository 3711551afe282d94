/** Rules on scalar expressions that hold for every argument, bit by bit. */
import {call, cast, lit, type Scalar, typeOfScalar} from './scalar/expression.js';
import type {DType} from './types.js';

/** The same function with fewer steps. */
export function simplify(expression: Scalar, types: readonly DType[]): Scalar {
  if (expression.kind === 'call')
    return simplifyCall(
      expression.fn,
      expression.args.map(x => simplify(x, types)),
      types,
    );
  if (expression.kind !== 'cast') return expression;
  const {to, arg: x} = expression;
  const inner = simplify(x, types);
  // T(x) -> x for an x of type T
  if (typeOfScalar(inner, types) === to) return inner;
  // u8(f32(x)) -> x for an x of type u8
  if (inner.kind === 'cast' && ranges[to] && (inner.to === 'f32' || inner.to === 'f64') && typeOfScalar(inner.arg, types) === to)
    return inner.arg;
  // f32(u8(x)) -> x for an x of type f32 that is a whole number within u8: what quantization leaves between two steps
  const kept = inner.kind === 'cast' && typeOfScalar(inner.arg, types) === to && (to === 'f32' || to === 'f64') ? inner : null;
  return kept && isWhole(kept.arg, ranges[kept.to], types) ? kept.arg : cast(to, inner);
}

type Call = Extract<Scalar, {kind: 'call'}>;

function simplifyCall(fn: Call['fn'], args: readonly Scalar[], types: readonly DType[]): Scalar {
  const [x, n] = args;
  if ((fn === 'div' || fn === 'mul') && isLiteral(n) && n.value === 1) return x!;
  // (whole - a) - b -> whole - (a + b): no sum of bytes and their zero points is rounded
  if (fn === 'sub' && isWholeNumber(n) && isCallOf(x, 'sub') && isWholeNumber(x.args[1]) && rangeOf(x.args[0]!, types))
    return simplifyCall('sub', [x.args[0]!, lit(x.args[1].value + n.value)], types);
  if (fn === 'sub' && isWholeNumber(n) && n.value === 0 && rangeOf(x!, types)) return x!;
  const whole = call(fn, ...args);
  const rounding = roundingOf(whole);
  const same = rounding && unscaled(rounding, types);
  if (same) return same;
  const free = rounding && unbounded(rounding);
  return free ? call('clamp', call('add', call('round', free), rounding.offset), rounding.low, rounding.high) : whole;
}

/** clamp(round(min(max(x, a), b)) + n, low, high) -> clamp(round(x) + n, low, high) where a + n is rounded to low or less, and b + n to high or more. */
function unbounded({x, offset, low, high}: Rounding): Scalar | null {
  if (!isWholeNumber(offset) || !isWholeNumber(low) || !isWholeNumber(high)) return null;
  let free = x;
  for (;;) {
    const [bent, bound] = isCallOf(free, 'max') || isCallOf(free, 'min') ? free.args : [];
    if (!bent || !isLiteral(bound)) break;
    const rounded = Math.fround(bound.value) + offset.value;
    const isIdle = isCallOf(free, 'max') ? rounded < low.value + 0.5 : rounded > high.value - 0.5;
    if (!isIdle) break;
    free = bent;
  }
  return free === x ? null : free;
}

/**
 * clamp(round(x s / s) + n, low, high) -> x + n for whole numbers x of 16 bits that stay within the bounds: each of the two
 * operations is off by less than one part in 2^23, so what is rounded is closer to x than to its neighbours.
 */
function unscaled({x: ratio, offset, low, high}: Rounding, types: readonly DType[]): Scalar | null {
  const [product, divisor] = isCallOf(ratio, 'div') ? ratio.args : [];
  const [x, factor] = isCallOf(product, 'mul') ? product.args : [];
  const its = x && rangeOf(x, types);
  if (!x || !its || !isLiteral(factor) || !isLiteral(divisor) || factor.value !== divisor.value) return null;
  if (!isWholeNumber(offset) || !isLiteral(low) || !isLiteral(high) || !(factor.value >= 1e-30 && factor.value <= 1e30))
    return null;
  const isWithin = its[0] + offset.value >= low.value && its[1] + offset.value <= high.value;
  return isWithin && Math.max(-its[0], its[1]) < 2 ** 16 ? simplifyCall('sub', [x, lit(0 - offset.value)], types) : null;
}

/** What quantization is made of. */
export type Rounding = {readonly x: Scalar; readonly offset: Scalar; readonly low: Scalar; readonly high: Scalar};

/** Of clamp(add(round(x), offset), low, high). */
export function roundingOf(expression: Scalar): Rounding | null {
  if (!isCallOf(expression, 'clamp')) return null;
  const [sum, low, high] = expression.args;
  if (!isCallOf(sum, 'add') || !isCallOf(sum.args[0], 'round')) return null;
  return {x: sum.args[0].args[0]!, offset: sum.args[1]!, low: low!, high: high!};
}

const ranges: Readonly<Partial<Record<DType, Range>>> = {u8: [0, 255], i8: [-128, 127], u16: [0, 65535], i16: [-32768, 32767]};
type Range = readonly [low: number, high: number];

/** Whether an expression of real numbers gives whole ones within a range alone: neither NaN nor -0. */
export function isWhole(x: Scalar, range: Range | undefined, types: readonly DType[] = []): boolean {
  const its = rangeOf(x, types);
  return range !== undefined && its !== null && its[0] >= range[0] && its[1] <= range[1];
}

/** The range of what is a whole number for every argument; null where that is not known. */
function rangeOf(x: Scalar, types: readonly DType[] = []): Range | null {
  // a small integer as a real number
  if (x.kind === 'cast') return (x.to === 'f32' || x.to === 'f64') && x.arg.kind === 'arg' ? integerRange(x.arg, types) : null;
  if (x.kind !== 'call') return null;
  if (x.fn === 'sub') {
    const [from, offset] = [rangeOf(x.args[0]!, types), x.args[1]];
    return from && isWholeNumber(offset) ? [from[0] - offset.value, from[1] - offset.value] : null;
  }
  const rounding = roundingOf(x);
  if (!rounding || !isWholeNumber(rounding.offset)) return null;
  const {low, high} = rounding;
  return isWholeNumber(low) && isWholeNumber(high) ? [low.value, high.value] : null;
}

const integerRange = ({index}: Extract<Scalar, {kind: 'arg'}>, types: readonly DType[]): Range | null => {
  const type = types[index];
  return (type && ranges[type]) ?? null;
};

const isCallOf = (x: Scalar | undefined, fn: Call['fn']): x is Call => x?.kind === 'call' && x.fn === fn;
const isLiteral = (x: Scalar | undefined): x is Extract<Scalar, {kind: 'lit'}> => x?.kind === 'lit';
const isWholeNumber = (x: Scalar | undefined): x is Extract<Scalar, {kind: 'lit'}> =>
  x?.kind === 'lit' && Number.isInteger(x.value) && !Object.is(x.value, -0);
