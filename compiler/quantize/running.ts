/** A task's network with bytes between its layers and weights that can be rewritten between calls, beside the network of floats. */
import {invariant} from '../../ir/diagnostics.js';
import {constantOf, headOf, nodesFor, onlyUser, producerOf, valueAt} from '../../ir/graph.js';
import {isOp} from '../../ir/op.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {dequantize} from '../../ir/ops/dequantize/index.js';
import {add, clip, relu} from '../../ir/ops/elementwise/index.js';
import {linear} from '../../ir/ops/linear/index.js';
import type {Head, Module, Node, ValueId} from '../../ir/types.js';
import {matrixOf} from '../algebra/matrix.js';
import {after} from '../recipes/steps.js';
import {behind, type Layer} from '../reconstruct/layers.js';
import {type Network, openNetwork} from '../reconstruct/network.js';
import type {Task} from '../tasks.js';
import {integerLayer, parametersOf, type Rounded, withQuantized} from './insert.js';
import type {Range} from './ranges.js';
import {type Int8Options, movedTo, quantizationOf, type Studied} from './study.js';

/** A layer that reads bytes. */
export type ByteLayer = {
  /** Of the network of bytes; it has the name that it has in the other. */
  readonly layer: Layer;
  /** What the same layer reads, and what is added to its result, in the network of floats. */
  readonly float: {readonly input: ValueId; readonly beside: ValueId | null};
  /** What the activation behind it keeps, of the result or of the sum. */
  readonly bounds: Range;
  /** The step of the bytes that it reads. */
  readonly step: number;
  /** By itself: each weight to the nearest integer, the bias by the means of the float network. */
  readonly nearest: Rounded;
};

export type Running = {readonly network: Network; readonly layers: readonly ByteLayer[]};

/** For the best target of this machine. Layers in graph order. */
export async function openRunning(studied: Studied, tasks: readonly Task[], options: Int8Options): Promise<Running> {
  const {name} = studied.task;
  const {before = module => module} = options;
  const plain: {readonly node: Node; readonly nearest: Rounded; readonly step: number}[] = [];
  const layers: ByteLayer[] = [];
  const withBytes = (module: Module, as: Pick<Head, 'name' | 'attrs'>): Module => {
    const quantization = quantizationOf(module, movedTo(module, studied), new Map(), options.correctBias);
    plain.length = 0;
    for (const {node, float} of quantization.sites.layers) {
      if (float !== null) continue;
      const {weights, scales, bias, input} = integerLayer(module.graph, node, quantization);
      plain.push({node, nearest: {weights, scales, bias, way: 'nearest', gain: 0}, step: input.scale});
    }
    return withQuantized(module, headOf(module, name), {...quantization, realWeights: true}, as);
  };
  const network = await openNetwork(
    tasks,
    name,
    {...options, before: given => after(before(given), name, [withBytes])},
    {
      layersIn(module, head) {
        layers.length = 0;
        layers.push(...byteLayersIn(module, head, plain));
        return {layers: layers.map(({layer}) => layer), fixed: new Map()};
      },
      besides(layer) {
        const {input, beside} = layers.find(each => each.layer === layer)!.float;
        return beside === null ? [input] : [input, beside];
      },
      // Both networks are compiled, and bytes have many kinds of loops.
      parts: 2,
    },
  );
  return {network, layers};
}

/** The copy keeps the order of what it copies. */
function byteLayersIn(
  module: Module,
  head: Head,
  plain: readonly (Pick<ByteLayer, 'nearest' | 'step'> & {readonly node: Node})[],
): readonly ByteLayer[] {
  const {graph} = module;
  const order = new Map(graph.nodes.map((node, i) => [node, i]));
  const readsBytes = ({inputs: [x]}: Node): boolean => {
    const producer = x == null ? null : producerOf(graph, x);
    return producer !== null && isOp(producer, dequantize);
  };
  const copies = nodesFor(graph, head.outputs).filter(
    node => (isOp(node, conv2d) || isOp(node, linear)) && readsBytes(node) && constantOf(graph, node.inputs[1]!),
  );
  invariant(copies.length === plain.length, 'int8.running', head.name, `has ${copies.length} layers, not ${plain.length}`);
  return plain.map(({node: own, nearest, step}, i): ByteLayer => {
    const node = copies[i]!;
    const {weights, bias} = parametersOf(graph, node);
    const [outputs = 1, inputs = 1, ...kernel] = weights.shape;
    const [{id, type}] = node.outputs;
    const layer: Layer = {
      ...{name: own.outputs[0].name, input: node.inputs[0]!, output: id, channels: inputs, feeders: []},
      ...{inputShape: valueAt(graph, node.inputs[0]!).type.shape, outputShape: type.shape},
      window: isOp(node, conv2d) ? {...node.attrs, kernel} : null,
      weights: matrixOf(outputs, weights.data.length / outputs, Float64Array.from(weights.data, Number)),
      bias: Float64Array.from(bias ?? new Float64Array(outputs)),
      ...behind(module, node, order),
    };
    const before = behind(module, own, order).beside;
    // Both or none: what is added to one of them alone tells nothing of the other.
    const beside = layer.beside === null ? null : before;
    return {
      ...{layer: {...layer, beside: beside === null ? null : layer.beside}, nearest, step},
      ...{float: {input: own.inputs[0]!, beside}, bounds: boundsBehind(module, own)},
    };
  });
}

/** Of the activation that alone reads the result, or the sum that alone does. */
function boundsBehind(module: Module, node: Node): Range {
  const next = onlyUser(module, node.outputs[0].id);
  const then = next && isOp(next, add) ? onlyUser(module, next.outputs[0].id) : next;
  if (then?.op === relu.name) return {low: 0, high: Number.POSITIVE_INFINITY};
  return then && isOp(then, clip) ? then.attrs : {low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY};
}
