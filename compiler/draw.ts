/** The graph as a drawing: Graphviz (in WebAssembly) lays it out. */
import {costOf} from '../ir/cost.js';
import {constantOf} from '../ir/graph.js';
import {printType} from '../ir/print.js';
import type {Module} from '../ir/types.js';
import {countText} from './output.js';

export async function drawSvg(module: Module): Promise<string> {
  const {instance} = await import('@viz-js/viz');
  const viz = await instance();
  return viz.renderString(dotOf(module), {format: 'svg', engine: 'dot'});
}

const quote = (text: string): string => JSON.stringify(text);

/** Darker boxes do more work; so says their class, from `work0` to `work4`. */
export function dotOf({name, graph, heads}: Module): string {
  const most = Math.max(1, ...graph.nodes.map(node => costOf(graph, node).macs));
  const owner = new Map<number, string>();
  const lines: string[] = [];
  for (const input of graph.inputs) {
    owner.set(input.id, `v${input.id}`);
    lines.push(`v${input.id} [shape=ellipse, label=${quote(`${input.name}\n${printType(input.type)}`)}]`);
  }
  for (const node of graph.nodes) {
    const id = `v${node.outputs[0].id}`;
    const {macs} = costOf(graph, node);
    const epilogue = 'epilogue' in node.attrs && node.attrs.epilogue !== '' ? `\n${node.attrs.epilogue}` : '';
    const cost = macs > 0 ? `\n${countText(macs)} MACs` : '';
    const part = macs / most;
    lines.push(
      `${id} [class="work${Math.ceil(4 * part)}", fillcolor="0.58 ${(0.05 + 0.35 * part).toFixed(2)} 1.0", label=${quote(`${node.op}${epilogue}\n${printType(node.outputs[0].type)}${cost}`)}]`,
    );
    for (const output of node.outputs) owner.set(output.id, id);
    for (const input of node.inputs) if (input !== null && !constantOf(graph, input)) lines.push(`${owner.get(input)} -> ${id}`);
  }
  heads.forEach((head, i) => {
    lines.push(`h${i} [shape=ellipse, style=bold, label=${quote(head.name)}]`);
    for (const id of head.outputs) if (owner.has(id)) lines.push(`${owner.get(id)} -> h${i}`);
  });
  return `digraph ${quote(name)} {\n  node [shape=box, style="rounded,filled", fillcolor=white, fontname="Helvetica", fontsize=10]\n  edge [arrowsize=0.6]\n${lines.map(line => `  ${line}\n`).join('')}}\n`;
}
