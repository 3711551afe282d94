/** The layers of a network that can be fitted anew: what each multiplies with its weights, and what stands behind it. */
import {constantOf, nodesFor, onlyUser, producerOf, valueAt} from '../../ir/graph.js';
import {isOp} from '../../ir/op.js';
import {add, relu} from '../../ir/ops/elementwise/index.js';
import {elements} from '../../ir/tensor.js';
import type {Graph, Head, Module, Node, ValueId} from '../../ir/types.js';
import {type Matrix, matrixOf} from '../algebra/matrix.js';
import {siteOf} from '../quantize-weights/sites.js';
import type {Window} from './rows.js';

/** A convolution of one group, or a fully connected layer. */
export type Layer = {
  /** Of its result. */
  readonly name: string;
  readonly input: ValueId;
  readonly output: ValueId;
  /** [n][channels][h][w], or [...][channels] */
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  /** Null of a fully connected layer. */
  readonly window: Window | null;
  readonly channels: number;
  /** [outputs][channels * rows * columns] */
  readonly weights: Matrix;
  readonly bias: Float64Array;
  /** What is added to its result and computed before it: errors in there can be made good here (He et al. 2017, section 3.2). */
  readonly beside: ValueId | null;
  /** Layers that nobody else needs: they go where this one goes. */
  readonly feeders: readonly string[];
  /** Whether a ReLU alone reads the result, or the sum. */
  readonly rectified: boolean;
};

/** Rows and columns of a layer's kernel. */
export const kernelOf = ({window}: Layer): readonly [number, number] =>
  window ? [window.kernel[0]!, window.kernel[1]!] : [1, 1];

/** How often its weights are applied. */
export const positionsOf = ({outputShape, weights}: Layer): number => elements(outputShape) / weights.rows;

export const macsOf = (layer: Layer): number => positionsOf(layer) * layer.weights.data.length;

export type Layers = {
  /** In graph order. */
  readonly layers: readonly Layer[];
  /** Those that have to stay as they are, by the names of their results, and why. */
  readonly fixed: ReadonlyMap<string, {readonly reason: string; readonly bytes: number}>;
};

/** Of a module before `fuse`. */
export function layersOf(module: Module, head: Head): Layers {
  const {graph} = module;
  const nodes = nodesFor(graph, head.outputs);
  const order = new Map(nodes.map((node, i) => [node, i]));
  const layers: Layer[] = [];
  const fixed = new Map<string, {readonly reason: string; readonly bytes: number}>();
  for (const node of nodes) {
    const site = siteOf(node, graph);
    if (!site) continue;
    const {layer, name, bytes} = site;
    if (typeof layer === 'string') {
      fixed.set(name, {reason: layer, bytes});
      continue;
    }
    const {weights, width, window, bias} = layer;
    if (weights.groups > 1) {
      fixed.set(name, {reason: 'its channels are in groups', bytes});
      continue;
    }
    const [{id, type}] = node.outputs;
    layers.push({
      ...{name, input: layer.input, output: id, window, channels: weights.inputs},
      ...{inputShape: valueAt(graph, layer.input).type.shape, outputShape: type.shape},
      weights: matrixOf(weights.outputs, width, weights.data),
      bias: Float64Array.from(bias ?? new Float64Array(weights.outputs)),
      feeders: feedersOf(module, node),
      ...behind(module, node, order),
    });
  }
  return {layers, fixed};
}

/** Layers from which all ways lead to this one. */
function feedersOf(module: Module, node: Node): readonly string[] {
  const {graph} = module;
  const names: string[] = [];
  const pending = node.inputs.slice(0, 1);
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    const producer = id === null ? null : producerOf(graph, id);
    if (id === null || !producer || !onlyUser(module, id)) continue;
    if (siteOf(producer, graph)) names.push(producer.outputs[0].name);
    pending.push(...producer.inputs);
  }
  return names;
}

export function behind(module: Module, node: Node, order: ReadonlyMap<Node, number>): Pick<Layer, 'beside' | 'rectified'> {
  const {graph} = module;
  const [{id, type}] = node.outputs;
  const next = onlyUser(module, id);
  if (!next || !isOp(next, add)) return {beside: null, rectified: next !== null && isOp(next, relu)};
  const other = next.inputs.find(input => input !== id);
  const then = onlyUser(module, next.outputs[0].id);
  const rectified = then !== null && isOp(then, relu);
  if (other == null || !isBefore(graph, other, node, order)) return {beside: null, rectified: false};
  const fits = String(valueAt(graph, other).type.shape) === String(type.shape);
  return fits ? {beside: other, rectified} : {beside: null, rectified: false};
}

/** Whether a value is computed, before a node is. */
function isBefore(graph: Graph, id: ValueId, node: Node, order: ReadonlyMap<Node, number>): boolean {
  if (constantOf(graph, id)) return false;
  const producer = producerOf(graph, id);
  return producer === null || (order.get(producer) ?? Number.POSITIVE_INFINITY) < (order.get(node) ?? -1);
}
