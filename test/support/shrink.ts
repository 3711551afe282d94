/** Makes a failing module smaller for as long as it fails: fewer heads, fewer nodes, values that become inputs. */
import {nodesFor} from '../../ir/graph.js';
import type {Head, Module, Node, Value, ValueId} from '../../ir/types.js';

export type Fails = (module: Module) => Promise<boolean>;

/** Tries at most `attempts` modules; returns the smallest that still fails. */
export async function shrink(module: Module, fails: Fails, attempts = 200): Promise<Module> {
  let smallest = module;
  let left = attempts;
  for (let progress = true; progress && left > 0; ) {
    progress = false;
    for (const candidate of smaller(smallest)) {
      if (left-- <= 0) break;
      if (!(await fails(candidate).catch(() => false))) continue;
      smallest = candidate;
      progress = true;
      break;
    }
  }
  return smallest;
}

/** Modules with less in them, the boldest cuts first. */
function* smaller(module: Module): Generator<Module> {
  const {heads, graph} = module;
  if (heads.length > 1) for (const head of heads) yield tidy({...module, heads: [head]});
  for (const head of heads)
    if (head.outputs.length > 1)
      for (const id of head.outputs)
        yield tidy({...module, heads: heads.map(other => (other === head ? {...head, outputs: [id]} : other))});
  // The head returns an earlier value: everything after it goes.
  for (const head of heads)
    for (const node of graph.nodes)
      if (!head.outputs.includes(node.outputs[0].id))
        yield tidy({...module, heads: heads.map(other => (other === head ? returning(head, node) : other))});
  // A value comes from outside: everything that made it goes.
  for (const node of [...graph.nodes].reverse()) yield tidy(fromOutside(module, node));
  // A node is skipped: its readers read one of its operands of the same type.
  for (const node of graph.nodes)
    for (const id of node.inputs) {
      const operand = id === null ? undefined : valuesOf(module).find(value => value.id === id);
      if (operand && String(operand.type.shape) === String(node.outputs[0].type.shape))
        yield tidy(redirected(module, node, operand.id));
    }
}

const returning = (head: Head, node: Node): Head => ({...head, outputs: [node.outputs[0].id]});

const valuesOf = ({graph}: Module): readonly Value[] => [
  ...graph.inputs,
  ...graph.constants.map(({value}) => value),
  ...graph.nodes.flatMap(node => node.outputs),
];

function fromOutside(module: Module, node: Node): Module {
  const {graph} = module;
  return {
    ...module,
    graph: {...graph, inputs: [...graph.inputs, node.outputs[0]], nodes: graph.nodes.filter(other => other !== node)},
  };
}

function redirected(module: Module, node: Node, to: ValueId): Module {
  const from = node.outputs[0].id;
  const swap = (id: ValueId | null): ValueId | null => (id === from ? to : id);
  const nodes = module.graph.nodes.filter(other => other !== node).map(other => ({...other, inputs: other.inputs.map(swap)}));
  const heads = module.heads.map(head => ({...head, outputs: head.outputs.map(id => (id === from ? to : id))}));
  return {...module, graph: {...module.graph, nodes}, heads};
}

/** Without nodes, constants and inputs that no head needs. */
function tidy(module: Module): Module {
  const {graph, heads} = module;
  const outputs = heads.flatMap(head => head.outputs);
  const nodes = nodesFor(graph, outputs);
  const needed = new Set<ValueId | null>([...outputs, ...nodes.flatMap(node => node.inputs)]);
  return {
    ...module,
    graph: {
      inputs: graph.inputs.filter(({id}) => needed.has(id)),
      constants: graph.constants.filter(({value}) => needed.has(value.id)),
      nodes,
    },
  };
}
