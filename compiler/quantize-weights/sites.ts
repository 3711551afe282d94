/** Which layers of a network may have narrow weights, and why others may not. */
import {constantOf, nodesFor, valueAt} from '../../ir/graph.js';
import {isOp} from '../../ir/op.js';
import {isDepthwise} from '../../ir/ops/common/convolution.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {linear} from '../../ir/ops/linear/index.js';
import {bytesStored, elements, numbersOf, tensorOfConstant} from '../../ir/tensor.js';
import type {Constant, Graph, Head, Module, Node, ValueId} from '../../ir/types.js';
import type {Window} from '../reconstruct/rows.js';
import type {LayerWeights} from './layer.js';

/** A layer whose weights may become narrow. */
export type Layer = {
  /** The value that its weights are multiplied with. */
  readonly input: ValueId;
  /** Products of a sum: the width of its second moments. */
  readonly width: number;
  /** Null of a linear layer. */
  readonly window: Window | null;
  readonly weights: LayerWeights;
  readonly shape: readonly number[];
  readonly bias: Float32Array | null;
  /** Each channel has its own kernel: of narrow types there is one of 8 bits alone. */
  readonly depthwise: boolean;
};

/** A convolution or fully connected layer. */
export type Site = {
  /** Of its result. */
  readonly name: string;
  /** Of weights and bias. */
  readonly bytes: number;
  /** Else: why its weights stay as they are. */
  readonly layer: Layer | string;
};

/** Weights fewer than these stay f32: what they take is little, and panels of 16 channels would take half of the gain. */
const fewestWeights = 1024;

/** In graph order. */
export const sitesOf = ({graph}: Module, head: Head): readonly Site[] =>
  nodesFor(graph, head.outputs).flatMap(node => siteOf(node, graph) ?? []);

/** Null: it is no layer. */
export function siteOf(node: Node, graph: Graph): Site | null {
  if (!(isOp(node, conv2d) || isOp(node, linear))) return null;
  const constants = node.inputs.slice(1, 3).flatMap(id => (id === null ? [] : (constantOf(graph, id) ?? [])));
  const bytes = constants.reduce((sum, {value: {type}}) => sum + bytesStored(type), 0);
  return {name: node.outputs[0].name, bytes, layer: layerOf(node, graph)};
}

/** Its weights are f32, constant and not few; nothing follows the sum yet. */
function layerOf(node: Node, graph: Graph): Layer | string {
  const [x, wId, bId] = node.inputs;
  const w = wId == null ? null : constantOf(graph, wId);
  const b = bId == null ? null : constantOf(graph, bId);
  if (x == null || !w || (bId != null && !b)) return 'its weights are computed';
  if (constantOf(graph, x)) return 'it reads a constant';
  const {dtype, shape} = w.value.type;
  if (dtype !== 'f32') return 'it is not f32';
  if (node.attrs.epilogue !== '') return 'something is fused to its sum';
  const isConvolution = isOp(node, conv2d);
  const inputs = node.inputs.map(id => (id === null ? null : valueAt(graph, id).type));
  if (elements(shape) < fewestWeights) return `it has fewer than ${fewestWeights} weights`;
  const [outputs, channels, ...kernel] = shape as [number, number, ...number[]];
  const points = elements(kernel);
  return {
    ...{input: x, shape, width: channels * points},
    window: isConvolution ? {...node.attrs, kernel} : null,
    weights: {data: numbersIn(w), outputs, inputs: channels, points, groups: isConvolution ? node.attrs.groups : 1},
    bias: b && numbersIn(b),
    depthwise: isConvolution && isDepthwise({attrs: node.attrs, inputs}),
  };
}

const numbersIn = (constant: Constant): Float32Array => Float32Array.from(numbersOf(tensorOfConstant(constant)));
