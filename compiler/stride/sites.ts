/**
 * Where an image can be halved earlier: a convolution whose stride may double, the layers behind it that then see a quarter of the
 * places, and those that have halved it so far and now need not.
 */
import {constantOf, nodesFor, producerOf, valueAt} from '../../ir/graph.js';
import {isOp} from '../../ir/op.js';
import {avgpool} from '../../ir/ops/avgpool/index.js';
import {concat} from '../../ir/ops/concat/index.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {opOf} from '../../ir/ops/index.js';
import {maxpool} from '../../ir/ops/maxpool/index.js';
import {elements} from '../../ir/tensor.js';
import type {Graph, Head, Module, Node, ValueId} from '../../ir/types.js';
import {type Layers, macsOf} from '../reconstruct/layers.js';
import type {Change} from '../restructure/change.js';

/** What becomes of a node: its stride doubles, it sees half as many rows and columns, or it halved them and does no more. */
export type Role = 'halves' | 'inside' | 'keeps';

/** Of the layer whose stride doubles. */
export type Site = Change & {
  readonly roles: ReadonlyMap<Node, Role>;
  /** Layers whose largest of four neighbours alone is wanted, by the names of their results. */
  readonly peaks: ReadonlySet<string>;
};

/** Of each convolution that could have a larger stride: the site, or why there is none. */
export function sitesOf(module: Module, head: Head, layers: Layers): ReadonlyMap<string, Site | string> {
  const nodes = nodesFor(module.graph, head.outputs);
  const found = new Map<string, Site | string>();
  for (const node of nodes)
    if (isOp(node, conv2d)) found.set(node.outputs[0].name, siteAt(module.graph, head, nodes, node, layers));
  return found;
}

function siteAt(graph: Graph, head: Head, nodes: readonly Node[], first: Node, {layers}: Layers): Site | string {
  if (!canHalve(first, graph)) return 'its stride, groups or size do not let it';
  const fitted = new Map(layers.map(layer => [layer.output, layer]));
  const halving = [first];
  for (;;) {
    const roles = rolesFrom(graph, head, nodes, halving, new Set(fitted.keys()));
    if (typeof roles === 'string') return roles;
    if (!(roles instanceof Map)) {
      halving.push(...roles);
      continue;
    }
    let saved = halving.reduce((sum, node) => sum + macsSaved(node, graph), 0);
    for (const [{outputs}, role] of roles) {
      const layer = fitted.get(outputs[0].id);
      if (role === 'inside' && layer) saved += (3 * macsOf(layer)) / 4;
    }
    if (saved <= 0) return 'nothing would have less to do';
    const touched = new Set(Array.from(roles.keys(), node => node.outputs[0].name));
    return {layer: first.outputs[0].name, touched, roles, peaks: peaksOf(graph, roles), saved};
  }
}

/** What becomes of nodes where the strides of some double; who else would have to double its stride; or why it cannot be. */
function rolesFrom(
  graph: Graph,
  head: Head,
  nodes: readonly Node[],
  halving: readonly Node[],
  fitted: ReadonlySet<ValueId>,
): Map<Node, Role> | readonly Node[] | string {
  const half = new Set(halving.map(({outputs: [{id}]}) => id));
  const roles = new Map<Node, Role>(halving.map(node => [node, 'halves']));
  for (const node of nodes) {
    if (!node.inputs.some(input => input !== null && half.has(input))) continue;
    const [{id, name}] = node.outputs;
    const role = halving.includes(node) ? null : roleOf(node, graph, half);
    if (role === null) {
      const others = opOf(node).scalar ? makersOf(graph, node, half) : [];
      if (others.length > 0) return others;
      return `${name} ${isOp(node, conv2d) && node.attrs.groups > 1 ? 'has its channels in groups' : 'needs the larger image'}`;
    }
    // One by one they mean the same of a mean.
    if (isOp(node, conv2d) && !fitted.has(id) && elements(valueAt(graph, node.inputs[1]!).type.shape.slice(2)) > 1)
      return `${name} cannot be fitted anew`;
    roles.set(node, role);
    if (role === 'inside') half.add(id);
  }
  return head.outputs.some(output => half.has(output)) ? 'the result would be smaller' : roles;
}

/** Convolutions whose results meet an image that is half as large, as those of shortcuts do; none where someone else's do. */
function makersOf(graph: Graph, node: Node, half: ReadonlySet<ValueId>): readonly Node[] {
  const others = node.inputs.filter(id => id !== null && !half.has(id) && !constantOf(graph, id));
  const makers = others.flatMap(id => (id === null ? [] : (producerOf(graph, id) ?? [])));
  return makers.length === others.length && makers.every(maker => canHalve(maker, graph)) ? makers : [];
}

/** The kernel of the layer whose stride doubles: it sees what four of its windows saw. */
export const widerKernel = (kernel: readonly number[], strides: readonly number[]): readonly number[] =>
  kernel.map((size, axis) => size + strides[axis]!);

/** Of that layer alone: a quarter of the places, a larger kernel. */
function macsSaved(node: Node, graph: Graph): number {
  if (!isOp(node, conv2d)) return 0;
  const {shape} = valueAt(graph, node.inputs[1]!).type;
  const kernel = shape.slice(2);
  const places = elements(sidesOf(graph, node.outputs[0].id));
  return shape[0]! * shape[1]! * places * (elements(kernel) - elements(widerKernel(kernel, node.attrs.strides)) / 4);
}

/** Layers from which all that is between them and a pool of largest values is element by element. */
function peaksOf(graph: Graph, roles: ReadonlyMap<Node, Role>): ReadonlySet<string> {
  const pending = [...roles].flatMap(([node, role]) => (role === 'keeps' && isOp(node, maxpool) ? node.inputs : []));
  const found = new Set<string>();
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    const producer = id === null ? null : producerOf(graph, id);
    if (!producer || !roles.has(producer)) continue;
    if (isOp(producer, conv2d)) found.add(producer.outputs[0].name);
    else pending.push(...producer.inputs);
  }
  return found;
}

const sidesOf = (graph: Graph, id: ValueId): readonly [number, number] => {
  const {shape} = valueAt(graph, id).type;
  return [shape[2] ?? 1, shape[3] ?? 1];
};

const isEven = ([rows, columns]: readonly [number, number]): boolean =>
  rows % 2 === 0 && columns % 2 === 0 && rows > 2 && columns > 2;

function canHalve(node: Node, graph: Graph): boolean {
  if (!isOp(node, conv2d)) return false;
  const {groups, dilations, epilogue, strides} = node.attrs;
  const [, w] = node.inputs;
  const plain =
    groups === 1 && epilogue === '' && dilations.every(step => step === 1) && w != null && constantOf(graph, w) !== null;
  return plain && strides[0] === strides[1] && isEven(sidesOf(graph, node.outputs[0].id));
}

/** Of a node that reads an image that is half as large; null: it cannot. */
function roleOf(node: Node, graph: Graph, half: ReadonlySet<ValueId>): Role | null {
  const [x] = node.inputs;
  const others = node.inputs.filter(id => id !== null && !half.has(id));
  if (isOp(node, conv2d)) {
    const {groups, dilations, strides, kernel} = {...node.attrs, kernel: valueAt(graph, node.inputs[1]!).type.shape.slice(2)};
    if (groups > 1 || dilations.some(step => step > 1) || kernel.some(size => size % 2 === 0) || others.includes(x ?? null))
      return null;
    if (strides.every(step => step === 2)) return 'keeps';
    const [from, to] = [sidesOf(graph, x!), sidesOf(graph, node.outputs[0].id)];
    return strides.every(step => step === 1) && String(from) === String(to) ? 'inside' : null;
  }
  if (isOp(node, maxpool) || isOp(node, avgpool)) {
    const {kernel, strides, pads} = node.attrs;
    const sides = sidesOf(graph, x!);
    if (pads.some(pad => pad > 0)) return null;
    if (kernel.every((size, axis) => size === sides[axis])) return isOp(node, avgpool) ? 'keeps' : null;
    return kernel.every(size => size === 2) && strides.every(step => step === 2) ? 'keeps' : null;
  }
  const isSmall = (id: ValueId | null): boolean => {
    const constant = id === null ? null : constantOf(graph, id);
    return constant !== null && elements(constant.value.type.shape.slice(-2)) === 1;
  };
  if (opOf(node).scalar) return others.every(isSmall) ? 'inside' : null;
  return isOp(node, concat) && node.attrs.axis === 1 && others.length === 0 ? 'inside' : null;
}
