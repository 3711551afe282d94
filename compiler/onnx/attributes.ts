/** Readers of a node's attributes: each checks the kind, and gives the default where the attribute is absent. */
import type {OnnxCall} from '../../ir/op.js';
import type {Tensor} from '../../ir/tensor.js';
import type {OnnxAttribute, OnnxNode, OnnxTensor} from './model.js';

type Readers = Pick<OnnxCall, 'has' | 'int' | 'float' | 'string' | 'ints' | 'floats' | 'strings' | 'tensor'>;

export function attributeReaders(
  node: OnnxNode,
  invalid: (reason: string) => never,
  tensorOf: (proto: OnnxTensor) => Tensor,
): Readers {
  function read<K extends OnnxAttribute['kind']>(name: string, kind: K): Extract<OnnxAttribute, {kind: K}> | null {
    const attribute = node.attributes.get(name);
    if (!attribute) return null;
    if (!isKind(attribute, kind)) return invalid(`attribute ${name} is of kind ${attribute.kind}, not ${kind}`);
    return attribute;
  }
  const orElse = <T>(name: string, value: T | undefined, fallback: T | undefined): T =>
    value ?? fallback ?? invalid(`attribute ${name} is missing`);
  return {
    has: name => node.attributes.has(name),
    int: (name, fallback) => orElse(name, read(name, 'int')?.value, fallback),
    float: (name, fallback) => orElse(name, read(name, 'float')?.value, fallback),
    string: (name, fallback) => orElse(name, read(name, 'string')?.value, fallback),
    ints: (name, fallback) => orElse(name, emptyList(node.attributes.get(name)) ?? read(name, 'ints')?.value, fallback),
    floats: (name, fallback) => orElse(name, emptyList(node.attributes.get(name)) ?? read(name, 'floats')?.value, fallback),
    strings: name => orElse(name, read(name, 'strings')?.value, undefined),
    tensor: name => tensorOf(orElse(name, read(name, 'tensor')?.value, undefined)),
  };
}

const isKind = <K extends OnnxAttribute['kind']>(
  attribute: OnnxAttribute,
  kind: K,
): attribute is Extract<OnnxAttribute, {kind: K}> => attribute.kind === kind;

/** An empty list may come under any list kind: the wire does not tell them apart. */
function emptyList(attribute: OnnxAttribute | undefined): readonly number[] | undefined {
  return attribute && 'value' in attribute && Array.isArray(attribute.value) && attribute.value.length === 0 ? [] : undefined;
}
