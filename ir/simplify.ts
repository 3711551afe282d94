/** Rules on scalar expressions that hold for every argument, bit by bit. */
import {call, cast, type Scalar, typeOfScalar} from './scalar.js';
import type {DType} from './types.js';

/** The same function with fewer steps. */
export function simplify(expression: Scalar, types: readonly DType[]): Scalar {
  if (expression.kind === 'call') return call(expression.fn, ...expression.args.map(x => simplify(x, types)));
  if (expression.kind !== 'cast') return expression;
  const {to, arg: x} = expression;
  const inner = simplify(x, types);
  // T(x) -> x for an x of type T
  if (typeOfScalar(inner, types) === to) return inner;
  // f32(u8(x)) -> x for an x of type f32 that is a whole number within u8: what quantization leaves between two steps
  const kept = inner.kind === 'cast' && typeOfScalar(inner.arg, types) === to && (to === 'f32' || to === 'f64') ? inner : null;
  return kept && isWhole(kept.arg, ranges[kept.to]) ? kept.arg : cast(to, inner);
}

const ranges: Readonly<Partial<Record<DType, Range>>> = {u8: [0, 255], i8: [-128, 127], u16: [0, 65535], i16: [-32768, 32767]};
type Range = readonly [low: number, high: number];

/** clamp(round(a) + n, low, high) for whole n, low and high within a range: whole, in the range, neither NaN nor -0. */
function isWhole(x: Scalar, range: Range | undefined): boolean {
  if (!range || x.kind !== 'call' || x.fn !== 'clamp') return false;
  const [sum, low, high] = x.args;
  if (!(isWholeNumber(low) && isWholeNumber(high) && low.value >= range[0] && high.value <= range[1])) return false;
  if (sum?.kind !== 'call' || sum.fn !== 'add') return false;
  const [rounded, offset] = sum.args;
  return rounded?.kind === 'call' && rounded.fn === 'round' && isWholeNumber(offset);
}

const isWholeNumber = (x: Scalar | undefined): x is Extract<Scalar, {kind: 'lit'}> =>
  x?.kind === 'lit' && Number.isInteger(x.value) && !Object.is(x.value, -0);
