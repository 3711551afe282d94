/** The first node that fails when it is given good operands: alone, else with the nodes before it. */
import {evaluate} from '../../ir/evaluate.js';
import type {Module, Node, ValueId} from '../../ir/types.js';
import type {Tensors} from './cc.js';

export type Given = {readonly module: Module; readonly inputs: Tensors};

/** More steps back than this, and the whole is tried by other means. */
const deepest = 6;

/** `failing` is asked about many modules at once, in the order of the nodes. null where no part fails. */
export async function isolate(
  {module, inputs}: Given,
  failing: (parts: readonly Given[]) => Promise<readonly boolean[]>,
): Promise<Given | null> {
  const values = evaluate(module, inputs);
  for (let depth = 1; depth <= deepest; depth++) {
    const parts = module.graph.nodes.map(node => {
      const part = cut(module, node, depth);
      return {module: part, inputs: new Map(part.graph.inputs.map(({id, name}) => [name, values.get(id)!]))};
    });
    const found = (await failing(parts)).indexOf(true);
    if (found >= 0) return parts[found]!;
  }
  return null;
}

/** A node with those that lead to it, `depth` in all on each way; what enters comes from outside. */
function cut({name, graph, attrs}: Module, node: Node, depth: number): Module {
  const producers = new Map(graph.nodes.flatMap(each => each.outputs.map(({id}) => [id, each] as const)));
  const kept = new Set<Node>();
  const keep = (each: Node, left: number): void => {
    kept.add(each);
    if (left > 1) for (const id of each.inputs) if (id !== null && producers.has(id)) keep(producers.get(id)!, left - 1);
  };
  keep(node, depth);
  const nodes = graph.nodes.filter(each => kept.has(each));
  const made = new Set<ValueId>(nodes.flatMap(({outputs}) => outputs.map(({id}) => id)));
  const read = new Set<ValueId | null>(nodes.flatMap(each => each.inputs));
  const values = [...graph.inputs, ...graph.nodes.flatMap(({outputs}) => outputs)];
  return {
    name,
    attrs,
    graph: {
      inputs: values.filter(({id}) => read.has(id) && !made.has(id)),
      constants: graph.constants.filter(({value}) => read.has(value.id)),
      nodes,
    },
    heads: [{name: 'h', outputs: node.outputs.map(({id}) => id), attrs: {}, loc: node.loc}],
  };
}
