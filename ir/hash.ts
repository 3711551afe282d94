/** Structural hashes: equal for nodes that compute the same from the same, whatever their names. The ground of layer sharing. */
import {createHash} from 'node:crypto';
import {constantOf, producerOf, valueAt} from './graph.js';
import {printType} from './print.js';
import type {Attr, Attrs, Graph, Node, ValueId} from './types.js';

const attrsText = (attrs: Attrs): string =>
  JSON.stringify(
    Object.entries(attrs).sort(([a], [b]) => (a < b ? -1 : 1)),
    (_, value: Attr) => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value),
  );

/** Op, attributes and operands as text; equal for two nodes of one graph that compute the same. Constants count by content. */
export function identityOf(graph: Graph, node: Node): string {
  const operand = (id: ValueId | null): string => {
    const constant = id === null ? null : constantOf(graph, id);
    return constant ? `${constant.blob.hash}:${printType(constant.value.type)}` : String(id);
  };
  return `${node.op}(${node.inputs.map(operand).join(',')})${attrsText(node.attrs)}`;
}

const hashes = new WeakMap<Graph, Map<ValueId, string>>();

/** The structural hash of a value: what is computed, down to the inputs (by name and type) and the bytes of the weights. */
export function hashOf(graph: Graph, id: ValueId): string {
  const known = hashes.get(graph) ?? new Map<ValueId, string>();
  hashes.set(graph, known);
  const pending = [id];
  while (pending.length > 0) {
    const at = pending.at(-1)!;
    const node = producerOf(graph, at);
    const missing = known.has(at) || !node ? [] : node.inputs.filter(input => input !== null).filter(input => !known.has(input));
    if (missing.length > 0) {
      pending.push(...missing);
      continue;
    }
    pending.pop();
    if (known.has(at)) continue;
    if (!node) {
      const {name, type} = valueAt(graph, at);
      known.set(at, sha(`${constantOf(graph, at)?.blob.hash ?? `input ${name}`}:${printType(type)}`));
      continue;
    }
    const base = `${node.op}(${node.inputs.map(input => (input === null ? '-' : known.get(input))).join(',')})${attrsText(node.attrs)}`;
    node.outputs.forEach((output, i) => {
      known.set(output.id, sha(`${base}#${i}`));
    });
  }
  return known.get(id)!;
}

const sha = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
