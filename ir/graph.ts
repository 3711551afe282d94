/** Questions about a graph: who makes a value, who uses it, what a head needs. Memoised by identity, since graphs do not change. */
import {invariant} from './diagnostics.js';
import {numberAt, tensorOfConstant} from './tensor.js';
import type {Constant, Graph, Head, Module, Node, Value, ValueId} from './types.js';

type Facts = {
  readonly values: ReadonlyMap<ValueId, Value>;
  readonly producers: ReadonlyMap<ValueId, Node>;
  readonly users: ReadonlyMap<ValueId, readonly Node[]>;
  readonly constants: ReadonlyMap<ValueId, Constant>;
};

const facts = new WeakMap<Graph, Facts>();

function factsOf(graph: Graph): Facts {
  const known = facts.get(graph);
  if (known) return known;
  const values = new Map<ValueId, Value>();
  const producers = new Map<ValueId, Node>();
  const users = new Map<ValueId, Node[]>();
  const constants = new Map<ValueId, Constant>();
  for (const input of graph.inputs) values.set(input.id, input);
  for (const constant of graph.constants) {
    values.set(constant.value.id, constant.value);
    constants.set(constant.value.id, constant);
  }
  for (const node of graph.nodes) {
    for (const output of node.outputs) {
      values.set(output.id, output);
      producers.set(output.id, node);
    }
    for (const input of new Set(node.inputs)) {
      if (input === null) continue;
      const list = users.get(input);
      if (list) list.push(node);
      else users.set(input, [node]);
    }
  }
  const made = {values, producers, users, constants};
  facts.set(graph, made);
  return made;
}

export function valueAt(graph: Graph, id: ValueId): Value {
  const value = factsOf(graph).values.get(id);
  invariant(value, 'graph.value', `value ${id}`, 'is not in the graph');
  return value;
}

/** The node that makes a value; null for inputs and constants. */
export const producerOf = (graph: Graph, id: ValueId): Node | null => factsOf(graph).producers.get(id) ?? null;

/** Every node that reads a value, each once, in graph order. Heads are not nodes: see `isHeadOutput`. */
export const usersOf = (graph: Graph, id: ValueId): readonly Node[] => factsOf(graph).users.get(id) ?? [];

export const constantOf = (graph: Graph, id: ValueId): Constant | null => factsOf(graph).constants.get(id) ?? null;

export const isHeadOutput = (module: Module, id: ValueId): boolean => module.heads.some(head => head.outputs.includes(id));

/** The only reader of a value that no head returns; null where there are several or none. */
export function onlyUser(module: Module, id: ValueId): Node | null {
  const users = usersOf(module.graph, id);
  return users.length === 1 && !isHeadOutput(module, id) ? users[0]! : null;
}

/** The number of a constant of one f32; null of anything else. */
export function singleNumber(graph: Graph, id: ValueId): number | null {
  const constant = constantOf(graph, id);
  if (constant?.value.type.dtype !== 'f32') return null;
  const tensor = tensorOfConstant(constant);
  return tensor.data.length === 1 ? numberAt(tensor, 0) : null;
}

/** The head of that name, which must be there. */
export const headOf = ({heads}: Module, name: string): Head => heads.find(head => head.name === name)!;

/** The nodes that the given values need, in graph order. */
export function nodesFor(graph: Graph, outputs: readonly ValueId[]): readonly Node[] {
  const wanted = new Set<ValueId>(outputs);
  const kept = new Set<Node>();
  for (const node of [...graph.nodes].reverse())
    if (node.outputs.some(output => wanted.has(output.id))) {
      kept.add(node);
      for (const input of node.inputs) if (input !== null) wanted.add(input);
    }
  return graph.nodes.filter(node => kept.has(node));
}

/** How the outside calls a head's outputs, where it has names for them: the names in the model file. */
export function outputNames(head: Head): readonly string[] {
  const {outputs} = head.attrs;
  return Array.isArray(outputs) ? outputs.map(String) : [];
}

/** The graph inputs that a head depends on, in graph order. */
export function inputsFor(graph: Graph, head: Head): readonly Value[] {
  const read = new Set<ValueId>(head.outputs);
  for (const node of nodesFor(graph, head.outputs)) for (const input of node.inputs) if (input !== null) read.add(input);
  return graph.inputs.filter(input => read.has(input.id));
}
