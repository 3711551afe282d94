/** Scalar expressions as closures. */
import {invariant} from '../diagnostics.js';
import type {DType} from '../types.js';
import {convert, isFloat} from './convert.js';
import {type Scalar, typeBeforeCast, typeOfScalar} from './expression.js';
import {meaning} from './functions.js';

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
