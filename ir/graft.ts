/** Heads of modules that grew from the same one, each by itself, in one module. */
import {uniqueName} from './edit.js';
import {headOf, nodesFor} from './graph.js';
import type {Graph, Module, Node, Value, ValueId} from './types.js';

const valuesOf = ({inputs, constants, nodes}: Graph): readonly Value[] => [
  ...inputs,
  ...constants.map(({value}) => value),
  ...nodes.flatMap(({outputs}) => outputs),
];

/** `into` with the head of that name of `from`, and what it needs. Both have all of `base`, and more of their own. */
export function graft(base: Module, into: Module, from: Module, name: string): Module {
  const shared = new Set(valuesOf(base.graph).map(({id}) => id));
  const present = valuesOf(into.graph);
  const names = new Set(present.map(value => value.name));
  let next = present.reduce((most, {id}) => Math.max(most, id), 0) + 1;
  const moved = new Map<ValueId, Value>();
  const move = (value: Value): Value => {
    const own = {...value, id: next++ as ValueId, name: uniqueName(value.name, names)};
    moved.set(value.id, own);
    return own;
  };
  const at = (id: ValueId): ValueId => moved.get(id)?.id ?? id;
  const head = headOf(from, name);
  const needed = nodesFor(from.graph, head.outputs).filter(({outputs}) => !shared.has(outputs[0].id));
  const read = new Set(needed.flatMap(({inputs}) => inputs));
  const constants = from.graph.constants
    .filter(({value: {id}}) => read.has(id) && !shared.has(id))
    .map(constant => ({...constant, value: move(constant.value)}));
  const nodes = needed.map((node): Node => {
    const inputs = node.inputs.map(id => (id === null ? null : at(id)));
    const [first, ...rest] = node.outputs;
    return {...node, inputs, outputs: [move(first), ...rest.map(move)]};
  });
  const {graph} = into;
  return {
    ...into,
    graph: {...graph, constants: [...graph.constants, ...constants], nodes: [...graph.nodes, ...nodes]},
    heads: [...into.heads, {...head, outputs: head.outputs.map(at)}],
  };
}
