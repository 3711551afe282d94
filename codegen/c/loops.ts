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
  const text = vector === null ? elementLoop(loop, axes, signature) : vectorLoop(vector.real, vector.walk, loop, axes, signature);
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

/** Pixels that are interleaved at once, and channels: `dnnc_interleave3` of bytes.h. */
const [pixelsAtOnce, planes] = [16, 3];

/** How vectors go through a loop: along its fastest axis, or along the one before where that one has the colours of pixels that are read from planes. */
type VectorWalk = 'along' | 'planes';

/**
 * What vectors compute of a loop over bytes and floats, side by side in all operands; null where the compiler is left to
 * it. gcc 12 takes 64 elements at a time where bytes are written, and what is left over one by one.
 */
function vectorBody(
  {expression, reads, write}: Loop,
  axes: readonly Axis[],
  features: readonly Feature[],
): {readonly real: Scalar; readonly walk: VectorWalk} | null {
  const types = [...reads, write].map(view => view.dtype);
  if (!features.some(feature => vectorFeatures.has(feature))) return null;
  if (!types.includes('u8') || types.some(type => type !== 'u8' && type !== 'f32') || expression.kind === 'arg') return null;
  const walk = walkOf(axes, write);
  const real = walk && vectorForm(expression, types.slice(0, -1));
  return real && walk ? {real, walk} : null;
}

const isSideBySide = (steps: readonly number[]): boolean => steps.every(step => step === 0 || step === 1);

function walkOf(axes: readonly Axis[], write: View): VectorWalk | null {
  const [before, last] = [axes.at(-2), axes.at(-1)];
  if (last?.write !== 1) return null;
  if (isSideBySide(last.reads)) return 'along';
  const isPixels = last.size === planes && before?.write === planes && isSideBySide(before.reads);
  return isPixels && write.dtype === 'u8' ? 'planes' : null;
}

/** A loop over lanes, and what follows it: how much is left over is a constant, so neither asks. */
function vectorLoop(real: Scalar, walk: VectorWalk, loop: Loop, axes: readonly Axis[], signature: string): string {
  const {reads, write} = loop;
  const last = axes.length - (walk === 'along' ? 1 : 2);
  const indent = '  '.repeat(last + 1);
  const outer = axes.slice(0, last).map(headOf).join('');
  const froms = reads.map((_, i) => `x${i} + ${placeOf(axes.map(axis => axis.reads[i]!))}`);
  const body =
    walk === 'along'
      ? alongBody(`i${last}`, axes[last]!.size, [...froms, `y + ${placeOf(axes.map(axis => axis.write))}`])
      : planesBody(`i${last}`, axes[last]!, froms, `y + ${placeOf(axes.slice(0, -1).map(axis => axis.write))}`, `i${last + 1}`);
  return `${lanesFunction(real, axes[last]!.reads, reads, write, signature)}static void ${ownName}(${signature}) {
${outer}${indent}{
${body.map(line => `${indent}  ${line}\n`).join('')}${indent}}
}
`;
}

/** What is computed at `count` places side by side. */
function lanesFunction(real: Scalar, steps: readonly number[], reads: readonly View[], write: View, signature: string): string {
  const isBytes = (view: View): number => Number(view.dtype === 'u8');
  const names = reads.map((_, i) => `a${i}`);
  const lines = reads.map((view, i) =>
    steps[i] === 0
      ? `  const dnnc_v a${i} = v_set(dnnc_number(x${i}, 0, ${isBytes(view)}));\n`
      : `  const dnnc_v a${i} = dnnc_read(x${i}, 0, ${isBytes(view)}, count);\n`,
  );
  const table = withTable(real, reads, (index, name) => `v_table(${name}, ${vectorExpression(index, names)})`);
  const value = vectorExpression(table.expression, [...names, ...table.operand]);
  return `${table.text}DNNC_INLINE void ${ownName}_lanes(${signature}, int count) {
${lines.join('')}  dnnc_write(y, 0, ${isBytes(write)}, ${value}, count);
}
`;
}

const alongBody = (at: string, size: number, places: readonly string[]): readonly string[] => [
  `ptrdiff_t ${at} = 0;`,
  `for (; ${at} + DNNC_LANES <= ${size}; ${at} += DNNC_LANES) ${ownName}_lanes(${places.join(', ')}, DNNC_LANES);`,
  `if (${at} < ${size}) ${ownName}_lanes(${places.join(', ')}, ${size} % DNNC_LANES);`,
];

/** The colours of some pixels, plane by plane, and then side by side. */
function planesBody(at: string, {size, reads}: Axis, froms: readonly string[], to: string, color: string): readonly string[] {
  const operands = froms.map((from, i) => (reads[i] === 1 ? `${from} + p` : from));
  const pixels = (count: number): readonly string[] => [
    `  for (ptrdiff_t ${color} = 0; ${color} < ${planes}; ${color}++)`,
    `    for (int p = 0; p < ${count}; p += DNNC_LANES)`,
    `      ${ownName}_lanes(${[...operands, `planes[${color}] + p`].join(', ')}, dnnc_min(${count} - p, DNNC_LANES));`,
    `  dnnc_interleave3(${to}, planes, ${count});`,
  ];
  const rest = size % pixelsAtOnce;
  return [
    `uint8_t planes[${planes}][${pixelsAtOnce}];`,
    `ptrdiff_t ${at} = 0;`,
    `for (; ${at} + ${pixelsAtOnce} <= ${size}; ${at} += ${pixelsAtOnce}) {`,
    ...pixels(pixelsAtOnce),
    '}',
    ...(rest > 0 ? ['{', ...pixels(rest), '}'] : []),
  ];
}
