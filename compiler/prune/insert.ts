/** A copy of a task's network with fewer channels, as another head. It works on a module before `fuse`. */
import {editor} from '../../ir/edit.js';
import {constantOf, nodesFor, valueAt} from '../../ir/graph.js';
import {type Builder, isOp} from '../../ir/op.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {opOf} from '../../ir/ops/index.js';
import {reshape} from '../../ir/ops/reshape/index.js';
import {elements, numbersOf, type Tensor, tensorFrom, tensorOfConstant} from '../../ir/tensor.js';
import type {Attrs, Graph, Head, Module, Node, Value, ValueId} from '../../ir/types.js';
import type {Fitted} from '../reconstruct/fit.js';
import {elementsLeft, type Groups, isBeside, isPlainLayer, type Kept} from './groups.js';
import {columnsOf} from './select.js';

/** Channels that stay, by the number of their group, and layers fitted to them, by the names of their results. */
export type Narrowing = {
  readonly groups: Groups;
  readonly kept: Kept;
  readonly layers: ReadonlyMap<string, Fitted<'narrow' | null>>;
};

export function withNarrower(module: Module, head: Head, narrowing: Narrowing, as: Pick<Head, 'name' | 'attrs'>): Module {
  const {graph} = module;
  const edit = editor(module, 'prune');
  const copies = new Map<ValueId, Value>();
  /** Elements of axis 1 that stay; null: all. */
  const keptOf = (id: ValueId): readonly number[] | null => elementsLeft(narrowing.groups, narrowing.kept, id);
  for (const node of nodesFor(graph, head.outputs)) {
    const [{id, name}] = node.outputs;
    const build = edit.before(node);
    const fitted = narrowing.layers.get(name);
    const out = keptOf(id);
    if (!fitted && !out && !node.inputs.some(input => input !== null && copies.has(input))) continue;
    const operands = node.inputs.map(input => (input === null ? null : (copies.get(input) ?? valueAt(graph, input))));
    const x = node.inputs[0]!;
    if (fitted || (out && isPlainLayer(node, graph))) {
      operands.splice(1, 2, ...weightsOf(build, graph, node, {fitted: fitted ?? null, inputs: keptOf(x), outputs: out}));
      copies.set(id, build.emit(opOf(node), operands, node.attrs)[0]);
      continue;
    }
    // Depthwise layers and element-wise constants have a row for each channel; what lies side by side does so.
    const narrow =
      out === null || isBeside(node)
        ? null
        : operands.map((operand, i) => narrowed(build, graph, node.inputs[i] ?? null, operand, node, out));
    const results = build.emit(opOf(node), narrow ?? operands, attrsNow(node, narrow !== null, narrow ?? operands));
    node.outputs.forEach((output, i) => {
      copies.set(output.id, results[i]!);
    });
  }
  edit.addHead({...head, ...as, outputs: head.outputs.map(id => (copies.get(id) ?? valueAt(graph, id)).id)});
  return edit.finish();
}

type Sides = {
  readonly fitted: Fitted<'narrow' | null> | null;
  readonly inputs: readonly number[] | null;
  readonly outputs: readonly number[] | null;
};

/** Weights and bias of a layer with the inputs and outputs that are left. */
function weightsOf(build: Builder, graph: Graph, node: Node, {fitted, inputs, outputs}: Sides): readonly (Value | null)[] {
  const [{name}] = node.outputs;
  const own = (at: number): Tensor | null => {
    const id = node.inputs[at];
    return id == null ? null : tensorOfConstant(constantOf(graph, id)!);
  };
  const weights = own(1)!;
  const [rows, channels, ...kernel] = weights.shape as [number, number, ...number[]];
  const points = elements(kernel);
  const given = fitted ? fitted.map.data : numbersOf(weights);
  const [o, c] = [outputs ?? everyOf(rows), inputs ?? everyOf(channels)];
  const columns = columnsOf(c, points);
  const values = o.flatMap(row => columns.map(column => given[row * channels * points + column]!));
  const was = own(2);
  const bias = fitted ? Array.from(fitted.bias) : was && numbersOf(was);
  return [
    build.literal(tensorFrom('f32', [o.length, c.length, ...kernel], values), `${name}.weights`),
    bias
      ? build.literal(
          tensorFrom(
            'f32',
            [o.length],
            o.map(row => bias[row]!),
          ),
          `${name}.bias`,
        )
      : null,
  ];
}

const everyOf = (count: number): readonly number[] => Array.from({length: count}, (_, i) => i);

/** A constant's part that belongs to the channels that are left. */
function narrowed(
  build: Builder,
  graph: Graph,
  id: ValueId | null,
  operand: Value | null,
  node: Node,
  kept: readonly number[],
): Value | null {
  const constant = id === null ? null : constantOf(graph, id);
  if (!constant || !operand) return operand;
  const tensor = tensorOfConstant(constant);
  // Of a depthwise layer axis 0; of element-wise operands the axis that meets axis 1 of the result.
  const axis = isOp(node, conv2d) ? 0 : tensor.shape.length - (valueAt(graph, node.outputs[0].id).type.shape.length - 1);
  if (axis < 0 || (tensor.shape[axis] ?? 1) === 1) return operand;
  const inner = elements(tensor.shape.slice(axis + 1));
  const outer = elements(tensor.shape.slice(0, axis));
  const all = numbersOf(tensor);
  const size = tensor.shape[axis]!;
  const values = everyOf(outer).flatMap(a =>
    kept.flatMap(channel => all.slice((a * size + channel) * inner, (a * size + channel + 1) * inner)),
  );
  return build.literal(tensorFrom(tensor.dtype, tensor.shape.with(axis, kept.length), values), constant.value.name);
}

/** Attributes that tell of channels. */
function attrsNow(node: Node, isNarrow: boolean, [x]: readonly (Value | null)[]): Attrs {
  const channels = x?.type.shape[1] ?? 1;
  if (!isNarrow) return node.attrs;
  if (isOp(node, conv2d)) return {...node.attrs, groups: channels};
  if (!isOp(node, reshape)) return node.attrs;
  const {shape} = node.attrs;
  const all = elements(x!.type.shape);
  const rest = shape.reduce((product, size, axis) => (axis === 1 ? product : product * size), 1);
  return {...node.attrs, shape: shape.with(1, all / rest)};
}
