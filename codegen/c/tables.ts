/**
 * Functions of a byte that cost more than a look into a table: sigmoid, erf and others between two quantizations. The table is
 * computed here, rounded as f32 after every step, so it is the same for every target.
 */
import {evaluator} from '../../ir/scalar/evaluate.js';
import type {Scalar} from '../../ir/scalar/expression.js';
import {printScalar} from '../../ir/scalar/text.js';
import {isWhole} from '../../ir/simplify.js';
import {floatLiteral} from './expression.js';

/** `expression` with one more argument, number `place`: the table's element at the number that `index` gives, from 0 to 255. */
export type Tabled = {
  readonly expression: Scalar;
  readonly place: number;
  readonly index: Scalar;
  readonly values: readonly number[];
};

/** Cheaper functions are computed: sixteen looks into a table take about as long as so many vector operations. */
const cheapest = 24;

const costs: ReadonlyMap<string, number> = new Map(
  Object.entries({exp: 20, log: 20, tanh: 25, sigmoid: 25, erf: 30, div: 8, sqrt: 8}),
);

/** null where nothing is worth a table. `places`: how many arguments there are; `isByte` tells of each whether it is one. */
export function tableOf(expression: Scalar, places: number, isByte: (index: number) => boolean): Tabled | null {
  const sources = new Map(everyPart(expression).flatMap(x => (isSource(x, isByte) ? [[printScalar(x), x] as const] : [])));
  let best: {readonly whole: Scalar; readonly index: Scalar; readonly cost: number} | null = null;
  for (const [text, index] of sources)
    for (const whole of functionsOf(expression, text)) {
      const cost = costOf(whole, text);
      if (cost >= cheapest && cost > (best?.cost ?? 0)) best = {whole, index, cost};
    }
  if (!best) return null;
  const {whole, index} = best;
  const values = valuesOf(whole, printScalar(index));
  if (!values.every(Number.isFinite)) return null;
  return {expression: replaced(expression, printScalar(whole), {kind: 'arg', index: places}), place: places, index, values};
}

/** A static array; `name` is that of the C constant. */
export function tableText(name: string, values: readonly number[]): string {
  const lines: string[] = [];
  for (const value of values) {
    const text = Number.isInteger(value) && Math.abs(value) < 2 ** 24 ? `${value}` : floatLiteral(value);
    const last = lines.at(-1);
    if (last !== undefined && last.length + text.length < 116) lines[lines.length - 1] = `${last} ${text},`;
    else lines.push(`  ${text},`);
  }
  return `static const float ${name}[${values.length}] = {\n${lines.join('\n')}\n};\n`;
}

const partsOf = (x: Scalar): readonly Scalar[] => (x.kind === 'call' ? x.args : x.kind === 'cast' ? [x.arg] : []);
const everyPart = (x: Scalar): readonly Scalar[] => [x, ...partsOf(x).flatMap(everyPart)];

/** A whole number from 0 to 255 as an f32. */
function isSource(x: Scalar, isByte: (index: number) => boolean): boolean {
  const operand = x.kind === 'cast' && x.to === 'f32' ? x.arg : x;
  if (operand.kind === 'arg') return isByte(operand.index);
  return x.kind === 'call' && isWhole(x, [0, 255]);
}

/** The largest parts that depend on nothing but the part with this text, and are no casts. */
function functionsOf(x: Scalar, text: string): readonly Scalar[] {
  if (printScalar(x) === text) return [];
  const depends = (part: Scalar): boolean => printScalar(part) === text || partsOf(part).some(depends);
  const isAlone = (part: Scalar): boolean => printScalar(part) === text || (part.kind !== 'arg' && partsOf(part).every(isAlone));
  return x.kind === 'call' && depends(x) && isAlone(x) ? [x] : partsOf(x).flatMap(part => functionsOf(part, text));
}

/** In vector operations; equal parts are computed once. */
function costOf(x: Scalar, text: string): number {
  const seen = new Set<string>([text]);
  const cost = (part: Scalar): number => {
    const own = printScalar(part);
    if (seen.has(own) || part.kind !== 'call') return 0;
    seen.add(own);
    return (costs.get(part.fn) ?? 1) + part.args.reduce((sum, inner) => sum + cost(inner), 0);
  };
  return cost(x);
}

function valuesOf(whole: Scalar, text: string): readonly number[] {
  const of = evaluator(replaced(whole, text, {kind: 'arg', index: 0}), ['f32'], 'f32');
  return Array.from({length: 256}, (_, byte) => Number(of([byte])));
}

/** `x` with every part of this text replaced. */
function replaced(x: Scalar, text: string, by: Scalar): Scalar {
  if (printScalar(x) === text) return by;
  if (x.kind === 'call') return {...x, args: x.args.map(inner => replaced(inner, text, by))};
  return x.kind === 'cast' ? {...x, arg: replaced(x.arg, text, by)} : x;
}
