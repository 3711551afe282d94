/** The text form of scalar expressions and of numbers, and back. */
import type {DType} from '../types.js';
import {arg, call, cast, lit, type Scalar} from './expression.js';
import {isScalarFn, meaning} from './functions.js';

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
