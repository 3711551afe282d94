/**
 * Channels of one tensor share a scale, so small ones are rounded coarsely beside large ones. Where a convolution alone reads
 * another, a channel can be made larger by a factor in the one and smaller in the other without a change of what they compute
 * (cross-layer equalization: Nagel et al. 2019, section 4.1). Weights have a scale for each output channel, which takes factors
 * up without loss; so the range of the *activation* stands where the paper has that of the first layer's weights, and the second
 * layer's weights are what a factor can harm.
 */
import {valueAt} from '../../ir/graph.js';
import {isOp} from '../../ir/op.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {clip, relu} from '../../ir/ops/elementwise/index.js';
import {numberAt, type Tensor, tensorFrom} from '../../ir/tensor.js';
import type {Graph, Head, Module, Node, ValueId} from '../../ir/types.js';
import {type Changes, type Parameters, parametersOf} from './insert.js';
import {type Layer, readersIn, sitesOf} from './sites.js';

export type Equalized = {
  readonly changed: Changes;
  /** How many pairs of layers have factors between them. */
  readonly pairs: number;
};

/** Factors beyond these only move noise. */
const mostFactor = 64;

/** `largest`: the size of each channel, of what layers read. */
export function equalize(module: Module, head: Head, largest: ReadonlyMap<ValueId, ArrayLike<number>>): Equalized {
  const {graph} = module;
  const {layers, nodes} = sitesOf(module, head);
  const readerOf = readersIn(graph, head, nodes);
  const integer = layers.filter(({node, float}) => float === null && isOp(node, conv2d));
  const readers = new Map(integer.map(layer => [layer.node, layer]));
  const changed = new Map<ValueId, Parameters>();
  let pairs = 0;
  for (const layer of integer) {
    const reader = readers.get(readerOf(layer.result) ?? layer.node);
    const sizes = largest.get(layer.result);
    if (!reader || reader === layer || !sizes || !scalesAlong(graph, layer)) continue;
    const factors = factorsOf(graph, reader.node, Array.from(sizes), parametersOf(graph, reader.node, changed).weights);
    if (!factors || factors.every(factor => factor === 1)) continue;
    pairs++;
    changed.set(layer.node.outputs[0].id, divided(parametersOf(graph, layer.node, changed), factors));
    changed.set(reader.node.outputs[0].id, multiplied(parametersOf(graph, reader.node, changed), factors));
  }
  return {changed, pairs};
}

/**
 * Whether f(x / s) = f(x) / s between two layers: relu, or nothing. For a clip from 0 it holds too, since factors leave every
 * channel within the range that all of them have, and one that reaches the bound as it is.
 */
function scalesAlong(graph: Graph, {node, result}: Layer): boolean {
  const [{id}] = node.outputs;
  if (result === id) return true;
  const act = graph.nodes.find(({outputs}) => outputs[0].id === result);
  return act !== undefined && (act.op === relu.name || (isOp(act, clip) && act.attrs.low === 0));
}

/** What each channel is divided by; null where the second layer does not allow it. */
function factorsOf(graph: Graph, node: Node, sizes: readonly number[], weights: Tensor): readonly number[] | null {
  if (!isOp(node, conv2d)) return null;
  const channels = valueAt(graph, node.inputs[0]!).type.shape[1]!;
  const depthwise = node.attrs.groups === channels && weights.shape[1] === 1 && weights.shape[0] === channels;
  if (channels !== sizes.length || !(depthwise || node.attrs.groups === 1)) return null;
  const most = Math.max(...sizes);
  const read = sizes.map((_, c) => largestOf(weights, c, depthwise));
  const mostRead = Math.max(...read);
  return sizes.map((size, c) => {
    if (size === 0 || read[c] === 0 || size === most) return 1;
    // A depthwise kernel has a scale of its own and takes any factor.
    const wanted = depthwise ? size / most : Math.sqrt(size / most / (read[c]! / mostRead));
    return Math.min(mostFactor, Math.max(wanted, size / most, 1 / mostFactor));
  });
}

/** The largest weight that reads a channel. */
function largestOf(weights: Tensor, channel: number, depthwise: boolean): number {
  const [outputs = 1, inputs = 1, rows = 1, columns = 1] = weights.shape;
  const window = rows * columns;
  let largest = 0;
  const kernels = depthwise ? [channel] : Array.from({length: outputs}, (_, o) => o * inputs + channel);
  for (const kernel of kernels)
    for (let at = kernel * window; at < (kernel + 1) * window; at++) largest = Math.max(largest, Math.abs(numberAt(weights, at)));
  return largest;
}

function divided({weights, bias}: Parameters, factors: readonly number[]): Parameters {
  const each = weights.data.length / factors.length;
  return {
    weights: mapped(weights, at => 1 / factors[Math.floor(at / each)]!),
    bias: bias?.map((value, c) => value / factors[c]!) ?? null,
  };
}

function multiplied({weights, bias}: Parameters, factors: readonly number[]): Parameters {
  const [, inputs = 1, rows = 1, columns = 1] = weights.shape;
  const depthwise = inputs === 1 && factors.length > 1;
  return {
    weights: mapped(weights, at => {
      const kernel = Math.floor(at / (rows * columns));
      return factors[depthwise ? kernel : kernel % inputs]!;
    }),
    bias,
  };
}

const mapped = (tensor: Tensor, factor: (at: number) => number): Tensor =>
  tensorFrom(
    'f32',
    tensor.shape,
    Array.from({length: tensor.data.length}, (_, at) => numberAt(tensor, at) * factor(at)),
  );
