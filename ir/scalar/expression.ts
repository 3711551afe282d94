/**
 * Scalar expressions: the one source of every element-wise meaning. The same expression is evaluated here, composed by
 * fusion (substitution), and printed as C by codegen/c/expression.ts. Text form: `max(add(x0, x1), 0)`.
 */
import type {DType} from '../types.js';
import {meaning, type ScalarFn} from './functions.js';

export type Scalar =
  | {readonly kind: 'arg'; readonly index: number}
  | {readonly kind: 'lit'; readonly value: number}
  | {readonly kind: 'call'; readonly fn: ScalarFn; readonly args: readonly Scalar[]}
  | {readonly kind: 'cast'; readonly to: DType; readonly arg: Scalar};

export const arg = (index: number): Scalar => ({kind: 'arg', index});
export const lit = (value: number): Scalar => ({kind: 'lit', value});
export const cast = (to: DType, x: Scalar): Scalar => ({kind: 'cast', to, arg: x});
export const call = (fn: ScalarFn, ...args: readonly Scalar[]): Scalar => ({kind: 'call', fn, args});

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
