/** Cuts: points where one tensor separates all that is before from all that is after, for one head. */
import {constantOf, inputsFor, nodesFor, valueAt} from './graph.js';
import {bytesOf} from './tensor.js';
import type {Head, Module, Node, Value, ValueId} from './types.js';

export type Cut = {
  /** The one live tensor. */
  readonly value: Value;
  /** Of the tensor. */
  readonly bytes: number;
  /** The last node before the cut. */
  readonly after: Node;
  /** How many of the head's nodes are before it. */
  readonly depth: number;
};

/** In graph order; without the head's own outputs. */
export function cutsOf({graph}: Module, head: Head): readonly Cut[] {
  const nodes = nodesFor(graph, head.outputs);
  const lastUse = new Map<ValueId, number>();
  nodes.forEach((node, i) => {
    for (const id of node.inputs) if (id !== null && !constantOf(graph, id)) lastUse.set(id, i);
  });
  for (const id of head.outputs) lastUse.set(id, nodes.length);
  const live = new Set<ValueId>(inputsFor(graph, head).map(input => input.id));
  const cuts: Cut[] = [];
  nodes.forEach((node, i) => {
    for (const output of node.outputs) if ((lastUse.get(output.id) ?? -1) > i) live.add(output.id);
    for (const id of [...live]) if ((lastUse.get(id) ?? -1) <= i) live.delete(id);
    const [only] = live;
    if (live.size !== 1 || only === undefined || i === nodes.length - 1 || head.outputs.includes(only)) return;
    const value = valueAt(graph, only);
    if (cuts.at(-1)?.value.id !== only) cuts.push({value, bytes: bytesOf(value.type), after: node, depth: i + 1});
  });
  return cuts;
}
