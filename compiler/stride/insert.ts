/** A copy of a task's network that halves its image earlier, as another head. It works on a module before `fuse`. */
import {constantOf, valueAt} from '../../ir/graph.js';
import {type Builder, isOp} from '../../ir/op.js';
import {avgpool} from '../../ir/ops/avgpool/index.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {opOf} from '../../ir/ops/index.js';
import {maxpool} from '../../ir/ops/maxpool/index.js';
import {elements, numbersOf, tensorFrom, tensorOfConstant} from '../../ir/tensor.js';
import type {Attrs, Graph, Head, Module, Node, Value} from '../../ir/types.js';
import {emitFitted, type MakeLayer, withLayers} from '../recipes/copy.js';
import type {Parameters} from '../reconstruct/network.js';
import type {Changes} from '../restructure/change.js';
import {type Role, type Site, widerKernel} from './sites.js';

export function withStride(
  module: Module,
  head: Head,
  {changes: sites, layers}: Changes<Site>,
  as: Pick<Head, 'name' | 'attrs'>,
): Module {
  const {graph} = module;
  const roles = new Map(sites.flatMap(site => Array.from(site.roles, ([{outputs}, role]) => [outputs[0].name, role] as const)));
  const make: MakeLayer = (build, node, x) => {
    const [{name}] = node.outputs;
    const role = roles.get(name) ?? null;
    // Pools that halve: what they made of four places is what the one that is left stands for.
    if (role === 'keeps' && isHalvingPool(node)) return x;
    const fitted = layers.get(name);
    if (fitted && (role === null || role === 'inside')) return emitFitted(build, graph, node, x, fitted);
    const own = node.inputs.slice(1).map(input => (input === null ? null : valueAt(graph, input)));
    const operands = weightsOf(build, graph, node, role, fitted ?? null) ?? own;
    return build.emit(opOf(node), [x, ...operands], attrsNow(graph, node, role, x))[0];
  };
  const changed = [...layers.keys(), ...[...roles].flatMap(([name, role]) => (role === 'inside' ? [] : [name]))];
  return withLayers(module, head, 'stride', new Map(changed.map(name => [name, make])), as);
}

const isHalvingPool = (node: Node): boolean =>
  (isOp(node, maxpool) || isOp(node, avgpool)) && node.attrs.strides.every(step => step === 2);

/** Weights and bias; null: as they were. */
function weightsOf(
  build: Builder,
  graph: Graph,
  node: Node,
  role: Role | null,
  fitted: Parameters | null,
): readonly (Value | null)[] | null {
  if (!fitted && role !== 'halves') return null;
  const [{name}] = node.outputs;
  const {shape} = valueAt(graph, node.inputs[1]!).type;
  const wider =
    role === 'halves' && isOp(node, conv2d) ? [...shape.slice(0, 2), ...widerKernel(shape.slice(2), node.attrs.strides)] : shape;
  const values = fitted ? Array.from(fitted.weights) : meanOfFour(graph, node, wider);
  const bias = fitted ? build.literal(tensorFrom('f32', [fitted.bias.length], Array.from(fitted.bias)), `${name}.bias`) : null;
  const own = node.inputs[2] ?? null;
  return [
    build.literal(tensorFrom('f32', wider, values), `${name}.weights`),
    bias ?? (own === null ? null : valueAt(graph, own)),
  ];
}

/** One window that gives the mean of what four neighbouring ones gave. */
function meanOfFour(graph: Graph, node: Node, wider: readonly number[]): readonly number[] {
  const tensor = tensorOfConstant(constantOf(graph, node.inputs[1]!)!);
  const [rows, columns] = tensor.shape.slice(2) as [number, number];
  const [right, size] = [wider[3]!, wider[2]! * wider[3]!];
  const [down, across] = [wider[2]! - rows, right - columns];
  const given = numbersOf(tensor);
  const values = new Array<number>(elements(wider)).fill(0);
  given.forEach((value, at) => {
    const [kernel, row, column] = [Math.floor(at / (rows * columns)), Math.floor(at / columns) % rows, at % columns];
    for (const r of [row, row + down])
      for (const c of [column, column + across]) values[kernel * size + r * right + c]! += value / 4;
  });
  return values;
}

function attrsNow(graph: Graph, node: Node, role: Role | null, x: Value): Attrs {
  if (isOp(node, conv2d) && role === 'halves') return {...node.attrs, ...doubled(graph, node, node.attrs)};
  if (isOp(node, conv2d) && role === 'keeps') {
    const kernel = valueAt(graph, node.inputs[1]!).type.shape.slice(2);
    const [top, left] = kernel.map(size => (size - 1) >> 1) as [number, number];
    return {...node.attrs, strides: [1, 1], pads: [top, left, top, left]};
  }
  // A window over the whole image is one over the whole smaller image.
  if (isOp(node, avgpool) && role === 'keeps') return {...node.attrs, kernel: x.type.shape.slice(2)};
  return node.attrs;
}

/** Twice the stride, and as much padding behind as the last of four windows had. */
function doubled(
  graph: Graph,
  node: Node,
  {strides, pads}: {readonly strides: readonly number[]; readonly pads: readonly number[]},
): {readonly strides: readonly number[]; readonly pads: readonly number[]} {
  const {shape} = valueAt(graph, node.inputs[0]!).type;
  const {shape: out} = valueAt(graph, node.outputs[0].id).type;
  const kernel = valueAt(graph, node.inputs[1]!).type.shape.slice(2);
  const behind = [0, 1].map(axis =>
    Math.max(0, (out[2 + axis]! - 1) * strides[axis]! + kernel[axis]! - shape[2 + axis]! - pads[axis]!),
  );
  return {strides: strides.map(step => 2 * step), pads: [...pads.slice(0, 2), ...behind]};
}
