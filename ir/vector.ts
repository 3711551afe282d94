/** Expressions that are computed a vector at a time: epilogues of kernels, and generated loops. */
import {call, type Scalar, typeOfScalar} from './scalar/expression.js';
import {isWhole, roundingOf} from './simplify.js';
import type {DType} from './types.js';

/** Functions with a vector form in codegen/kernels/simd.h. `select` only chooses by a comparison. */
const vectorFunctions: ReadonlySet<string> = new Set(
  'add sub mul div max min clamp neg abs sqrt floor ceil round exp log tanh sigmoid erf'.split(' '),
);

/** Whether it is arithmetic on real numbers that vectors can do. */
export function isVector(expression: Scalar): boolean {
  if (expression.kind !== 'call') return expression.kind !== 'cast';
  const {fn, args} = expression;
  if (vectorFunctions.has(fn)) return args.every(isVector);
  const [condition, ...branches] = args;
  if (fn !== 'select' || condition?.kind !== 'call' || !['lt', 'le', 'eq'].includes(condition.fn)) return false;
  return [...condition.args, ...branches].every(isVector);
}

/**
 * An expression as arithmetic on f32 alone: bytes become real numbers as they are read, and bytes, by rounding, as they are
 * stored, which keeps them within 0 and 255. So u8(clamp(round(x) + 0, low, high)) is clamp(x, low, high) here: it rounds to the
 * same; and bounds of 0 and 255 are left out.
 */
export function realOf(expression: Scalar): Scalar | null {
  const inside = (x: Scalar): Scalar | null => {
    if (x.kind === 'cast') return x.to === 'f32' && x.arg.kind === 'arg' ? x.arg : null;
    if (x.kind !== 'call') return x;
    const args = x.args.map(inside);
    return args.every(arg => arg !== null) ? call(x.fn, ...args) : null;
  };
  const isByte = expression.kind === 'cast' && expression.to === 'u8';
  return inside(isByte ? withoutRounding(expression.arg) : expression);
}

function withoutRounding(x: Scalar): Scalar {
  const rounding = roundingOf(x);
  if (!rounding) return x;
  const {offset, low, high} = rounding;
  const isPlain = offset.kind === 'lit' && offset.value === 0;
  const isStored = low.kind === 'lit' && low.value === 0 && high.kind === 'lit' && high.value === 255;
  const sum = isPlain ? rounding.x : call('add', call('round', rounding.x), offset);
  return isStored ? sum : isPlain ? call('clamp', sum, low, high) : x;
}

/**
 * What vectors of f32 compute where operands and results are real numbers or bytes; null where they cannot. A byte must be a
 * whole number from 0 to 255 by what the expression says.
 */
export function vectorForm(expression: Scalar, types: readonly DType[]): Scalar | null {
  const real = realOf(expression);
  const isResult = typeOfScalar(expression, types) === 'f32' || (expression.kind === 'cast' && isWhole(expression.arg, [0, 255]));
  return real !== null && isVector(real) && isResult ? real : null;
}
