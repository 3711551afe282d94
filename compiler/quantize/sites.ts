/**
 * Which values of a network become bytes: those that a quantized layer reads, and what leads to them by moving alone. Each is
 * quantized once, where it is made: behind the activation that alone reads the sum. What only moves values keeps their scale,
 * and operands of a concatenation have the scale of its result.
 */
import {constantOf, nodesFor, usersOf, valueAt} from '../../ir/graph.js';
import {isOp} from '../../ir/op.js';
import {avgpool} from '../../ir/ops/avgpool/index.js';
import {concat} from '../../ir/ops/concat/index.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {conv2dU8} from '../../ir/ops/conv2d_u8/index.js';
import {add} from '../../ir/ops/elementwise/index.js';
import {opOf} from '../../ir/ops/index.js';
import {linear} from '../../ir/ops/linear/index.js';
import {linearU8} from '../../ir/ops/linear_u8/index.js';
import {maxpool} from '../../ir/ops/maxpool/index.js';
import {pad} from '../../ir/ops/pad/index.js';
import {reshape} from '../../ir/ops/reshape/index.js';
import {slice} from '../../ir/ops/slice/index.js';
import {transpose} from '../../ir/ops/transpose/index.js';
import type {Graph, Head, Module, Node, ValueId} from '../../ir/types.js';

/** A convolution or fully connected layer. */
export type Layer = {
  /** Of its result. */
  readonly name: string;
  readonly node: Node;
  /** What the layer gives to others: its result, behind the activation that alone reads it. */
  readonly result: ValueId;
  /** Why it stays in float; null: it becomes integer. */
  readonly float: string | null;
};

export type Sites = {
  /** What the head needs, in graph order. */
  readonly nodes: readonly Node[];
  readonly layers: readonly Layer[];
  /** Every value that is stored as bytes, with the number of the scale that it has. */
  readonly scales: ReadonlyMap<ValueId, number>;
  /** Those of them that are computed; the others are moved. */
  readonly made: readonly ValueId[];
};

/** Ops that move bytes as they are. */
export const movesBytes = (node: Node): boolean => [reshape.name, transpose.name, slice.name, concat.name].includes(node.op);

/** Ops whose result has the scale of their operands: movers, pools of windows, and zeros around an image. */
export const keepsScale = (node: Node): boolean =>
  movesBytes(node) ||
  isOp(node, maxpool) ||
  (isOp(node, avgpool) && !isMean(node)) ||
  (isOp(node, pad) && node.attrs.value === 0);

/** A mean over whole images: its range is far below that of what it is over, which is read as it was summed. */
const isMean = (node: Node): boolean => node.outputs[0].type.shape.slice(2).every(size => size === 1);

/** `float` names layers that stay as they are, and why. */
export function sitesOf(module: Module, head: Head, float: ReadonlyMap<string, string> = new Map()): Sites {
  const {graph} = module;
  const nodes = nodesFor(graph, head.outputs);
  const reader = readersIn(graph, head, nodes);
  const layers = nodes
    .filter(node => isOp(node, conv2d) || isOp(node, linear))
    .map((node): Layer => {
      const [{name}] = node.outputs;
      return {name, node, result: resultOf(graph, reader, node), float: float.get(name) ?? whyNot(graph, node)};
    });
  const integer = new Set(layers.filter(layer => layer.float === null).map(({node}) => node));
  const wanted = new Set<ValueId>();
  // Readers come later: when a node's turn comes, all that its result is wanted for is known.
  for (const node of nodes.toReversed()) {
    const [output] = node.outputs;
    if (integer.has(node)) wanted.add(node.inputs[0]!);
    else if (
      isSum(graph, node)
        ? wanted.has(resultOf(graph, reader, node))
        : keepsScale(node) && isReal(graph, node) && wanted.has(output.id)
    )
      for (const id of node.inputs) if (id !== null) wanted.add(id);
  }
  const scales = new Map<ValueId, number>();
  const made: ValueId[] = [];
  const join = (from: number, to: number): void => {
    for (const [id, scale] of scales) if (scale === from) scales.set(id, to);
  };
  const enter = (id: ValueId, moved: Node | null): void => {
    if (!wanted.has(id)) return;
    const [first, ...rest] = moved ? moved.inputs.flatMap(input => (input === null ? [] : [scales.get(input)!])) : [];
    scales.set(id, first ?? scales.size);
    for (const other of rest) if (other !== first) join(other, first!);
    if (!moved) made.push(id);
  };
  for (const {id} of graph.inputs) enter(id, null);
  for (const node of nodes) for (const {id} of node.outputs) enter(id, keepsScale(node) && isReal(graph, node) ? node : null);
  return {nodes, layers, scales, made};
}

/** All operands are computed, and are f32. */
const isReal = (graph: Graph, node: Node): boolean =>
  node.inputs.every(id => id !== null && !constantOf(graph, id) && valueAt(graph, id).type.dtype === 'f32');

/** A residual addition: two computed tensors of one shape. */
function isSum(graph: Graph, node: Node): boolean {
  const shapes = node.inputs.map(id => (id === null ? '' : String(valueAt(graph, id).type.shape)));
  return isOp(node, add) && isReal(graph, node) && shapes[0] === shapes[1];
}

/** Among the nodes of a head, the only reader of a value that it does not return; null where there are several or none. */
export function readersIn(graph: Graph, {outputs}: Head, nodes: readonly Node[]): (id: ValueId) => Node | null {
  const own = new Set(nodes);
  return id => {
    const [reader, another] = usersOf(graph, id).filter(node => own.has(node));
    return reader && !another && !outputs.includes(id) ? reader : null;
  };
}

/** The result of a node, behind an activation that alone reads it. */
function resultOf(graph: Graph, readerOf: (id: ValueId) => Node | null, node: Node): ValueId {
  const [{id}] = node.outputs;
  const reader = readerOf(id);
  return reader && isActivation(graph, reader) ? reader.outputs[0].id : id;
}

/** An element-wise function of one tensor. */
const isActivation = (graph: Graph, node: Node): boolean =>
  opOf(node).scalar !== undefined && node.inputs.length === 1 && isReal(graph, node) && node.outputs[0].type.dtype === 'f32';

function whyNot(graph: Graph, node: Node): string | null {
  const [x, w, b] = node.inputs;
  const weights = w == null ? null : constantOf(graph, w);
  if (!weights || (b != null && !constantOf(graph, b))) return 'its weights are computed';
  if (weights.value.type.dtype !== 'f32' || valueAt(graph, x!).type.dtype !== 'f32') return 'it is not f32';
  if (constantOf(graph, x!)) return 'it reads a constant';
  return null;
}

/** Whether a network has been quantized by somebody else. */
export const isQuantized = ({nodes}: Sites): boolean => nodes.some(({op}) => quantizedOps.has(op));

const quantizedOps: ReadonlySet<string> = new Set(['quantize', 'dequantize', 'integer_matmul', conv2dU8.name, linearU8.name]);
