/** Local rewriting to a fixpoint: rules look at one node at a time; rounds repeat until no rule fires. */
import {invariant} from '../../ir/diagnostics.js';
import {type Editor, editor} from '../../ir/edit.js';
import type {Module, Node} from '../../ir/types.js';
import type {PassContext} from './pass.js';

/** Returns true when it changed something about this node. A rule's comment is its algebra. */
export type Rule = {
  readonly name: string;
  apply(node: Node, module: Module, edit: Editor): boolean;
};

/** More rounds than any model needs: every rule makes the module smaller or simpler. */
const mostRounds = 10_000;

export function rewriteToFixpoint(
  module: Module,
  pass: string,
  rules: readonly Rule[],
  context: PassContext,
  statistic: string,
): Module {
  let current = module;
  for (let round = 0; ; round++) {
    invariant(round < mostRounds, 'pass.fixpoint', pass, `does not come to rest in ${mostRounds} rounds`);
    const edit = editor(current, pass);
    // One rule per node and round, and no node next to a changed one: rules then see the graph that they change.
    const touched = new Set<number>();
    let fired = 0;
    for (const node of current.graph.nodes) {
      const near = [...node.inputs, ...node.outputs.map(output => output.id)].filter(id => id !== null);
      if (near.some(id => touched.has(id))) continue;
      if (!rules.some(rule => rule.apply(node, current, edit))) continue;
      fired++;
      for (const id of near) touched.add(id);
    }
    if (fired === 0) return current;
    context.count(statistic, fired);
    current = edit.finish();
  }
}
