/** Nodes that compute the same from the same operands become one; so do constants of equal bytes. */
import {editor} from '../../ir/edit.js';
import {constantOf} from '../../ir/graph.js';
import {printType} from '../../ir/print.js';
import type {Module, Value, ValueId} from '../../ir/types.js';
import {definePass, type PassContext} from '../framework/pass.js';

export const commonSubexpressions = definePass({
  name: 'common-subexpressions',
  summary: 'equal nodes and equal constants become one',
  requires: ['well-formed'],
  establishes: ['unique'],
  breaks: [],
  tolerance: null,
  stats: {merged: 'nodes computed once instead of twice'},
  run,
});

function run(module: Module, context: PassContext): Module {
  const {graph} = module;
  const edit = editor(module, commonSubexpressions.name);
  const same = new Map<ValueId, Value>();
  const seen = new Map<string, readonly Value[]>();
  const merge = (key: string, outputs: readonly Value[]): boolean => {
    const twin = seen.get(key);
    if (!twin) seen.set(key, outputs);
    else
      outputs.forEach((output, i) => {
        same.set(output.id, twin[i]!);
        edit.redirect(output.id, twin[i]!);
      });
    return twin !== undefined;
  };
  for (const {value, blob} of graph.constants) merge(`${blob.hash}:${printType(value.type)}`, [value]);
  for (const node of graph.nodes) {
    const operands = node.inputs.map(id => {
      const at = id === null ? null : (same.get(id)?.id ?? id);
      const constant = at === null ? null : constantOf(graph, at);
      return constant ? `${constant.blob.hash}:${printType(constant.value.type)}` : String(at);
    });
    const attrs = JSON.stringify(
      Object.entries(node.attrs)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => [key, String(value)]),
    );
    if (merge(`${node.op}(${operands.join(',')})${attrs}`, node.outputs)) context.count('merged');
  }
  return edit.finish();
}
