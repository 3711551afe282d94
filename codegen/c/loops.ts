/** Element-wise loops as C functions: over single elements, which compilers vectorise, or over vectors where bytes are among them. */
import type {Loop, View} from '../../ir/plan.js';
import type {Scalar} from '../../ir/scalar/expression.js';
import {vectorForm} from '../../ir/vector.js';
import type {Feature} from '../kernels/inventory.js';
import {cTypes, scalarExpression, vectorExpression} from './expression.js';
import {tableOf, tableText} from './tables.js';

/** A function and the pointers that a call passes, in order. */
export type StaticFunction = {
  readonly text: string;
  readonly headers: readonly string[];
  readonly args: readonly (View | null)[];
  readonly stem: string;
};

/** The placeholder for the function's own name, which is known once all functions are. */
export const ownName = '@name@';

type Axis = {readonly size: number; readonly write: number; readonly reads: readonly number[]};

/** Loops from the slowest to the fastest axis of the result; axes that step alike in every operand are one. */
function loopAxes({domain, write, reads}: Loop): readonly Axis[] {
  const axes = domain
    .map((size, i) => ({size, write: write.strides[i]!, reads: reads.map(view => view.strides[i]!)}))
    .filter(axis => axis.size !== 1)
    .sort((a, b) => Math.abs(b.write) - Math.abs(a.write));
  const merged: Axis[] = [];
  for (const axis of axes) {
    const outer = merged.at(-1);
    const joins =
      outer && outer.write === axis.write * axis.size && outer.reads.every((stride, i) => stride === axis.reads[i]! * axis.size);
    if (outer && joins) merged[merged.length - 1] = {...axis, size: outer.size * axis.size};
    else merged.push(axis);
  }
  return merged;
}

export function loopFunction(loop: Loop, features: readonly Feature[]): StaticFunction {
  const {expression, reads, write} = loop;
  const axes = loopAxes(loop);
  const signature = [...reads.map((view, i) => `const ${cTypes[view.dtype]} *x${i}`), `${cTypes[write.dtype]} *y`].join(', ');
  const vector = vectorBody(loop, axes, features);
  const text = vector === null ? elementLoop(loop, axes, signature) : vectorLoop(vector, loop, axes, signature);
  const stem =
    expression.kind === 'arg' ? 'copy' : expression.kind === 'call' ? expression.fn : expression.kind === 'lit' ? 'fill' : 'cast';
  const headers = vector === null ? ['arithmetic.h'] : ['bytes.h'];
  return {text, headers, args: [...reads, write], stem};
}

/** Where an operand stands: its strides along axes. */
function placeOf(strides: readonly number[]): string {
  const terms = strides.flatMap((stride, i) => (stride === 0 ? [] : [stride === 1 ? `i${i}` : `i${i} * ${stride}`]));
  return terms.join(' + ') || '0';
}

const headOf = (axis: Axis, i: number): string =>
  `${'  '.repeat(i + 1)}for (ptrdiff_t i${i} = 0; i${i} < ${axis.size}; i${i}++)\n`;

/** The table that a loop looks into, as text and as one more operand; `spell` writes its C. */
function withTable(
  expression: Scalar,
  reads: readonly View[],
  spell: (index: Scalar, table: string) => string,
): {readonly expression: Scalar; readonly text: string; readonly operand: readonly string[]} {
  const tabled = tableOf(expression, reads.length, index => reads[index]!.dtype === 'u8');
  if (!tabled) return {expression, text: '', operand: []};
  const name = `${ownName}_table`;
  return {expression: tabled.expression, text: tableText(name, tabled.values), operand: [spell(tabled.index, name)]};
}

function elementLoop({expression, reads, write}: Loop, axes: readonly Axis[], signature: string): string {
  const names = reads.map((_, i) => `x${i}[${placeOf(axes.map(axis => axis.reads[i]!))}]`);
  const types = reads.map(view => view.dtype);
  const table = withTable(
    expression,
    reads,
    (index, name) => `s_table(${name}, ${scalarExpression(index, names, types, 'f32')})`,
  );
  const value = scalarExpression(
    table.expression,
    [...names, ...table.operand],
    [...types, ...table.operand.map(() => 'f32' as const)],
    write.dtype,
  );
  const heads = axes.map((axis, i) => headOf(axis, i).replace('for', i === axes.length - 1 ? 'DNNC_INDEPENDENT for' : 'for'));
  const body = `${'  '.repeat(axes.length + 1)}y[${placeOf(axes.map(axis => axis.write))}] = ${value};\n`;
  return `${table.text}static void ${ownName}(${signature}) {\n${heads.join('')}${body}}\n`;
}

/** With one of them DNNC_LANES is more than 1. */
const vectorFeatures: ReadonlySet<Feature> = new Set(['avx2', 'avx512f', 'simd128']);

/**
 * What vectors compute of a loop over bytes and floats, side by side along its fastest axis; null where the compiler is left to
 * it. gcc 12 takes 64 elements at a time where bytes are written, and what is left over one by one.
 */
function vectorBody({expression, reads, write}: Loop, axes: readonly Axis[], features: readonly Feature[]): Scalar | null {
  const last = axes.at(-1);
  const types = [...reads, write].map(view => view.dtype);
  if (!last || !features.some(feature => vectorFeatures.has(feature))) return null;
  if (!types.includes('u8') || types.some(type => type !== 'u8' && type !== 'f32') || expression.kind === 'arg') return null;
  if (last.write !== 1 || last.reads.some(stride => stride !== 0 && stride !== 1)) return null;
  return vectorForm(expression, types.slice(0, -1));
}

/** Whole vectors, and then what is left over: how much is a constant, so neither asks. */
function vectorLoop(real: Scalar, {reads, write}: Loop, axes: readonly Axis[], signature: string): string {
  const last = axes.length - 1;
  const {size, reads: steps} = axes[last]!;
  const isBytes = (view: View): number => Number(view.dtype === 'u8');
  const names = reads.map((_, i) => `a${i}`);
  const lines = reads.map((view, i) =>
    steps[i] === 0
      ? `  const dnnc_v a${i} = v_set(dnnc_number(x${i}, 0, ${isBytes(view)}));\n`
      : `  const dnnc_v a${i} = dnnc_read(x${i}, 0, ${isBytes(view)}, count);\n`,
  );
  const table = withTable(real, reads, (index, name) => `v_table(${name}, ${vectorExpression(index, names)})`);
  const value = vectorExpression(table.expression, [...names, ...table.operand]);
  const lanes = `${table.text}DNNC_INLINE void ${ownName}_lanes(${signature}, int count) {
${lines.join('')}  dnnc_write(y, 0, ${isBytes(write)}, ${value}, count);
}
`;
  const indent = '  '.repeat(axes.length);
  const places = [
    ...reads.map((_, i) => `x${i} + ${placeOf(axes.map(axis => axis.reads[i]!))}`),
    `y + ${placeOf(axes.map(axis => axis.write))}`,
  ].join(', ');
  const at = `i${last}`;
  return `${lanes}static void ${ownName}(${signature}) {
${axes.slice(0, last).map(headOf).join('')}${indent}{
${indent}  ptrdiff_t ${at} = 0;
${indent}  for (; ${at} + DNNC_LANES <= ${size}; ${at} += DNNC_LANES) ${ownName}_lanes(${places}, DNNC_LANES);
${indent}  if (${at} < ${size}) ${ownName}_lanes(${places}, ${size} % DNNC_LANES);
${indent}}
}
`;
}
