/** A copy of a task's network, some of whose layers are made anew, as another head. */
import {editor} from '../../ir/edit.js';
import {nodesFor, valueAt} from '../../ir/graph.js';
import type {Builder} from '../../ir/op.js';
import {opOf} from '../../ir/ops/index.js';
import {tensorFrom} from '../../ir/tensor.js';
import type {Graph, Head, Module, Node, Value, ValueId} from '../../ir/types.js';
import type {Parameters} from '../reconstruct/network.js';

/** Makes a layer from what it reads. */
export type MakeLayer = (build: Builder, node: Node, x: Value) => Value;

/** `made`: by the name of the layer's result. The new head differs from `head` in `as` and in its outputs. */
export function withLayers(
  module: Module,
  head: Head,
  pass: string,
  made: ReadonlyMap<string, MakeLayer>,
  as: Pick<Head, 'name' | 'attrs'>,
): Module {
  const {graph} = module;
  const edit = editor(module, pass);
  const copies = new Map<ValueId, Value>();
  const copyOf = (id: ValueId): Value => copies.get(id) ?? valueAt(graph, id);
  for (const node of nodesFor(graph, head.outputs)) {
    const build = edit.before(node);
    const [{id, name}] = node.outputs;
    const make = made.get(name);
    if (make) {
      copies.set(id, make(build, node, copyOf(node.inputs[0]!)));
      continue;
    }
    // What nothing new has touched is shared with the head that is there.
    if (!node.inputs.some(input => input !== null && copies.has(input))) continue;
    const results = build.emit(
      opOf(node),
      node.inputs.map(input => (input === null ? null : copyOf(input))),
      node.attrs,
    );
    node.outputs.forEach((output, i) => {
      copies.set(output.id, results[i]!);
    });
  }
  edit.addHead({...head, ...as, outputs: head.outputs.map(id => copyOf(id).id)});
  return edit.finish();
}

/** A layer as it is, with other weights and another bias. */
export function emitFitted(build: Builder, graph: Graph, node: Node, x: Value, {weights, bias}: Parameters): Value {
  const [{name}] = node.outputs;
  const {shape} = valueAt(graph, node.inputs[1]!).type;
  const own = [
    build.literal(tensorFrom('f32', shape, Array.from(weights)), `${name}.weights`),
    build.literal(tensorFrom('f32', [bias.length], Array.from(bias)), `${name}.bias`),
  ];
  return build.emit(opOf(node), [x, ...own], node.attrs)[0];
}
