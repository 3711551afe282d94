/**
 * Channels that can only go together: all that element-wise operations, pools and depthwise layers tie to each other, from the
 * layers that make them to those that read them.
 */
import {constantOf, nodesFor, valueAt} from '../../ir/graph.js';
import {isOp} from '../../ir/op.js';
import {avgpool} from '../../ir/ops/avgpool/index.js';
import {isDepthwise} from '../../ir/ops/common/convolution.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {opOf} from '../../ir/ops/index.js';
import {linear} from '../../ir/ops/linear/index.js';
import {maxpool} from '../../ir/ops/maxpool/index.js';
import {reshape} from '../../ir/ops/reshape/index.js';
import type {Graph, Head, Module, Node, ValueId} from '../../ir/types.js';
import type {Layer, Layers} from '../reconstruct/layers.js';

/** A layer that reads the group: each channel is `span` inputs in turn, each of as many weights as its kernel has points. */
export type Reader = {readonly layer: Layer; readonly span: number};

export type Group = {
  readonly channels: number;
  /** Layers whose outputs are the channels. */
  readonly makers: readonly Node[];
  readonly readers: readonly Reader[];
};

/** Where the channels of each value come from: its group, and how many elements in turn a channel is. */
export type Groups = {
  /** Those that may lose channels, by number. */
  readonly free: ReadonlyMap<number, Group>;
  of(id: ValueId): {readonly group: number; readonly span: number} | null;
};

/** Of a module before `fuse`. Channels are on axis 1. */
export function groupsOf(module: Module, head: Head, {layers}: Layers): Groups {
  const {graph} = module;
  const byOutput = new Map(layers.map(layer => [layer.output, layer]));
  const parents: number[] = [];
  const fixed = new Set<number>();
  const spans = new Map<ValueId, number>();
  const numbers = new Map<ValueId, number>();
  const makers = new Map<number, Node[]>();
  const readers = new Map<number, Reader[]>();
  const rootOf = (group: number): number => {
    let at = group;
    while (parents[at] !== at) at = parents[at]!;
    return at;
  };
  const fresh = (id: ValueId, span = 1): number => {
    numbers.set(id, parents.length);
    spans.set(id, span);
    return parents.push(parents.length) - 1;
  };
  const groupAt = (id: ValueId): number => numbers.get(id) ?? fresh(id);
  const join = (to: ValueId, from: ValueId, span = spans.get(from) ?? 1): void => {
    const known = spans.get(to) ?? span;
    const [a, b] = [rootOf(groupAt(from)), rootOf(groupAt(to))];
    if (known !== span) fix(to);
    parents[b] = a;
    spans.set(to, span);
  };
  const fix = (id: ValueId): void => {
    fixed.add(groupAt(id));
  };
  const sizeOf = (id: ValueId): number => valueAt(graph, id).type.shape[1] ?? 1;
  const isConstant = (id: ValueId): boolean => constantOf(graph, id) !== null;

  for (const {id} of graph.inputs) fix(id);
  for (const node of nodesFor(graph, head.outputs)) {
    const [{id}] = node.outputs;
    const read = node.inputs.filter(input => input !== null);
    const [x] = read;
    const layer = byOutput.get(id);
    if (x !== undefined && isPlainLayer(node, graph)) {
      const made = fresh(id);
      makers.set(made, [node]);
      if (valueAt(graph, id).type.shape.length !== (isOp(node, linear) ? 2 : 4)) fix(id);
      const from = groupAt(x);
      if (layer) readers.set(from, [...(readers.get(from) ?? []), {layer, span: spans.get(x) ?? 1}]);
      else fix(x);
    } else if (x !== undefined && isTied(node, graph)) {
      for (const input of read) {
        if (isConstant(input)) continue;
        if (sizeOf(input) === sizeOf(id)) join(input, id, spans.get(input) ?? 1);
        else fix(input);
      }
      const [first] = read.filter(input => !isConstant(input) && sizeOf(input) === sizeOf(id));
      if (first === undefined) fix(id);
      else join(id, first);
    } else if (x !== undefined && isFlat(node, graph)) {
      join(id, x, ((spans.get(x) ?? 1) * sizeOf(id)) / sizeOf(x));
    } else {
      for (const input of read) if (!isConstant(input)) fix(input);
      for (const output of node.outputs) fix(output.id);
    }
  }
  for (const id of head.outputs) fix(id);
  const stuck = new Set([...fixed].map(rootOf));
  const free = new Map<number, Group>();
  for (const [id, number] of numbers) {
    const root = rootOf(number);
    if (stuck.has(root) || free.has(root)) continue;
    const own = <T>(lists: ReadonlyMap<number, readonly T[]>): readonly T[] =>
      [...lists].flatMap(([at, list]) => (rootOf(at) === root ? list : []));
    const [made, seen] = [own(makers), own(readers)];
    if (made.length > 0 && seen.length > 0)
      free.set(root, {channels: sizeOf(id) / (spans.get(id) ?? 1), makers: made, readers: seen});
  }
  return {
    free,
    of(id) {
      const number = numbers.get(id);
      if (number === undefined) return null;
      const group = rootOf(number);
      return free.has(group) ? {group, span: spans.get(id) ?? 1} : null;
    },
  };
}

/** A layer of one group of channels, whose weights are constant. */
export function isPlainLayer(node: Node, graph: Graph): boolean {
  const w = node.inputs[1];
  if (w == null || constantOf(graph, w)?.value.type.dtype !== 'f32') return false;
  return isOp(node, linear)
    ? node.attrs.epilogue === ''
    : isOp(node, conv2d) && node.attrs.groups === 1 && node.attrs.epilogue === '';
}

/** Each channel of the result is of the same channel of what is read. */
function isTied(node: Node, graph: Graph): boolean {
  if (isOp(node, maxpool) || isOp(node, avgpool)) return true;
  const inputs = node.inputs.map(id => (id === null ? null : valueAt(graph, id).type));
  if (isOp(node, conv2d)) {
    const w = node.inputs[1];
    return isDepthwise({attrs: node.attrs, inputs}) && w != null && constantOf(graph, w)?.value.type.dtype === 'f32';
  }
  if (!opOf(node).scalar) return false;
  // Constants lie along the channels of the result, or are the same for all.
  const {shape} = valueAt(graph, node.outputs[0].id).type;
  return (
    shape.length > 1 &&
    node.inputs.every(id => {
      if (id === null) return false;
      const own = valueAt(graph, id).type.shape;
      return constantOf(graph, id) ? true : own.length === shape.length;
    })
  );
}

/** Images to rows: channels stay in order. */
function isFlat(node: Node, graph: Graph): boolean {
  if (!isOp(node, reshape)) return false;
  const [x] = node.inputs;
  const [from, to] = [valueAt(graph, x!).type.shape, valueAt(graph, node.outputs[0].id).type.shape];
  return from[0] === to[0] && to.length >= 2 && (to[1] ?? 1) % (from[1] ?? 1) === 0 && to.slice(2).every(size => size === 1);
}
