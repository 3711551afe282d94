/**
 * A copy of a task's network that looks at a smaller image (MCDNN, section 2: smaller inputs are one of its ways to cheaper variants),
 * as another head. Its input stays as it is and is made smaller inside, by weighted means.
 */
import {DnncError, fail} from '../../ir/diagnostics.js';
import {editor} from '../../ir/edit.js';
import {constantOf, nodesFor, valueAt} from '../../ir/graph.js';
import {type Builder, isOp} from '../../ir/op.js';
import {avgpool} from '../../ir/ops/avgpool/index.js';
import {opOf} from '../../ir/ops/index.js';
import {maxpool} from '../../ir/ops/maxpool/index.js';
import {linearKernel, taps} from '../../ir/ops/resample/coordinates.js';
import {resample} from '../../ir/ops/resample/index.js';
import {reshape} from '../../ir/ops/reshape/index.js';
import {type SliceAttrs, slice} from '../../ir/ops/slice/index.js';
import {tensorFrom} from '../../ir/tensor.js';
import type {Attrs, Graph, Head, Module, Node, Value, ValueId} from '../../ir/types.js';
import type {Parameters} from '../reconstruct/network.js';
import {modelLayoutOf} from '../samples.js';

/** Sides are multiples of this: networks halve them again and again. */
const step = 4;

/** The side that an image has at a scale. */
export const sideAt = (side: number, scale: number): number => Math.max(step, step * Math.round((side * scale) / step));

/**
 * `layers`: weights and biases fitted to the smaller image, by the names of the layers' results. Errors: usage input.images,
 * input.layer, where the network cannot look at another size.
 */
export function withInputSize(
  module: Module,
  head: Head,
  {scale, layers = new Map()}: {readonly scale: number; readonly layers?: ReadonlyMap<string, Parameters>},
  as: Pick<Head, 'name' | 'attrs'>,
): Module {
  const {graph} = module;
  const edit = editor(module, 'input-size');
  const copies = new Map<ValueId, Value>();
  const copyOf = (id: ValueId | null): Value | null => (id === null ? null : (copies.get(id) ?? valueAt(graph, id)));
  const nodes = nodesFor(graph, head.outputs);
  const images = graph.inputs.filter(({id, type}) => type.shape.length === 4 && nodes.some(({inputs}) => inputs.includes(id)));
  if (images.length === 0) fail('usage', 'input.images', head.name, 'looks at no image', 'build it without this recipe');
  for (const image of images) {
    const reader = nodes.find(({inputs}) => inputs.includes(image.id))!;
    copies.set(image.id, smaller(edit.before(reader), image, scale));
  }
  for (const node of nodes) {
    const fitted = layers.get(node.outputs[0].name);
    if (!fitted && !node.inputs.some(id => id !== null && copies.has(id))) continue;
    const build = edit.before(node);
    const operands = fitted
      ? withParameters(build, graph, node, fitted).map((own, i) => own ?? copyOf(node.inputs[i] ?? null))
      : node.inputs.map(copyOf);
    const results = emitted(build, graph, node, operands);
    node.outputs.forEach((output, i) => {
      copies.set(output.id, results[i]!);
    });
  }
  edit.addHead({...head, ...as, outputs: head.outputs.map(id => copyOf(id)!.id)});
  return edit.finish();
}

/** Along rows, then along columns; neighbours count as they overlap. */
function smaller(build: Builder, image: Value, scale: number): Value {
  const axes = modelLayoutOf(image.type.shape) === 'NHWC' ? [1, 2] : [2, 3];
  return axes.reduce((x, axis) => {
    const [from, to] = [x.type.shape[axis]!, sideAt(x.type.shape[axis]!, scale)];
    if (to >= from) return x;
    const ratio = to / from;
    const rows = Array.from({length: to}, (_, at) => taps((at + 0.5) / ratio - 0.5, linearKernel, ratio));
    const shape = [to, rows[0]!.length];
    const places = rows.flatMap(row => row.map(({place}) => Math.min(Math.max(place, 0), from - 1)));
    const weights = rows.flatMap(row => row.map(({weight}) => weight));
    const tables = [build.literal(tensorFrom('i32', shape, places)), build.literal(tensorFrom('f32', shape, weights))];
    return build.emit(resample, [x, ...tables], {axis})[0];
  }, image);
}

/** Literals in the places of a layer's weights and bias; null: as it was. */
function withParameters(build: Builder, graph: Graph, node: Node, {weights, bias}: Parameters): readonly (Value | null)[] {
  const [{name}] = node.outputs;
  const {shape} = constantOf(graph, node.inputs[1]!)!.value.type;
  const own = [
    build.literal(tensorFrom('f32', shape, Array.from(weights)), `${name}.weights`),
    build.literal(tensorFrom('f32', [bias.length], Array.from(bias)), `${name}.bias`),
  ];
  return [null, ...own, ...node.inputs.slice(3).map(() => null)];
}

/** The node on what it now reads. */
function emitted(build: Builder, graph: Graph, node: Node, operands: readonly (Value | null)[]): readonly Value[] {
  const [op, attrs] = [opOf(node), attrsNow(graph, node, operands[0]!)];
  const refuse = (says: string): never =>
    fail(
      'usage',
      'input.layer',
      node.outputs[0].name,
      `cannot look at another size of image: ${says}`,
      'build it without this recipe',
    );
  const call = {attrs, inputs: operands.map(operand => operand?.type ?? null)};
  const broken = op.rules.find(rule => !rule.holds(call));
  if (broken) return refuse(`that ${broken.says} would not hold`);
  try {
    return build.emit(op, operands, attrs);
  } catch (error) {
    if (error instanceof DnncError) return refuse(error.problems[0]!.says);
    throw error;
  }
}

/** Windows over whole images, and shapes that tell rows and columns, are those of the smaller image. */
function attrsNow(graph: Graph, node: Node, x: Value | null): Attrs {
  const [read] = node.inputs;
  if (!x || read == null) return node.attrs;
  const [was, is] = [valueAt(graph, read).type.shape, x.type.shape];
  if (isOp(node, avgpool) || isOp(node, maxpool)) {
    const whole = node.attrs.kernel.every((size, i) => size === was[i + 2]);
    return whole ? {...node.attrs, kernel: is.slice(2)} : node.attrs;
  }
  if (isOp(node, slice)) return {...node.attrs, shape: sliceOf(node.attrs, was, is)};
  if (!isOp(node, reshape)) return node.attrs;
  const {shape} = node.attrs;
  // Images whose channels are taken apart or joined keep their rows and columns.
  const keeps = was.length >= 4 && shape.length >= 4 && shape.at(-1) === was.at(-1) && shape.at(-2) === was.at(-2);
  return keeps ? {...node.attrs, shape: [...shape.slice(0, -2), ...is.slice(-2)]} : node.attrs;
}

/** What a slice that reaches the end of an axis takes of a shorter one. */
const sliceOf = ({starts, steps, shape}: SliceAttrs, was: readonly number[], is: readonly number[]): readonly number[] =>
  shape.map((count, axis) => {
    const reach = (size: number): number => Math.ceil((size - starts[axis]!) / steps[axis]!);
    return steps[axis]! > 0 && count === reach(was[axis]!) ? reach(is[axis]!) : count;
  });
