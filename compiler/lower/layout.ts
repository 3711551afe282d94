/**
 * In which order each value lies in memory: `channels-last` for images that convolutions and pools touch, so that every
 * kernel runs along contiguous channels; `row-major` for everything else.
 */
import {constantOf, producerOf, usersOf, valueAt} from '../../ir/graph.js';
import {stridesOf} from '../../ir/ops/common/broadcast.js';
import {opOf} from '../../ir/ops/index.js';
import type {Border} from '../../ir/plan.js';
import type {Graph, Node, Value, ValueId} from '../../ir/types.js';

export type Layout = 'channels-last' | 'row-major';

/** `given`: of inputs that do not lie in row-major order. */
export function chooseLayouts(graph: Graph, given: ReadonlyMap<ValueId, Layout> = new Map()): ReadonlyMap<ValueId, Layout> {
  const layouts = new Map<ValueId, Layout>(given);
  for (const node of graph.nodes) {
    const layout = layoutOf(node, graph, layouts);
    for (const output of node.outputs) layouts.set(output.id, output.type.shape.length === 4 ? layout : 'row-major');
  }
  return layouts;
}

function layoutOf(node: Node, graph: Graph, layouts: ReadonlyMap<ValueId, Layout>): Layout {
  const op = opOf(node);
  if (op.kernel) return op.kernel.layout === 'channels-last' ? 'channels-last' : 'row-major';
  const images = node.inputs
    .filter(id => id !== null)
    .filter(id => valueAt(graph, id).type.shape.length === 4 && !constantOf(graph, id));
  const fromImage = images.some(id => layouts.get(id) === 'channels-last');
  if (op.view && (node.op === 'reshape' || node.op === 'transpose')) return 'row-major';
  const forImage = usersOf(graph, node.outputs[0].id).some(user => opOf(user).kernel?.layout === 'channels-last');
  return fromImage || (forImage && images.length > 0) ? 'channels-last' : 'row-major';
}

/** Whether convolutions or pools read an image, or parts of it. */
export const isReadAsImage = (graph: Graph, {id, type}: Value): boolean =>
  type.shape.length === 4 &&
  usersOf(graph, id).some(
    user => opOf(user).kernel?.layout === 'channels-last' || (user.op === 'slice' && isReadAsImage(graph, user.outputs[0])),
  );

/** Strides and offset of a fresh buffer; a border surrounds the last two axes of a channels-last image. */
export function freshStrides(shape: readonly number[], layout: Layout, border: Border) {
  if (layout === 'row-major' || shape.length !== 4)
    return {strides: stridesOf(shape), offset: 0, elements: shape.reduce((n, d) => n * d, 1)};
  const [n, c, h, w] = shape as [number, number, number, number];
  const row = (w + border.left + border.right) * c;
  const image = (h + border.top + border.bottom) * row;
  return {strides: [image, 1, row, c], offset: border.top * row + border.left * c, elements: n * image};
}

/** Whether strides say plain row-major order; axes of size 1 may have any stride. */
export function isDense(shape: readonly number[], strides: readonly number[]): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== step) return false;
    step *= shape[i]!;
  }
  return true;
}

/** For a value that concat places: the concat that gives it its memory, and its place among the operands. */
export function placements(
  graph: Graph,
  layouts: ReadonlyMap<ValueId, Layout>,
  returned: ReadonlySet<ValueId>,
): ReadonlyMap<ValueId, {into: Node; index: number}> {
  const result = new Map<ValueId, {into: Node; index: number}>();
  for (const node of graph.nodes) {
    const op = opOf(node);
    if (!op.place || op.fill) continue;
    node.inputs.forEach((id, index) => {
      if (id === null || result.has(id) || returned.has(id) || node.inputs.indexOf(id) !== node.inputs.lastIndexOf(id)) return;
      const producer = producerOf(graph, id);
      if (!producer || opOf(producer).view || layouts.get(id) !== layouts.get(node.outputs[0].id)) return;
      if (opOf(producer).kernel?.layout === 'row-major' && !leadsWithOnes(node, graph, index)) return;
      result.set(id, {into: node, index});
    });
  }
  return result;
}

/** Whether an operand of a row-major concat is one contiguous piece of the result. */
function leadsWithOnes(node: Node, graph: Graph, index: number): boolean {
  const {shape} = valueAt(graph, node.inputs[index]!).type;
  const {axis} = node.attrs;
  return typeof axis === 'number' && shape.slice(0, axis).every(size => size === 1);
}
