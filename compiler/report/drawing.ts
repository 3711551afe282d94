/** The graph of the tasks as they are, without their smaller variants: a drawing that a reader can still follow. */
import {nodesFor} from '../../ir/graph.js';
import type {Module} from '../../ir/types.js';
import {drawSvg} from '../draw.js';
import {type Html, html, raw} from '../page/html.js';

/** A drawing of more operations takes long to lay out and is none to look at. */
const mostNodes = 300;
/** Larger ones are shown when asked for. */
const mostOpen = 60;
/** Characters. */
const mostText = 400_000;

export async function drawingOf(module: Module): Promise<Html> {
  const whole = wholeOf(module);
  const count = whole.graph.nodes.length;
  const instead = (why: string): Html =>
    html`<p class="note">${why} <code>dnnc inspect --svg FILE</code> draws it into a file of its own.</p>`;
  if (count > mostNodes) return instead(`The graph has ${count} operations, more than the ${mostNodes} that are drawn here.`);
  const svg = inlineOf(await drawSvg(whole));
  if (svg.length > mostText) return instead('The drawing of the graph would make this page large.');
  return html`<details class="graph"${count <= mostOpen ? raw(' open') : null}><summary>${count} operations</summary><div class="wide" tabindex="0" role="region" aria-label="Drawing of the graph">${raw(svg)}</div></details>`;
}

/** Heads of other recipes, and what only they need, left out. */
function wholeOf(module: Module): Module {
  const full = module.heads.filter(({attrs}) => (attrs.recipe ?? 'full') === 'full');
  const heads = full.length > 0 ? full : module.heads.slice(0, 1);
  const {graph} = module;
  const nodes = nodesFor(
    graph,
    heads.flatMap(({outputs}) => outputs),
  );
  const read = new Set(nodes.flatMap(({inputs}) => inputs));
  const inputs = graph.inputs.filter(({id}) => read.has(id));
  return {...module, heads, graph: {...graph, inputs, nodes}};
}

/** Without what belongs to a file of its own, and without Graphviz' names of nodes, which browsers would show. */
const inlineOf = (svg: string): string =>
  svg
    .slice(svg.indexOf('<svg'))
    .replaceAll(/<title>.*?<\/title>\n?/gs, '')
    .replaceAll(/<!--.*?-->\n?/gs, '')
    .replaceAll(/ id="[^"]*"/g, '')
    .replace('<svg', '<svg role="img" aria-label="The graph of operations"');
