/** The static functions of a generated file: one per different kernel call or loop, shared by equal layers. */
import type {FillBorder, KernelCall, Loop, View, Work} from '../../ir/plan.js';
import {printScalar} from '../../ir/scalar.js';
import {widthOf} from '../../ir/tensor.js';
import {type Contract, choose, type Feature, isWinograd} from '../kernels/inventory.js';
import {tiledSize} from '../kernels/tiles.js';
import type {Chooser} from '../kernels/ways.js';
import {cTypes, floatLiteral, scalarExpression, vectorExpression} from './expression.js';

/** A function and the pointers that a call passes, in order. */
export type StaticFunction = {
  readonly text: string;
  readonly headers: readonly string[];
  readonly args: readonly (View | null)[];
  readonly stem: string;
};

export function functionOf(work: Work, features: readonly Feature[], chooseTile: Chooser['tile']): StaticFunction {
  switch (work.kind) {
    case 'kernel':
      return kernelFunction(work, features, chooseTile);
    case 'loop':
      return loopFunction(work);
    case 'border':
      return borderFunction(work);
    default:
      return work satisfies never;
  }
}

/** The placeholder for the function's own name, which is known once all functions are. */
export const ownName = '@name@';

function kernelFunction(call: KernelCall, features: readonly Feature[], chooseTile: Chooser['tile']): StaticFunction {
  const {contract, struct, params, epilogue} = call;
  const fields = {...call.fields, ...tileFields(call, features, chooseTile)};
  const kernel = call.header === null ? choose(contract as Contract, features, fields) : {fn: contract, header: call.header};
  const signature = params.map(
    ({name, role, view}) => `${role === 'read' ? 'const ' : ''}${cTypes[view?.dtype ?? 'f32']} *${name}`,
  );
  const args = params.map(({name}) => name);
  const present = params.filter(({view}) => view);
  const assignments = wrap(
    Object.entries(fields).map(([name, value]) => `s.${name} = ${Number.isFinite(value) ? value : floatLiteral(value)};`),
  );
  const passed = args.map((name, i) => (params[i]!.view ? name : '0'));
  const [epilogueText, epilogueName] = epilogue ? epilogueFunction(call) : ['', null];
  const text = `${epilogueText}static void ${ownName}(${signature.filter((_, i) => params[i]!.view).join(', ')}) {
  ${struct} s;
${assignments}
  ${kernel.fn}(${[...passed, 's', ...(epilogueName ? [epilogueName] : [])].join(', ')});
}
`;
  return {text, headers: [kernel.header], args: present.map(({view}) => view), stem: contract.replace(/_(f32|u8)$/, '')};
}

function epilogueFunction({epilogue}: KernelCall): [string, string] {
  if (!epilogue || epilogue.kind === 'arg') return ['', 'dnnc_identity'];
  const text = printScalar(epilogue);
  const silence = ['acc', 'e0', 'e1'].flatMap((operand, i) => (text.includes(`x${i}`) ? [] : [`  (void)${operand};\n`])).join('');
  const name = `${ownName}_epilogue`;
  const code = `DNNC_INLINE dnnc_v ${name}(dnnc_v acc, dnnc_v e0, dnnc_v e1) {
${silence}  return ${vectorExpression(epilogue)};
}
`;
  return [code, name];
}

/** The register tile, for kernels that are given one. */
function tileFields(call: KernelCall, features: readonly Feature[], chooseTile: Chooser['tile']): Record<string, number> {
  const size = tiledSize(call);
  if (!size) return {};
  const {mr, nv, panelsOuter} = chooseTile(size, features);
  return isWinograd(call.contract) ? {mr, nv} : {mr, nv, panels_outer: Number(panelsOuter)};
}

/** Statements in lines of up to 120 columns. */
function wrap(statements: readonly string[]): string {
  const lines: string[] = [];
  for (const statement of statements) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + statement.length < 118) lines[lines.length - 1] = `${last} ${statement}`;
    else lines.push(`  ${statement}`);
  }
  return lines.join('\n');
}

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

function loopFunction(loop: Loop): StaticFunction {
  const {expression, reads, write} = loop;
  const axes = loopAxes(loop);
  const at = (strides: readonly number[]): string => {
    const terms = strides.flatMap((stride, i) => (stride === 0 ? [] : [stride === 1 ? `i${i}` : `i${i} * ${stride}`]));
    return terms.join(' + ') || '0';
  };
  const names = reads.map((_, i) => `x${i}[${at(axes.map(axis => axis.reads[i]!))}]`);
  const value = scalarExpression(
    expression,
    names,
    reads.map(view => view.dtype),
    write.dtype,
  );
  const signature = [...reads.map((view, i) => `const ${cTypes[view.dtype]} *x${i}`), `${cTypes[write.dtype]} *y`];
  const heads = axes.map(
    ({size}, i) =>
      `${'  '.repeat(i + 1)}${i === axes.length - 1 ? 'DNNC_INDEPENDENT ' : ''}for (ptrdiff_t i${i} = 0; i${i} < ${size}; i${i}++)\n`,
  );
  const body = `${'  '.repeat(axes.length + 1)}y[${at(axes.map(axis => axis.write))}] = ${value};\n`;
  const text = `static void ${ownName}(${signature.join(', ')}) {\n${heads.join('')}${body}}\n`;
  const stem =
    expression.kind === 'arg' ? 'copy' : expression.kind === 'call' ? expression.fn : expression.kind === 'lit' ? 'fill' : 'cast';
  return {text, headers: ['arithmetic.h'], args: [...reads, write], stem};
}

/** Rows above and below at once, then the columns between two rows: right of one and left of the next are adjacent. */
function borderFunction({root, dtype, images, rows, columns, width, border}: FillBorder): StaticFunction {
  const type = cTypes[dtype];
  const row = (columns + border.left + border.right) * width;
  const [above, below] = [border.top * row + border.left * width, border.right * width + border.bottom * row];
  const image = (rows + border.top + border.bottom) * row;
  const between = (border.left + border.right) * width;
  const lines = [
    above && `    memset(y, ${border.value}, ${above * widthOf(dtype)});`,
    between &&
      rows > 1 &&
      `    for (int r = 1; r < ${rows}; r++) memset(y + ${above + columns * width} + (ptrdiff_t)(r - 1) * ${row}, ${border.value}, ${between * widthOf(dtype)});`,
    below && `    memset(y + ${image - below}, ${border.value}, ${below * widthOf(dtype)});`,
  ].filter(line => line);
  const text = `static void ${ownName}(${type} *y) {\n  for (int n = 0; n < ${images}; n++, y += ${image}) {\n${lines.join('\n')}\n  }\n}\n`;
  const whole: View = {root, dtype, offset: 0, shape: [images * image], strides: [1]};
  return {text, headers: ['dnnc.h'], args: [whole], stem: border.value === 0 ? 'zero_border' : 'border'};
}
