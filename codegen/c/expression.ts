/**
 * Scalar expressions as C. Two hands: `v` writes vector epilogues (v_max(acc, v_set(0.0f))), `s` writes loops over typed
 * elements. Every function has a name by type: s_exp for float, exp_f64 for double, add_i32 for int32_t (arithmetic.h).
 */
import {fail, invariant} from '../../ir/diagnostics.js';
import {convert} from '../../ir/scalar/convert.js';
import {type Scalar, typeBeforeCast, typeOfScalar} from '../../ir/scalar/expression.js';
import type {DType} from '../../ir/types.js';

/** C element types. */
export const cTypes: Readonly<Record<DType, string>> = {
  f64: 'double',
  f32: 'float',
  f16: 'uint16_t',
  bf16: 'uint16_t',
  i4: 'int8_t',
  u4: 'uint8_t',
  i8: 'int8_t',
  u8: 'uint8_t',
  i16: 'int16_t',
  u16: 'uint16_t',
  i32: 'int32_t',
  u32: 'uint32_t',
  i64: 'int64_t',
  u64: 'uint64_t',
  bool: 'uint8_t',
};

/** A float literal that reads back to the same value. */
export function floatLiteral(value: number): string {
  if (Number.isNaN(value)) return 's_nan()';
  if (!Number.isFinite(value)) return value > 0 ? 's_infinity()' : '-s_infinity()';
  const single = Math.fround(value);
  for (let digits = 1; digits <= 9; digits++) {
    const text = single.toPrecision(digits);
    if (Math.fround(Number(text)) === single) return `${withPoint(String(Number(text)))}f`;
  }
  return `${withPoint(String(single))}f`;
}

const withPoint = (text: string): string => (/[.e]/.test(text) ? text : `${text}.0`);

/** Functions that scalar.h has for float; others come from arithmetic.h. */
const single: ReadonlySet<string> = new Set(
  'add sub mul div max min maximum minimum neg abs sqrt floor ceil round exp log tanh sigmoid erf'.split(' '),
);

/** What asks about numbers and gives a truth: bare numbers are asked as they are. */
const ofNumbers: ReadonlySet<string> = new Set(['lt', 'le', 'eq', 'isnan', 'isinf']);

/** A call as C spells it, its arguments in that order. */
type Spelling = {readonly fn: string; readonly args: readonly Scalar[]};

/** NaN wins in max and min. Those of C keep a NaN in their first operand alone: a number goes second, or both are looked at. */
function extreme(fn: 'max' | 'min', args: readonly Scalar[]): Spelling {
  const isNumber = (x: Scalar | undefined): boolean => x?.kind === 'lit' && !Number.isNaN(x.value);
  if (isNumber(args[1])) return {fn, args};
  return isNumber(args[0]) ? {fn, args: [args[1]!, args[0]!]} : {fn: fn === 'max' ? 'maximum' : 'minimum', args};
}

/** A vector expression over the C names in `args`. */
export function vectorExpression(expression: Scalar, args: readonly string[]): string {
  const print = (inner: Scalar): string => vectorExpression(inner, args);
  switch (expression.kind) {
    case 'arg':
      return args[expression.index]!;
    case 'lit':
      return `v_set(${floatLiteral(expression.value)})`;
    case 'call': {
      const {fn, args: operands} = expression;
      const inner = operands.map(print);
      // This order makes NaN the lower bound.
      if (fn === 'clamp') return `v_min(v_max(${inner[1]}, ${inner[0]}), ${inner[2]})`;
      if (fn === 'max' || fn === 'min') {
        const spelt = extreme(fn, operands);
        return `v_${spelt.fn}(${spelt.args.map(print).join(', ')})`;
      }
      if (fn !== 'select') return `v_${fn}(${inner.join(', ')})`;
      const [condition, ...branches] = operands;
      invariant(condition?.kind === 'call', 'codegen.select', fn, 'a vector select needs a comparison');
      return `v_select_${condition.fn}(${[...condition.args, ...branches].map(print).join(', ')})`;
    }
    default:
      return fail('bug', 'codegen.vector', expression.kind, 'has no vector form');
  }
}

/** A typed expression over the C names in `args`. */
export function scalarExpression(expression: Scalar, args: readonly string[], types: readonly DType[], wanted: DType): string {
  const print = (inner: Scalar, type: DType): string => scalarExpression(inner, args, types, type);
  switch (expression.kind) {
    case 'arg':
      return args[expression.index]!;
    case 'lit':
      return literal(expression.value, wanted);
    case 'cast': {
      const from = typeBeforeCast(expression, types);
      const inner = print(expression.arg, from);
      return from === expression.to ? inner : `cast_${from}_${expression.to}(${inner})`;
    }
    case 'call': {
      const {fn} = expression;
      const branches = fn === 'select' ? expression.args.slice(1) : expression.args;
      const type =
        branches.map(x => typeOfScalar(x, types)).find(found => found !== null) ?? (ofNumbers.has(fn) ? 'f64' : wanted);
      const name = (plain: string): string => (type === 'f32' && single.has(plain) ? `s_${plain}` : `${plain}_${type}`);
      if ((fn === 'max' || fn === 'min') && (type === 'f32' || type === 'f64')) {
        const spelt = extreme(fn, expression.args);
        return `${name(spelt.fn)}(${spelt.args.map(x => print(x, type)).join(', ')})`;
      }
      const inner = expression.args.map((x, i) => print(x, fn === 'select' && i === 0 ? 'bool' : type));
      if (fn === 'clamp') return `${name('min')}(${name('max')}(${inner[1]}, ${inner[0]}), ${inner[2]})`;
      if (fn === 'select') return `(${inner[0]} ? ${inner[1]} : ${inner[2]})`;
      return `${name(fn)}(${inner.join(', ')})`;
    }
    default:
      return expression satisfies never;
  }
}

function literal(value: number, type: DType): string {
  if (type === 'f32') return floatLiteral(value);
  if (type === 'f64') return Number.isFinite(value) ? withPoint(String(value)) : `(double)${floatLiteral(value)}`;
  const whole = convert(value, 'f64', type);
  // C has no negative literals, and the smallest number of 64 bits has no positive twin.
  if (type === 'i64') return whole === -(2n ** 63n) ? 'INT64_MIN' : `INT64_C(${whole})`;
  if (type === 'u64') return `UINT64_C(${whole})`;
  return `(${cTypes[type]})${whole}`;
}
