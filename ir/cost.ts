/** What a node costs, counted from types alone. Nodes are immutable, so the memory behind `costOf` cannot go stale. */
import {constantOf, nodesFor, valueAt} from './graph.js';
import {opOf} from './ops/index.js';
import {bytesOf, bytesStored} from './tensor.js';
import type {Cost, Graph, Head, Node} from './types.js';

const known = new WeakMap<Graph, Map<Node, Cost>>();

export function costOf(graph: Graph, node: Node): Cost {
  const costs = known.get(graph) ?? new Map<Node, Cost>();
  known.set(graph, costs);
  const cached = costs.get(node);
  if (cached) return cached;
  const inputs = node.inputs.map(id => (id === null ? null : valueAt(graph, id).type));
  let [bytesRead, bytesOfWeights] = [0, 0];
  for (const id of new Set(node.inputs)) {
    if (id === null) continue;
    const {type} = valueAt(graph, id);
    if (constantOf(graph, id)) bytesOfWeights += bytesStored(type);
    else bytesRead += bytesOf(type);
  }
  const call = {attrs: node.attrs, inputs};
  const macs = opOf(node).macs?.(call) ?? 0;
  const integerMacs = opOf(node).integer?.(call) ? macs : 0;
  const bytesWritten = node.outputs.reduce((sum, output) => sum + bytesOf(output.type), 0);
  const cost = {macs, integerMacs, bytesRead, bytesWritten, bytesOfWeights};
  costs.set(node, cost);
  return cost;
}

/** The sum over everything a head needs; weights that several nodes read count once. */
export const costOfHead = (graph: Graph, head: Head): Cost => costOfNodes(graph, nodesFor(graph, head.outputs));

/** The sum over nodes; weights that several of them read count once. */
export function costOfNodes(graph: Graph, nodes: readonly Node[]): Cost {
  const costs = nodes.map(node => costOf(graph, node));
  const constants = new Set(nodes.flatMap(node => node.inputs).flatMap(id => (id !== null && constantOf(graph, id) ? [id] : [])));
  const total = (pick: (cost: Cost) => number): number => costs.reduce((sum, cost) => sum + pick(cost), 0);
  return {
    macs: total(c => c.macs),
    integerMacs: total(c => c.integerMacs),
    bytesRead: total(c => c.bytesRead),
    bytesWritten: total(c => c.bytesWritten),
    bytesOfWeights: [...constants].reduce((sum, id) => sum + bytesStored(valueAt(graph, id).type), 0),
  };
}
