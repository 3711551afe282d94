/** The static functions of a generated file: one per different kernel call or loop, shared by equal layers. */
import type {FillBorder, KernelCall, View, Work} from '../../ir/plan.js';
import {printScalar} from '../../ir/scalar/text.js';
import {widthOf} from '../../ir/tensor.js';
import {type Contract, choose, type Feature, isWinograd} from '../kernels/inventory.js';
import {tiledSize} from '../kernels/tiles.js';
import type {Chooser} from '../kernels/ways.js';
import {cTypes, floatLiteral, vectorExpression} from './expression.js';
import {loopFunction, ownName, type StaticFunction} from './loops.js';
import {tableOf, tableText} from './tables.js';

export function functionOf(work: Work, features: readonly Feature[], chooseTile: Chooser['tile']): StaticFunction {
  switch (work.kind) {
    case 'kernel':
      return kernelFunction(work, features, chooseTile);
    case 'loop':
      return loopFunction(work, features);
    case 'border':
      return borderFunction(work);
    default:
      return work satisfies never;
  }
}

function kernelFunction(call: KernelCall, features: readonly Feature[], chooseTile: Chooser['tile']): StaticFunction {
  const {contract, struct, epilogue} = call;
  // Weights beyond a byte are packed as bytes, and what these could not hold: see conv2d_u8.h.
  const params = call.params.map(param =>
    contract === 'conv2d_u8' && param.view?.dtype === 'i16' ? {...param, view: {...param.view, dtype: 'i8' as const}} : param,
  );
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

function epilogueFunction({epilogue, params}: KernelCall): [string, string] {
  if (!epilogue || epilogue.kind === 'arg') return ['', 'dnnc_identity'];
  const operands = ['acc', 'e0', 'e1'];
  const isByte = (index: number): boolean => params.find(({name}) => name === operands[index])?.view?.dtype === 'u8';
  const tabled = tableOf(epilogue, operands.length, isByte);
  const name = `${ownName}_epilogue`;
  const table = `${ownName}_table`;
  const names = tabled ? [...operands, `v_table(${table}, ${vectorExpression(tabled.index, operands)})`] : operands;
  const text = printScalar(epilogue);
  const silence = operands.flatMap((operand, i) => (text.includes(`x${i}`) ? [] : [`  (void)${operand};\n`])).join('');
  const code = `${tabled ? tableText(table, tabled.values) : ''}DNNC_INLINE dnnc_v ${name}(dnnc_v acc, dnnc_v e0, dnnc_v e1) {
${silence}  return ${vectorExpression(tabled?.expression ?? epilogue, names)};
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
