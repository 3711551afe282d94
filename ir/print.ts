/** The text form of a module: prints to what parse.ts reads back as the same module. Defaults of attributes do not print. */
import {findOp} from './ops/index.js';
import {printNumber} from './scalar/text.js';
import {isBig, numbersOf, type Tensor, tensorOf} from './tensor.js';
import type {Attr, Attrs, Constant, Loc, Module, Node, TensorType, Value, ValueId} from './types.js';

/** Constants up to this many elements print as literals. */
export const literalLimit = 8;

export function print(module: Module): string {
  const {graph} = module;
  const names = new Map<ValueId, string>();
  for (const value of [...graph.inputs, ...graph.constants.map(c => c.value), ...graph.nodes.flatMap(node => node.outputs)])
    names.set(value.id, printName(value.name));
  const ref = (id: ValueId | null): string => (id === null ? 'none' : (names.get(id) ?? `%?${id}`));
  const attrs = Object.entries(module.attrs).map(([key, value]) => `attr ${key} = ${printAttr(value)}`);
  const sections = [
    attrs,
    graph.inputs.map(value => `input ${ref(value.id)} : ${printType(value.type)}`),
    graph.constants.map(constant => printConstant(constant)),
    graph.nodes.map(node => printNode(node, ref)),
    module.heads.map(
      head =>
        `head @${printWord(head.name)} = ${head.outputs.map(ref).join(', ')}${printAttrs(head.attrs)} @ ${printLoc(head.loc)}`,
    ),
  ];
  const body = sections.filter(lines => lines.length > 0).map(lines => lines.map(line => `  ${line}\n`).join(''));
  return `dnnc-ir 1\n\nmodule @${printWord(module.name)} {\n${body.join('\n')}}\n`;
}

/** One node as a line, with names in place of ids. */
export function printNode(node: Node, ref: (id: ValueId | null) => string): string {
  const defaults: {readonly [key: string]: Attr | undefined} = findOp(node.op)?.defaults ?? {};
  const attrs = Object.fromEntries(Object.entries(node.attrs).filter(([key, value]) => !equalAttr(value, defaults[key])));
  const outputs = node.outputs.map(output => ref(output.id)).join(', ');
  const types = node.outputs.map(output => printType(output.type)).join(', ');
  return `${outputs} = ${node.op}(${node.inputs.map(ref).join(', ')})${printAttrs(attrs)} : ${types} @ ${printLoc(node.loc)}`;
}

/** The node's own line of text without its origin: what generated C carries as a comment. */
export const printNodeBare = (node: Node, nameOf: (id: ValueId) => Value): string =>
  printNode(node, id => (id === null ? 'none' : printName(nameOf(id).name))).replace(/ @ (onnx|text|pass)\(.*$/s, '');

function printConstant({value, blob, loc}: Constant): string {
  const count = value.type.shape.reduce((n, d) => n * d, 1);
  const content =
    count <= literalLimit
      ? `[${elementsOf(tensorOf(value.type.dtype, value.type.shape, blob.bytes)).join(', ')}]`
      : `blob ${blob.hash}`;
  return `const ${printName(value.name)} : ${printType(value.type)} = ${content} @ ${printLoc(loc)}`;
}

/** 64-bit integers have more digits than numbers hold. */
const elementsOf = (tensor: Tensor): readonly string[] =>
  isBig(tensor.dtype) ? Array.from(tensor.data, String) : numbersOf(tensor).map(printNumber);

export function printType({dtype, shape, quant}: TensorType): string {
  const scales = quant && ` !q(${quant.axis ?? '*'}, [${quant.scale.map(printNumber)}], [${quant.zero.map(printNumber)}])`;
  return `${dtype}[${shape.join(',')}]${scales ?? ''}`;
}

const printWord = (word: string): string => (/^[\w.:/-]+$/.test(word) ? word : JSON.stringify(word));
const printName = (name: string): string => `%${printWord(name)}`;

function printAttrs(attrs: Attrs): string {
  const keys = Object.keys(attrs).sort();
  return keys.length === 0 ? '' : ` {${keys.map(key => `${key} = ${printAttr(attrs[key]!)}`).join(', ')}}`;
}

function printAttr(value: Attr): string {
  if (typeof value === 'number') return printNumber(value);
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'boolean' ? String(value) : `[${value.map(printAttr).join(', ')}]`;
}

export function equalAttr(a: Attr | undefined, b: Attr | undefined): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => equalAttr(item, b[i]));
  return Object.is(a, b);
}

function printLoc(loc: Loc): string {
  switch (loc.kind) {
    case 'onnx':
      return `onnx(${JSON.stringify(loc.file)}, ${JSON.stringify(loc.node)})`;
    case 'text':
      return `text(${JSON.stringify(loc.file)}, ${loc.line}, ${loc.column})`;
    case 'pass':
      return `pass(${[JSON.stringify(loc.pass), ...loc.from.map(printLoc)].join(', ')})`;
    default:
      return loc satisfies never;
  }
}
