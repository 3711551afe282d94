/** Evaluates what depends on constants alone, with the reference evaluator. A tensor without elements is known, whoever makes it. */
import {editor} from '../../ir/edit.js';
import {evaluateNode} from '../../ir/evaluate.js';
import {constantOf, valueAt} from '../../ir/graph.js';
import {type Tensor, tensorOf, zeros} from '../../ir/tensor.js';
import type {Module, ValueId} from '../../ir/types.js';
import {definePass, type PassContext} from '../framework/pass.js';

export const foldConstants = definePass({
  name: 'fold-constants',
  summary: 'evaluates what depends on constants alone',
  requires: ['well-formed'],
  establishes: ['constants-folded'],
  breaks: [],
  tolerance: null,
  stats: {folded: 'nodes evaluated at build time'},
  run,
});

function run(module: Module, context: PassContext): Module {
  const {graph} = module;
  const edit = editor(module, foldConstants.name);
  const tensors = new Map<ValueId, Tensor>();
  const tensorAt = (id: ValueId): Tensor | null => {
    const made = tensors.get(id);
    if (made) return made;
    const {dtype, shape} = valueAt(graph, id).type;
    if (shape.includes(0)) return zeros(dtype, shape);
    const constant = constantOf(graph, id);
    return constant && tensorOf(dtype, shape, constant.blob.bytes);
  };
  for (const node of graph.nodes) {
    const operands = node.inputs.map(id => (id === null ? null : tensorAt(id)));
    const isEmpty = node.outputs.every(({type}) => type.shape.includes(0));
    const isKnown = operands.every((tensor, i) => tensor !== null || node.inputs[i] === null);
    if (!isEmpty && (node.inputs.length === 0 || !isKnown)) continue;
    const build = edit.before(node);
    const results = isEmpty ? node.outputs.map(({type}) => zeros(type.dtype, type.shape)) : evaluateNode(node, operands);
    results.forEach((tensor, i) => {
      const output = node.outputs[i]!;
      tensors.set(output.id, tensor);
      edit.redirect(output.id, build.literal(tensor, output.name));
    });
    context.count('folded');
  }
  return edit.finish();
}
