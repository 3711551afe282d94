/**
 * Graphs, nodes, attributes and functions of ONNX. They are walked here rather than by onnx-proto 8.0.1, which knows
 * ONNX 1.10 only (no overloads, no attribute defaults), turns weights into arrays of numbers or Long objects and recurses
 * without a limit. Field numbers are those of onnx.proto (ONNX 1.20, IR 13).
 */
import {type Budget, checkDepth} from './budget.js';
import {decodeSparse, decodeTensor, decodeValueInfo} from './decode-tensor.js';
import type {OnnxAttribute, OnnxFunction, OnnxGraph, OnnxNode, OnnxSparseTensor, OnnxTensor, OnnxValueInfo} from './model.js';
import {Message, Run, signedVarints, WireError} from './wire.js';

/** Errors: WireError; DnncError input onnx.count, onnx.nesting. */
export function decodeGraph(bytes: Uint8Array, budget: Budget, depth = 0): OnnxGraph {
  checkDepth(depth, budget.file);
  let name = '';
  const inputs: OnnxValueInfo[] = [];
  const outputs: OnnxValueInfo[] = [];
  const valueInfo: OnnxValueInfo[] = [];
  const initializers: OnnxTensor[] = [];
  const sparseInitializers: OnnxSparseTensor[] = [];
  const nodes: OnnxNode[] = [];
  const message = new Message(bytes);
  while (message.next())
    switch (message.field) {
      case 1:
        nodes.push(decodeNode(message.bytes(), budget, depth));
        break;
      case 2:
        name = message.text();
        break;
      case 5:
        initializers.push(decodeTensor(message.bytes(), budget));
        break;
      case 11:
        inputs.push(decodeValueInfo(message.bytes(), budget));
        break;
      case 12:
        outputs.push(decodeValueInfo(message.bytes(), budget));
        break;
      case 13:
        valueInfo.push(decodeValueInfo(message.bytes(), budget));
        break;
      case 15:
        sparseInitializers.push(decodeSparse(message.bytes(), budget));
        break;
      default:
        message.skip();
    }
  return {name, inputs, outputs, valueInfo, initializers, sparseInitializers, nodes};
}

function decodeNode(bytes: Uint8Array, budget: Budget, depth: number): OnnxNode {
  budget.spend('nodes', 1);
  let [name, opType, domain, overload] = ['', '', '', ''];
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, OnnxAttribute>();
  const message = new Message(bytes);
  while (message.next())
    switch (message.field) {
      case 1:
        inputs.push(nameIn(message, budget));
        break;
      case 2:
        outputs.push(nameIn(message, budget));
        break;
      case 3:
        name = message.text();
        break;
      case 4:
        opType = message.text();
        break;
      case 5:
        addAttribute(attributes, message.bytes(), budget, depth);
        break;
      case 7:
        domain = domainOf(message.text());
        break;
      case 8:
        overload = message.text();
        break;
      default:
        message.skip();
    }
  return {name, opType, domain, overload, inputs, outputs, attributes};
}

/** ai.onnx has two spellings; '' is ours. */
const domainOf = (domain: string): string => (domain === 'ai.onnx' ? '' : domain);

function nameIn(message: Message, budget: Budget): string {
  budget.spend('names', 1);
  return message.text();
}

function addAttribute(attributes: Map<string, OnnxAttribute>, bytes: Uint8Array, budget: Budget, depth: number): void {
  const [name, attribute] = decodeAttribute(bytes, budget, depth);
  if (attributes.has(name)) throw new WireError(`attribute "${name}" is there twice`, bytes.byteOffset);
  attributes.set(name, attribute);
}

/** AttributeProto.AttributeType by number. */
const kinds = [
  null,
  ...(['float', 'int', 'string', 'tensor', 'graph'] as const),
  ...(['floats', 'ints', 'strings', 'tensors', 'graphs'] as const),
  ...(['sparse', 'sparses', 'type', 'type'] as const),
];

type Kind = Exclude<OnnxAttribute['kind'], 'ref'>;

function decodeAttribute(bytes: Uint8Array, budget: Budget, depth: number): [name: string, attribute: OnnxAttribute] {
  budget.spend('attributes', 1);
  let [name, ref, text] = ['', '', ''];
  let [float, int, said] = [0, 0, 0];
  // IR 2 and older did not say the type: then the field that is there does.
  let found: Kind = 'type';
  const [floats, ints] = [new Run(), new Run()];
  const strings: string[] = [];
  const tensors: OnnxTensor[] = [];
  const graphs: OnnxGraph[] = [];
  const sparses: OnnxSparseTensor[] = [];
  const message = new Message(bytes);
  while (message.next()) {
    const kind = kindOfField[message.field];
    if (kind) found = kind;
    switch (message.field) {
      case 1:
        name = message.text();
        break;
      case 2:
        float = message.float();
        break;
      case 3:
        int = message.int();
        break;
      case 4:
        text = message.text();
        break;
      case 5:
      case 10:
        tensors.push(decodeTensor(message.bytes(), budget));
        break;
      case 6:
      case 11:
        graphs.push(decodeGraph(message.bytes(), budget, depth + 1));
        break;
      case 7:
        floats.add(message.elements(5));
        break;
      case 8:
        ints.add(message.elements(0));
        break;
      case 9:
        strings.push(nameIn(message, budget));
        break;
      case 20:
        said = message.int();
        break;
      case 21:
        ref = message.text();
        break;
      case 22:
      case 23:
        sparses.push(decodeSparse(message.bytes(), budget));
        break;
      default:
        message.skip();
    }
  }
  const wrong = (says: string): never => {
    throw new WireError(`attribute "${name}" ${says}`, bytes.byteOffset);
  };
  if (name === '') wrong('has no name');
  if (ref !== '') return [name, {kind: 'ref', name: ref}];
  const kind = said === 0 ? found : (kinds[said] ?? wrong(`has the unknown type ${said}`));
  const first = <T>(values: readonly T[]): T => values[0] ?? wrong(`is said to be a ${kind} and holds none`);
  budget.spend('numbers in attributes', floats.bytes.length / 4 + ints.bytes.length);
  switch (kind) {
    case 'float':
      return [name, {kind, value: float}];
    case 'int':
      return [name, {kind, value: int}];
    case 'string':
      return [name, {kind, value: text}];
    case 'tensor':
      return [name, {kind, value: first(tensors)}];
    case 'graph':
      return [name, {kind, value: first(graphs)}];
    case 'sparse':
      return [name, {kind, value: first(sparses)}];
    case 'floats':
      return [name, {kind, value: floatsOf(floats.bytes)}];
    case 'ints':
      return [name, {kind, value: signedVarints(ints.bytes)}];
    case 'strings':
      return [name, {kind, value: strings}];
    case 'tensors':
      return [name, {kind, value: tensors}];
    case 'graphs':
      return [name, {kind, value: graphs}];
    case 'sparses':
      return [name, {kind, value: sparses}];
    case 'type':
      return [name, {kind, value: null}];
    default:
      return kind satisfies never;
  }
}

const kindOfField: Readonly<Record<number, Kind>> = {
  2: 'float',
  3: 'int',
  4: 'string',
  5: 'tensor',
  6: 'graph',
  7: 'floats',
  8: 'ints',
  9: 'strings',
  10: 'tensors',
  11: 'graphs',
  22: 'sparse',
  23: 'sparses',
};

function floatsOf(bytes: Uint8Array): number[] {
  if (bytes.length % 4 !== 0) throw new WireError('floats that are not 4 bytes each', bytes.byteOffset);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({length: bytes.length / 4}, (_, i) => view.getFloat32(4 * i, true));
}

export function decodeFunction(bytes: Uint8Array, budget: Budget): OnnxFunction {
  budget.spend('functions', 1);
  let [name, domain, overload] = ['', '', ''];
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: string[] = [];
  const defaults = new Map<string, OnnxAttribute>();
  const nodes: OnnxNode[] = [];
  const opsets: Uint8Array[] = [];
  const message = new Message(bytes);
  while (message.next())
    switch (message.field) {
      case 1:
        name = message.text();
        break;
      case 4:
        inputs.push(nameIn(message, budget));
        break;
      case 5:
        outputs.push(nameIn(message, budget));
        break;
      case 6:
        attributes.push(nameIn(message, budget));
        break;
      case 7:
        nodes.push(decodeNode(message.bytes(), budget, 0));
        break;
      case 9:
        opsets.push(message.bytes());
        break;
      case 10:
        domain = domainOf(message.text());
        break;
      case 11:
        addAttribute(defaults, message.bytes(), budget, 0);
        break;
      case 13:
        overload = message.text();
        break;
      default:
        message.skip();
    }
  return {name, domain, overload, inputs, outputs, attributes, defaults, nodes, opsets: decodeOpsets(opsets)};
}

/** OperatorSetIdProto messages as versions by domain; the same domain at two versions is refused. */
export function decodeOpsets(messages: readonly Uint8Array[]): Map<string, number> {
  const opsets = new Map<string, number>();
  for (const bytes of messages) {
    let [domain, version] = ['', 0];
    const message = new Message(bytes);
    while (message.next()) {
      if (message.field === 1) domain = domainOf(message.text());
      else if (message.field === 2) version = message.int();
      else message.skip();
    }
    const other = opsets.get(domain) ?? version;
    if (other !== version)
      throw new WireError(`operator set "${domain}" is imported at versions ${other} and ${version}`, bytes.byteOffset);
    opsets.set(domain, version);
  }
  return opsets;
}
