/** The reference interpreter: runs each op's own evaluation in graph order. Slow, obvious, the definition of right. */
import {fail} from './diagnostics.js';
import {nodesFor, valueAt} from './graph.js';
import {opOf} from './ops/index.js';
import {type Tensor, tensorOfConstant} from './tensor.js';
import type {Module, Node, ValueId} from './types.js';

/** Evaluates the given heads (all by default). Returns every value that was computed; `after` sees each node's results. */
export function evaluate(
  module: Module,
  inputs: ReadonlyMap<string, Tensor>,
  options: {readonly heads?: readonly string[]; readonly after?: (node: Node, outputs: readonly Tensor[]) => void} = {},
): ReadonlyMap<ValueId, Tensor> {
  const {graph} = module;
  const heads = module.heads.filter(head => options.heads?.includes(head.name) ?? true);
  const values = new Map<ValueId, Tensor>();
  for (const constant of graph.constants) values.set(constant.value.id, tensorOfConstant(constant));
  for (const input of graph.inputs) {
    const tensor = inputs.get(input.name);
    if (tensor) values.set(input.id, tensor);
  }
  const nodes = nodesFor(
    graph,
    heads.flatMap(head => head.outputs),
  );
  for (const node of nodes) {
    const operands = node.inputs.map(id => {
      if (id === null) return null;
      return values.get(id) ?? fail('usage', 'evaluate.input', valueAt(graph, id).name, 'no tensor was given for this input');
    });
    const outputs = evaluateNode(node, operands);
    node.outputs.forEach((output, i) => {
      values.set(output.id, outputs[i]!);
    });
    options.after?.(node, outputs);
  }
  return values;
}

export const evaluateNode = (node: Node, operands: readonly (Tensor | null)[]): readonly Tensor[] =>
  opOf(node).evaluate({attrs: node.attrs, inputs: operands}, operands);
