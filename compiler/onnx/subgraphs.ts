/** The graphs within a node (branches of If, bodies of Loop and Scan), and what they read from outside. */
import type {OnnxGraph, OnnxNode} from './model.js';

export function subgraphsOf(node: OnnxNode): readonly OnnxGraph[] {
  const graphs: OnnxGraph[] = [];
  for (const attribute of node.attributes.values())
    if (attribute.kind === 'graph') graphs.push(attribute.value);
    else if (attribute.kind === 'graphs') graphs.push(...attribute.value);
  return graphs;
}

/** The nodes, and all those in their subgraphs, in no particular order. */
export function* withInnerNodes(nodes: readonly OnnxNode[]): Generator<OnnxNode> {
  const pending = [nodes];
  for (let list = pending.pop(); list; list = pending.pop())
    for (const node of list) {
      yield node;
      for (const graph of subgraphsOf(node)) pending.push(graph.nodes);
    }
}

/** Everything that a node waits for: its operands, and what its subgraphs read from the graphs around them. */
export function namesReadBy(node: OnnxNode): Iterable<string> {
  const graphs = subgraphsOf(node);
  return graphs.length === 0 ? node.inputs : new Set([...node.inputs, ...graphs.flatMap(graph => [...freeNames(graph)])]);
}

/** Kept, as each graph around another one asks again. */
const known = new WeakMap<OnnxGraph, ReadonlySet<string>>();

function freeNames(graph: OnnxGraph): ReadonlySet<string> {
  const before = known.get(graph);
  if (before) return before;
  const free = new Set<string>(graph.outputs.map(({name}) => name));
  for (const node of graph.nodes) for (const name of namesReadBy(node)) free.add(name);
  for (const {name} of [...graph.inputs, ...graph.initializers]) free.delete(name);
  for (const {values} of graph.sparseInitializers) free.delete(values.name);
  for (const node of graph.nodes) for (const name of node.outputs) free.delete(name);
  known.set(graph, free);
  return free;
}
