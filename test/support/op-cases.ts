/** Every op of the registry with the cases of its tests: those of its folder's cases.ts, or generated from an expression. */
import {existsSync, readdirSync} from 'node:fs';
import {packageFile} from '../../compiler/package-files.js';
import type {OpDef} from '../../ir/op.js';
import type {OpCase} from '../../ir/ops/common/cases.js';
import {elementwiseOps} from '../../ir/ops/elementwise/index.js';
import type {Scalar} from '../../ir/scalar/expression.js';
import {scalarFunctions} from '../../ir/scalar/functions.js';
import type {Attr, Attrs, DType, TensorType} from '../../ir/types.js';
import {isReal} from './tensors.js';

/** From `ir/ops/NAME/cases.ts`, by the folder's name. */
export async function casesOfFolders(): Promise<ReadonlyMap<string, readonly OpCase[]>> {
  const root = packageFile('ir', 'ops');
  const folders = readdirSync(root).filter(name => name !== 'common' && existsSync(packageFile('ir', 'ops', name, 'cases.ts')));
  const loaded = folders.map(async name => {
    const file: {readonly cases: readonly OpCase[]} = await import(`../../ir/ops/${name}/cases.js`);
    return [name, file.cases] as const;
  });
  return new Map(await Promise.all(loaded));
}

/** Attributes with those that have defaults filled in. */
export function attrsOf(op: OpDef, attrs: Attrs): Attrs {
  const all: {[key: string]: Attr} = {};
  for (const [key, value] of [...Object.entries(op.defaults), ...Object.entries(attrs)])
    if (value !== undefined) all[key] = value;
  return all;
}

export const isElementwise = (op: OpDef): boolean => elementwiseOps.includes(op);

/** Attributes to try where the defaults of an op do not say: every op that has such is here, or its cases fail. */
const attrsToTry: Readonly<Record<string, readonly Attrs[]>> = {
  leaky_relu: [{alpha: 0.125}, {alpha: -0.5}],
  elu: [{alpha: 1}, {alpha: 0.5}],
  celu: [{alpha: 2}],
  selu: [{alpha: 1.625, gamma: 1.0625}],
  thresholded_relu: [{alpha: 1}],
  hard_sigmoid: [{alpha: 0.25, beta: 0.5}],
  swish: [{alpha: 1}, {alpha: 0.5}],
  shrink: [
    {lambd: 0.5, bias: 0},
    {lambd: 1, bias: 0.25},
  ],
  gelu: [{approximate: 'none'}, {approximate: 'tanh'}],
  cast: (['f32', 'f64', 'i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64', 'bool'] as const).map(to => ({to})),
  clip: [{low: -1, high: 2}, {low: 1}, {high: 1}, {}],
  isinf: [{}, {negative: false}, {positive: false}],
  mod: [{fmod: true}, {fmod: false}],
  bit_shift: [{direction: 'LEFT'}, {direction: 'RIGHT'}],
};

const shapes: readonly (readonly (readonly number[])[])[] = [
  [
    [2, 3, 5],
    [2, 3, 5],
    [2, 3, 5],
  ],
  [[2, 3, 5], [], [5]],
  [
    [3, 1],
    [1, 4],
    [2, 1, 1],
  ],
  [[], [1, 1, 1, 1], [1]],
  [
    [2, 17, 3, 3],
    [17, 1, 1],
    [2, 1, 3, 1],
  ],
];

/** Types with generated loops of their own; 16-bit integers are made by the same macros as those of 8 and 32. */
const candidates: readonly DType[] = ['f32', 'f64', 'i8', 'u8', 'i32', 'u32', 'i64', 'u64', 'bool'];
const truthOnly: ReadonlySet<string> = new Set(['and', 'or', 'xor', 'not']);
const wholeOnly: ReadonlySet<string> = new Set(['bitwise_and', 'bitwise_or', 'bitwise_xor', 'bitwise_not']);
const realOnly: ReadonlySet<string> = new Set([
  'isnan',
  'isinf',
  'leaky_relu',
  'prelu',
  'thresholded_relu',
  'shrink',
  'hard_sigmoid',
]);
const ofTruth: ReadonlySet<string> = new Set(['and', 'or', 'xor', 'not', 'select', 'eq']);

/** Whether an op has a meaning for operands of a type: every function of its expression must have one. */
function speaks(name: string, expression: Scalar, dtype: DType): boolean {
  if (truthOnly.has(name)) return dtype === 'bool';
  if (name === 'bit_shift') return dtype.startsWith('u');
  if (wholeOnly.has(name)) return !isReal(dtype) && dtype !== 'bool';
  if (name === 'cast' || isReal(dtype)) return true;
  if (realOnly.has(name)) return false;
  return functionsOf(expression).every(fn => (dtype === 'bool' ? ofTruth.has(fn) : 'whole' in scalarFunctions[fn]));
}

function functionsOf(expression: Scalar): readonly (keyof typeof scalarFunctions)[] {
  if (expression.kind === 'call') return [expression.fn, ...expression.args.flatMap(functionsOf)];
  return expression.kind === 'cast' ? functionsOf(expression.arg) : [];
}

/** Each type that the op has a meaning for, with each choice of attributes and a spread of broadcasting shapes. */
export function casesOfElementwise(op: OpDef): readonly OpCase[] {
  const choices = attrsToTry[op.name] ?? [{}];
  return choices.flatMap(choice => {
    const attrs = attrsOf(op, choice);
    const inputs = (dtype: DType, list: readonly (readonly number[])[]): readonly TensorType[] =>
      op.operands.map((_, i) => ({dtype: op.name === 'where' && i === 0 ? 'bool' : dtype, shape: list[i]!}));
    const expression = op.scalar?.({attrs, inputs: inputs('f32', shapes[0]!)});
    // ONNX has the modulus that follows the divisor for integers alone.
    const whole = op.name === 'mod' && attrs.fmod === false;
    const types = expression ? candidates.filter(dtype => speaks(op.name, expression, dtype) && !(whole && isReal(dtype))) : [];
    // One code serves all types: the spread of shapes is for floats, one broadcast for the others.
    const tried = (dtype: DType) => shapes.filter((_, i) => i === 1 || (dtype === 'f32' && (i === 3 || op.operands.length > 1)));
    return types.flatMap(dtype =>
      tried(dtype).map(list => ({
        name: `${dtype} ${list.slice(0, op.operands.length).map(shape => `[${shape}]`)} ${JSON.stringify(choice)}`,
        attrs,
        inputs: inputs(dtype, list),
      })),
    );
  });
}

/** Element-wise cases of one type go into one module; those of an unusual type would otherwise make all others fail. */
export function byType(cases: readonly OpCase[]): readonly (readonly OpCase[])[] {
  const groups = new Map<string, OpCase[]>();
  for (const one of cases) {
    const key = `${one.inputs.at(-1)?.dtype}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()];
}
