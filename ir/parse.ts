/**
 * Reads the text form that print.ts writes. Result types are inferred again and compared with the text, so a mistake in an
 * op's type rule shows here, with a caret. `blob h...` needs the bytes from `blobs`; `random(7)` makes seeded values (tests).
 */
import {DnncError, fail} from './diagnostics.js';
import {blobOf} from './edit.js';
import type {Call, OpDef} from './op.js';
import {findOp} from './ops/index.js';
import {printType} from './print.js';
import {isDType, parseNumber} from './scalar/text.js';
import {bytesOfTensor, isBig, tensorFrom, widthOf} from './tensor.js';
import {placesIn, type Token, tokenize} from './tokens.js';
import type {Attr, Attrs, Blob, Constant, Head, Loc, Module, Node, Quant, TensorType, Value, ValueId} from './types.js';

export type ParseOptions = {
  readonly file?: string;
  /** The bytes of constants that are too large to be in the text. */
  readonly blobs?: (hash: string, type: TensorType) => Uint8Array | undefined;
};

/** Throws `input` errors with line, column and a caret. */
export function parse(text: string, {file = 'module.ir', blobs = () => undefined}: ParseOptions = {}): Module {
  const tokens = tokenize(text);
  let at = 0;
  const byName = new Map<string, Value>();
  let nextId = 1;

  const place = placesIn(text);
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
  const size = (): number => {
    const value = number();
    return Number.isSafeInteger(value) && value >= 0 ? value : wrong('expected a size', tokens[at - 1]);
  };
  const number = (): number => parseNumber(next()) ?? wrong('expected a number', tokens[at - 1]);
  const unquote = (word: string): string => {
    if (!word.startsWith('"')) return word;
    try {
      return String(JSON.parse(word));
    } catch {
      return wrong('the string has an escape that is none', tokens[at - 1]);
    }
  };
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
    const shape = list(']', size);
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
  const attr = (depth = 0): Attr => {
    if (depth > deepest) wrong('this is nested too deeply');
    if (accept('[')) return list(']', () => attr(depth + 1));
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
  const loc = (depth = 0): Loc => {
    if (depth > deepest) wrong('this is nested too deeply');
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
    return {kind, pass, from: list(')', () => loc(depth + 1))};
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

  /** 64-bit integers have more digits than numbers hold. */
  const whole = (): bigint => {
    const word = next();
    return /^-?\d+$/.test(word) ? BigInt(word) : wrong('expected a whole number', tokens[at - 1]);
  };
  const content = (valueType: TensorType): Blob => {
    const {dtype, shape} = valueType;
    const count = shape.reduce((n, d) => n * d, 1);
    const token = tokens[at];
    if (count > largestConstant) wrong(`${printType(valueType)} has more elements than a constant may have`, token);
    if (accept('[')) {
      const values = list<number | bigint>(']', isBig(dtype) ? whole : number);
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
    if (bytes.byteLength !== count * widthOf(dtype)) wrong(`${hash} has another size than ${printType(valueType)}`, token);
    return {hash, bytes};
  };

  expect('dnnc-ir');
  if (number() !== 1) wrong('only text form 1 is known', tokens[at - 1]);
  expect('module');
  const moduleName = name('@');
  expect('{');
  const moduleAttrs: [string, Attr][] = [];
  const inputs: Value[] = [];
  const constants: Constant[] = [];
  const nodes: Node[] = [];
  const heads: Head[] = [];
  while (!accept('}')) {
    const start = tokens[at];
    if (accept('attr')) {
      const key = next();
      expect('=');
      moduleAttrs.push([key, attr()]);
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
      if (heads.some(head => head.name === word)) wrong(`@${word} is defined twice`, start, 'ir.redefined');
      expect('=');
      const outputs = [use().id];
      while (accept(',')) outputs.push(use().id);
      heads.push({name: word, outputs, attrs: attrs(), loc: locOr(start)});
    } else nodes.push(node(start));
  }
  if (at < tokens.length) wrong('text after the end of the module');
  return {name: moduleName, attrs: Object.fromEntries(moduleAttrs), graph: {inputs, constants, nodes}, heads};

  function node(start: Token | undefined): Node {
    const words = [name('%')];
    while (accept(',')) words.push(name('%'));
    expect('=');
    const opToken = tokens[at];
    const op = findOp(next()) ?? wrong(`"${opToken?.text}" is not an op`, opToken, 'ir.op');
    expect('(');
    const operands = list(')', useOrNone);
    const takes = operandsWrong(op, operands);
    if (takes !== null) wrong(takes, start, 'ir.operands');
    const given = attrsOf(op, attrs(), start);
    const inferred = inferredOf(op, {attrs: given, inputs: operands.map(value => value?.type ?? null)}, start);
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

  function attrsOf(op: OpDef, given: Attrs, start: Token | undefined): Attrs {
    const all: Record<string, Attr> = {};
    for (const [key, value] of Object.entries(op.defaults)) {
      if (value === undefined) continue;
      const chosen = given[key] ?? value;
      if (kindOf(chosen) !== kindOf(value)) wrong(`${key} is a ${kindOf(chosen)}, not a ${kindOf(value)}`, start, 'ir.attrs');
      all[key] = chosen;
    }
    return {...all, ...given};
  }

  /** Attributes without a default have no declared kind: a type rule that stumbles over one tells. */
  function inferredOf(op: OpDef, call: Call, start: Token | undefined): readonly TensorType[] {
    try {
      for (const rule of op.rules) if (!rule.holds(call)) wrong(rule.says, start, rule.id);
      return op.infer(call);
    } catch (error) {
      if (error instanceof DnncError && error.kind === 'input') throw error;
      return wrong(`the attributes do not fit ${op.name}`, start, 'ir.attrs');
    }
  }
}

/** Lists and locations are nested no deeper. */
const deepest = 1000;

/** Text with larger constants is wrong: their bytes come from elsewhere, and 32-bit offsets end here. */
const largestConstant = 2 ** 29;

const kindOf = (value: Attr): string => (Array.isArray(value) ? 'list' : typeof value);

/** Whether each operand is one that the op names, and none is absent that it needs; what is wrong, else null. */
function operandsWrong({name, operands: names}: OpDef, operands: readonly (Value | null)[]): string | null {
  const rest = names.at(-1)?.endsWith('*') ?? false;
  const needed = names.filter(word => !/[?*]$/.test(word)).length;
  const absent = operands.findIndex((operand, i) => operand === null && i < names.length && !/[?*]$/.test(names[i]!));
  if (operands.length >= needed && (rest || operands.length <= names.length) && absent < 0) return null;
  return `${name} takes (${names.join(', ')})${absent < 0 ? `, not ${operands.length} operands` : `; ${names[absent]} is none`}`;
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
