/**
 * Channels that can only go together: all that element-wise operations, pools and depthwise layers tie to each other, from the
 * layers that make them to those that read them, also where concatenations put them side by side.
 */
import {constantOf, nodesFor, valueAt} from '../../ir/graph.js';
import {isOp} from '../../ir/op.js';
import {avgpool} from '../../ir/ops/avgpool/index.js';
import {isDepthwise} from '../../ir/ops/common/convolution.js';
import {concat} from '../../ir/ops/concat/index.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {opOf} from '../../ir/ops/index.js';
import {linear} from '../../ir/ops/linear/index.js';
import {maxpool} from '../../ir/ops/maxpool/index.js';
import {reshape} from '../../ir/ops/reshape/index.js';
import type {Graph, Head, Module, Node, ValueId} from '../../ir/types.js';
import type {Layer, Layers} from '../reconstruct/layers.js';
import {type Channels, channelsOf} from './channels.js';

/** A layer that reads the group: which elements of axis 1 each channel is, as many for each. */
export type Reader = {readonly layer: Layer; readonly places: readonly (readonly number[])[]};

export type Group = {
  readonly channels: number;
  /** Layers whose outputs are the channels, and how many outputs each is. */
  readonly makers: readonly {readonly node: Node; readonly each: number}[];
  readonly readers: readonly Reader[];
};

/** A channel of a group, by their numbers. */
export type Place = {readonly group: number; readonly channel: number};

export type Groups = {
  /** Those that may lose channels, by number. */
  readonly free: readonly Group[];
  /** What each element of axis 1 is; null: it stays. */
  places(id: ValueId): readonly (Place | null)[];
};

/** Channels that stay, by the number of their group; all where a group is not named. */
export type Kept = ReadonlyMap<number, readonly number[]>;

/** Elements of axis 1 that are left of a value; null: all. */
export function elementsLeft(groups: Groups, kept: Kept, id: ValueId): readonly number[] | null {
  const left = new Map(Array.from(kept, ([group, channels]) => [group, new Set(channels)] as const));
  const places = groups.places(id);
  const elements = places.flatMap((place, i) => (place && left.get(place.group)?.has(place.channel) === false ? [] : [i]));
  return elements.length === places.length ? null : elements;
}

/** Of a module before `fuse`. Channels are on axis 1. */
export function groupsOf(module: Module, head: Head, {layers}: Layers): Groups {
  const {graph} = module;
  const channels = channelsOf(graph);
  const {readers, makers} = tie(module, head, layers, channels);
  const {rootOf, of, size, fixed} = channels;
  const stuck = new Set(fixed().map(rootOf));
  /** By root: numbers of makers and readers, and of the elements that are the channel for them. */
  const made = new Map<number, number[]>();
  const read = new Map<number, [reader: number, element: number][]>();
  makers.forEach((node, maker) => {
    const [{id}] = node.outputs;
    for (let i = 0; i < size(id); i++) push(made, rootOf(of(id) + i), maker);
  });
  readers.forEach(({input}, reader) => {
    for (let i = 0; i < size(input); i++) push(read, rootOf(of(input) + i), [reader, i]);
  });
  // Channels with the same makers and the same readers are a group.
  const alike = new Map<string, number[]>();
  for (const [root, own] of made) {
    const seen = read.get(root);
    if (seen && !stuck.has(root)) push(alike, `${own.join()} ${seen.map(([reader]) => reader).join()}`, root);
  }
  const roots = [...alike.values()];
  const placeOf = new Map(roots.flatMap((own, group) => own.map((root, channel) => [root, {group, channel}] as const)));
  return {
    free: roots.map(own => ({
      channels: own.length,
      makers: countsIn(made.get(own[0]!)!).map(([maker, each]) => ({node: makers[maker]!, each})),
      readers: countsIn(read.get(own[0]!)!.map(([reader]) => reader)).map(([reader]) => ({
        layer: readers[reader]!,
        places: own.map(root => read.get(root)!.flatMap(([by, element]) => (by === reader ? [element] : []))),
      })),
    })),
    places: id => Array.from({length: size(id)}, (_, i) => placeOf.get(rootOf(of(id) + i)) ?? null),
  };
}

function push<K, V>(into: Map<K, V[]>, key: K, value: V): void {
  const list = into.get(key);
  if (list) list.push(value);
  else into.set(key, [value]);
}

/** Different numbers, and how often each is there. */
function countsIn(numbers: readonly number[]): readonly (readonly [number, number])[] {
  const counts = new Map<number, number>();
  for (const number of numbers) counts.set(number, (counts.get(number) ?? 0) + 1);
  return [...counts];
}

/** Joins channels over all nodes of a head, and fixes those that cannot be followed. */
function tie(
  {graph}: Module,
  head: Head,
  layers: readonly Layer[],
  {of, size, join, fix}: Channels,
): {readonly makers: readonly Node[]; readonly readers: readonly Layer[]} {
  const byOutput = new Map(layers.map(layer => [layer.output, layer]));
  const makers: Node[] = [];
  const readers: Layer[] = [];
  const isConstant = (id: ValueId): boolean => constantOf(graph, id) !== null;
  /** Element by element, `span` of `to` for each of `from`, from element `at` of `to` on. */
  const joinAll = (from: ValueId, to: ValueId, span = 1, at = 0): void => {
    for (let i = 0; i < size(from); i++) for (let k = 0; k < span; k++) join(of(from) + i, of(to) + at + i * span + k);
  };
  for (const {id} of graph.inputs) fix(id);
  for (const node of nodesFor(graph, head.outputs)) {
    const [{id}] = node.outputs;
    const read = node.inputs.filter(input => input !== null);
    const [x] = read;
    const layer = byOutput.get(id);
    if (x !== undefined && isPlainLayer(node, graph)) {
      makers.push(node);
      if (valueAt(graph, id).type.shape.length !== (isOp(node, linear) ? 2 : 4)) fix(id);
      if (layer) readers.push(layer);
      else fix(x);
    } else if (isBeside(node)) {
      let at = 0;
      for (const input of read) {
        if (isConstant(input)) fix(input);
        joinAll(input, id, 1, at);
        at += size(input);
      }
    } else if (x !== undefined && isTied(node, graph)) {
      const tied = read.filter(input => !isConstant(input) && size(input) === size(id));
      for (const input of read) {
        if (tied.includes(input)) joinAll(input, id);
        else if (!isConstant(input)) fix(input);
      }
      if (tied.length === 0) fix(id);
    } else if (x !== undefined && isFlat(node, graph)) {
      joinAll(x, id, size(id) / size(x));
    } else {
      for (const input of read) if (!isConstant(input)) fix(input);
      for (const output of node.outputs) fix(output.id);
    }
  }
  for (const id of head.outputs) fix(id);
  return {makers, readers};
}

/** A layer of one group of channels, whose weights are constant. */
export function isPlainLayer(node: Node, graph: Graph): boolean {
  const w = node.inputs[1];
  if (w == null || constantOf(graph, w)?.value.type.dtype !== 'f32') return false;
  return isOp(node, linear)
    ? node.attrs.epilogue === ''
    : isOp(node, conv2d) && node.attrs.groups === 1 && node.attrs.epilogue === '';
}

/** Channels of the operands lie one behind the other. */
export const isBeside = (node: Node): boolean => isOp(node, concat) && node.attrs.axis === 1;

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
