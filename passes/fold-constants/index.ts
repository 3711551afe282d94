/** Evaluates what depends on constants alone, with the reference evaluator. */
import {editor} from '../../ir/edit.js';
import {evaluateNode} from '../../ir/evaluate.js';
import {constantOf} from '../../ir/graph.js';
import {type Tensor, tensorOf} from '../../ir/tensor.js';
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
    const constant = constantOf(graph, id);
    return constant && tensorOf(constant.value.type.dtype, constant.value.type.shape, constant.blob.bytes);
  };
  for (const node of graph.nodes) {
    const operands = node.inputs.map(id => (id === null ? null : tensorAt(id)));
    if (node.inputs.length === 0 || operands.some((tensor, i) => tensor === null && node.inputs[i] !== null)) continue;
    const build = edit.before(node);
    evaluateNode(node, operands).forEach((tensor, i) => {
      const output = node.outputs[i]!;
      tensors.set(output.id, tensor);
      edit.redirect(output.id, build.literal(tensor, output.name));
    });
    context.count('folded');
  }
  return edit.finish();
}
