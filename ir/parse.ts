/**
 * Reads the text form that print.ts writes. Result types are inferred again and compared with the text, so a mistake in an
 * op's type rule shows here, with a caret. `blob h...` needs the bytes from `blobs`; `random(7)` makes seeded values (tests).
 */
import {fail} from './diagnostics.js';
import {blobOf} from './edit.js';
import {findOp} from './ops/index.js';
import {printType} from './print.js';
import {isDType, parseNumber} from './scalar.js';
import {bytesOfTensor, tensorFrom, zeros} from './tensor.js';
import type {Attr, Attrs, Blob, Constant, Head, Loc, Module, Node, Quant, TensorType, Value, ValueId} from './types.js';

export type ParseOptions = {
  readonly file?: string;
  /** The bytes of constants that are too large to be in the text. */
  readonly blobs?: (hash: string, type: TensorType) => Uint8Array | undefined;
};

type Token = {readonly text: string; readonly at: number};

/** Throws `input` errors with line, column and a caret. */
export function parse(text: string, {file = 'module.ir', blobs = () => undefined}: ParseOptions = {}): Module {
  const tokens = tokenize(text);
  let at = 0;
  const byName = new Map<string, Value>();
  let nextId = 1;

  const place = (position: number): {line: number; column: number; source: string} => {
    const before = text.slice(0, position);
    const line = before.split('\n').length;
    return {line, column: position - before.lastIndexOf('\n'), source: text.split('\n')[line - 1] ?? ''};
  };
  const wrong = (says: string, token: Token | undefined = tokens[at], code = 'ir.syntax'): never => {
    const {line, column, source} = place(token?.at ?? text.length);
    return fail('input', code, `${file}:${line}:${column}`, `${says}\n    ${source}\n    ${' '.repeat(column - 1)}^`);
  };
  const peek = (word: string): boolean => tokens[at]?.text === word;
  const next = (): string => (tokens[at++] ?? wrong('the text ends early')).text;
  const expect = (word: string): void => {
    if (!peek(word)) wrong(`expected "${word}"`);
    at++;
  };
  const accept = (word: string): boolean => peek(word) && ++at > 0;
  const list = <T>(close: string, item: () => T): T[] => {
    const items: T[] = [];
    while (!accept(close)) {
      items.push(item());
      if (!peek(close)) expect(',');
    }
    return items;
  };
  const number = (): number => parseNumber(next()) ?? wrong('expected a number', tokens[at - 1]);
  const unquote = (word: string): string => (word.startsWith('"') ? (JSON.parse(word) as string) : word);
  const string = (): string => (tokens[at]?.text.startsWith('"') ? unquote(next()) : wrong('expected a string'));
  const name = (sigil: string): string => {
    const word = next();
    if (!word.startsWith(sigil)) wrong(`expected a name that begins with ${sigil}`, tokens[at - 1]);
    return unquote(word.slice(1));
  };

  const type = (): TensorType => {
    const dtype = next();
    if (!isDType(dtype)) return wrong(`"${dtype}" is not an element type`, tokens[at - 1]);
    expect('[');
    const shape = list(']', number);
    if (!accept('!')) return {dtype, shape};
    expect('q');
    expect('(');
    const axis = accept('*') ? null : number();
    expect(',');
    expect('[');
    const scale = list(']', number);
    expect(',');
    expect('[');
    const zero = list(']', number);
    expect(')');
    const quant: Quant = {axis, scale, zero};
    return {dtype, shape, quant};
  };
  const attr = (): Attr => {
    if (accept('[')) return list(']', attr);
    if (accept('true')) return true;
    if (accept('false')) return false;
    return tokens[at]?.text.startsWith('"') ? string() : number();
  };
  const attrs = (): Attrs => {
    if (!accept('{')) return {};
    return Object.fromEntries(
      list('}', () => {
        const key = next();
        expect('=');
        return [key, attr()];
      }),
    );
  };
  const loc = (): Loc => {
    const kind = next();
    expect('(');
    if (kind === 'onnx') {
      const from = string();
      expect(',');
      const node = string();
      expect(')');
      return {kind, file: from, node};
    }
    if (kind === 'text') {
      const from = string();
      expect(',');
      const line = number();
      expect(',');
      const column = number();
      expect(')');
      return {kind, file: from, line, column};
    }
    if (kind !== 'pass') return wrong('expected onnx, text or pass', tokens[at - 2]);
    const pass = string();
    if (accept(')')) return {kind, pass, from: []};
    expect(',');
    return {kind, pass, from: list(')', loc)};
  };
  /** A line without a location is its own location. */
  const locOr = (start: Token | undefined): Loc => {
    if (accept('@')) return loc();
    const {line, column} = place(start?.at ?? 0);
    return {kind: 'text', file, line, column};
  };
  const define = (word: string, valueType: TensorType, token: Token | undefined): Value => {
    if (byName.has(word)) wrong(`%${word} is defined twice`, token, 'ir.redefined');
    const value: Value = {id: nextId++ as ValueId, name: word, type: valueType};
    byName.set(word, value);
    return value;
  };
  const use = (): Value => {
    const token = tokens[at];
    const word = name('%');
    return byName.get(word) ?? wrong(`%${word} is not defined above`, token, 'ir.undefined');
  };
  const useOrNone = (): Value | null => (accept('none') ? null : use());

  const content = (valueType: TensorType): Blob => {
    const {dtype, shape} = valueType;
    const count = shape.reduce((n, d) => n * d, 1);
    const token = tokens[at];
    if (accept('[')) {
      const values = list(']', number);
      if (values.length !== count) wrong(`${printType(valueType)} has ${count} elements, not ${values.length}`, token);
      return blobOf(bytesOfTensor(tensorFrom(dtype, shape, values)));
    }
    if (accept('random')) {
      expect('(');
      const seed = number();
      expect(')');
      return blobOf(bytesOfTensor(tensorFrom(dtype, shape, seeded(seed, count, dtype.startsWith('f') || dtype === 'bf16'))));
    }
    expect('blob');
    const hash = next();
    const bytes = blobs(hash, valueType) ?? wrong(`the bytes of ${hash} are not at hand`, tokens[at - 1], 'ir.blob');
    if (bytes.byteLength !== zeros(dtype, shape).data.byteLength)
      wrong(`${hash} has another size than ${printType(valueType)}`, token);
    return {hash, bytes};
  };

  expect('dnnc-ir');
  if (number() !== 1) wrong('only text form 1 is known', tokens[at - 1]);
  expect('module');
  const moduleName = name('@');
  expect('{');
  const moduleAttrs: Record<string, Attr> = {};
  const inputs: Value[] = [];
  const constants: Constant[] = [];
  const nodes: Node[] = [];
  const heads: Head[] = [];
  while (!accept('}')) {
    const start = tokens[at];
    if (accept('attr')) {
      const key = next();
      expect('=');
      moduleAttrs[key] = attr();
    } else if (accept('input')) {
      const word = name('%');
      expect(':');
      inputs.push(define(word, type(), start));
    } else if (accept('const')) {
      const word = name('%');
      expect(':');
      const valueType = type();
      expect('=');
      const blob = content(valueType);
      constants.push({value: define(word, valueType, start), blob, loc: locOr(start)});
    } else if (accept('head')) {
      const word = name('@');
      expect('=');
      const outputs = [use().id];
      while (accept(',')) outputs.push(use().id);
      heads.push({name: word, outputs, attrs: attrs(), loc: locOr(start)});
    } else nodes.push(node(start));
  }
  if (at < tokens.length) wrong('text after the end of the module');
  return {name: moduleName, attrs: moduleAttrs, graph: {inputs, constants, nodes}, heads};

  function node(start: Token | undefined): Node {
    const words = [name('%')];
    while (accept(',')) words.push(name('%'));
    expect('=');
    const opToken = tokens[at];
    const op = findOp(next()) ?? wrong(`"${opToken?.text}" is not an op`, opToken, 'ir.op');
    expect('(');
    const operands = list(')', useOrNone);
    const given = {...op.defaults, ...attrs()} as Attrs;
    const call = {attrs: given, inputs: operands.map(value => value?.type ?? null)};
    for (const rule of op.rules) if (!rule.holds(call)) wrong(rule.says, start, rule.id);
    const inferred = op.infer(call);
    expect(':');
    const types = [type()];
    while (accept(',')) types.push(type());
    const [shown, meant] = [types.map(printType).join(', '), inferred.map(printType).join(', ')];
    if (shown !== meant || words.length !== types.length) wrong(`the result is ${meant}, not ${shown}`, start, 'ir.type');
    const [first, ...rest] = words.map((word, i) => define(word, types[i]!, start));
    return {
      op: op.name,
      inputs: operands.map(value => value?.id ?? null),
      outputs: [first!, ...rest],
      attrs: given,
      loc: locOr(start),
    };
  }
}

function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const pattern = /\/\/[^\n]*|\s+|[%@]?"(?:[^"\\]|\\.)*"|[%@][\w.:/-]+|-?[\w.]+(?:[-+][\w.]+)*|[^\s]/g;
  for (const match of text.matchAll(pattern)) {
    const [word] = match;
    if (!word.startsWith('//') && word.trim() !== '') tokens.push({text: word, at: match.index});
  }
  return tokens;
}

/** Reproducible values in [-1, 1) for floats, small integers else (mulberry32, T. Ettinger). */
export function seeded(seed: number, count: number, real: boolean): number[] {
  let state = seed >>> 0;
  return Array.from({length: count}, () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    const unit = ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    return real ? unit * 2 - 1 : Math.floor(unit * 5);
  });
}
