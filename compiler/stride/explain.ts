/** What larger strides did to each layer, as `build` tells it. */
import {invariant} from '../../ir/diagnostics.js';
import {headOf, nodesFor, valueAt} from '../../ir/graph.js';
import {isOp} from '../../ir/op.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {elements} from '../../ir/tensor.js';
import type {Graph, Node} from '../../ir/types.js';
import type {LayerReport} from '../recipes/report.js';
import {reportsOfFixed} from '../reconstruct/explain.js';
import {type Layer, macsOf} from '../reconstruct/layers.js';
import type {Network} from '../reconstruct/network.js';
import type {Changes} from '../restructure/change.js';
import {type Site, widerKernel} from './sites.js';

export function explain(
  network: Network,
  task: string,
  {changes: sites, layers}: Changes<Site>,
  now: ReadonlyMap<string, Layer>,
  reasons: ReadonlyMap<string, string>,
): readonly LayerReport[] {
  const {graph} = network.module;
  const roles = new Map(sites.flatMap(site => Array.from(site.roles, ([{outputs}, role]) => [outputs[0].name, role] as const)));
  const halving = new Map(
    nodesFor(graph, headOf(network.module, task).outputs)
      .filter(({outputs: [{name}]}) => roles.get(name) === 'halves')
      .map(node => [node.outputs[0].name, halved(graph, node)] as const),
  );
  const told = (name: string): Partial<LayerReport> => {
    const role = roles.get(name);
    if (role === 'inside') return {form: 'a quarter of the places'};
    if (role === 'keeps') return {form: 'stride 1'};
    const reason = reasons.get(name);
    return {...(layers.has(name) && {form: 'fitted anew'}), ...(reason !== undefined && {float: reason})};
  };
  const own = network.layers.map((layer): LayerReport => {
    const {name} = layer;
    const bytesBefore = 4 * (layer.weights.data.length + layer.bias.length);
    const wider = halving.get(name);
    if (wider) return {layer: name, ...wider.report, bytesBefore, bytesAfter: bytesBefore + wider.bytes};
    const macsAfter = macsOf(now.get(name) ?? layer);
    return {layer: name, ...told(name), macsBefore: macsOf(layer), macsAfter, bytesBefore, bytesAfter: bytesBefore};
  });
  const fixed = reportsOfFixed(network).map((report): LayerReport => {
    const {layer, bytesBefore} = report;
    const wider = halving.get(layer);
    return wider ? {layer, ...wider.report, bytesBefore, bytesAfter: bytesBefore + wider.bytes} : report;
  });
  return [...fixed, ...own];
}

/** A layer whose stride doubles: what it is, what it computes, and the bytes of its larger kernel more than those that it had. */
function halved(graph: Graph, node: Node): {readonly report: Partial<LayerReport>; readonly bytes: number} {
  invariant(isOp(node, conv2d), 'stride.layer', node.outputs[0].name, 'is no convolution');
  const [outputs, channels, ...kernel] = valueAt(graph, node.inputs[1]!).type.shape as [number, number, number, number];
  const {strides} = node.attrs;
  const wider = widerKernel(kernel, strides);
  const pairs = outputs * channels;
  const places = elements(valueAt(graph, node.outputs[0].id).type.shape.slice(2));
  return {
    report: {
      form: `stride ${2 * strides[0]!}, ${wider.join(' x ')}`,
      macsBefore: pairs * elements(kernel) * places,
      macsAfter: (pairs * elements(wider) * places) / 4,
    },
    bytes: 4 * pairs * (elements(wider) - elements(kernel)),
  };
}
