/** What tasks of a module share, and what they would if their weights were equal. */
import {costOf, costOfNodes} from '../ir/cost.js';
import {constantOf, nodesFor, valueAt} from '../ir/graph.js';
import {graphOf, segmentsOf} from '../ir/segments.js';
import {numbersOf, tensorOf} from '../ir/tensor.js';
import type {Blob, Graph, Head, Module, Node, ValueId} from '../ir/types.js';

/** A trunk: what several tasks compute alike, up to a cut. */
export type Shared = {
  readonly tasks: readonly string[];
  /** The tensor where they part. */
  readonly cut: string;
  readonly macs: number;
  readonly weightBytes: number;
};

export const sharedOf = (module: Module): readonly Shared[] =>
  segmentsOf(wholeTasks(module)).flatMap(segment => {
    const {to, heads} = segment;
    if (to === null || heads.length < 2) return [];
    const {graph, nodes} = graphOf(module.graph, segment);
    const {macs, bytesOfWeights} = costOfNodes(graph, nodes);
    const cut = valueAt(module.graph, to).name;
    return [{tasks: heads.map(head => head.name), cut, macs, weightBytes: bytesOfWeights}];
  });

/** Without the heads that recipes added. */
const wholeTasks = (module: Module): Module => ({...module, heads: module.heads.filter(({attrs}) => attrs.recipe === undefined)});

/** Two tasks that begin with the same layers but for the numbers in them, as after fine-tuning one network apart. */
export type Alike = {
  readonly tasks: readonly [string, string];
  /** Of the layers that are the same up to their weights, beyond what is shared exactly. */
  readonly macs: number;
  /** |a - b| / |a| over all their weights. */
  readonly distance: number;
};

/** Weights farther apart than this were not made from each other. */
const farthest = 0.5;

/** Pairs whose common layers, beyond those shared exactly, are a tenth of the first one's work or more. */
export function alikeOf(module: Module): readonly Alike[] {
  const {graph, heads} = wholeTasks(module);
  return heads.flatMap((head, i) =>
    heads.slice(i + 1).flatMap((other): readonly Alike[] => {
      const {macs, distance} = compared(graph, head, other);
      const all = costOfNodes(graph, nodesFor(graph, head.outputs)).macs;
      return macs >= all / 10 && macs > 0 && distance < farthest ? [{tasks: [head.name, other.name], macs, distance}] : [];
    }),
  );
}

/** Walks both networks side by side while their layers differ in nothing but numbers. */
function compared(graph: Graph, head: Head, other: Head): {readonly macs: number; readonly distance: number} {
  const [left, right] = [nodesFor(graph, head.outputs), nodesFor(graph, other.outputs)];
  const twins = new Map<ValueId, ValueId>();
  let [macs, apart, size] = [0, 0, 0];
  for (const [i, node] of left.entries()) {
    const twin = right[i];
    if (!twin || !isTwin(graph, node, twin, twins)) break;
    node.outputs.forEach((output, at) => {
      twins.set(output.id, twin.outputs[at]!.id);
    });
    if (node === twin) continue;
    macs += costOf(graph, node).macs;
    for (const [at, id] of node.inputs.entries()) {
      const [mine, its] = [id, twin.inputs[at]].map(operand => (operand == null ? null : constantOf(graph, operand)));
      if (!mine || !its || mine.value.type.dtype !== 'f32') continue;
      const [a, b] = [floats(mine.blob), floats(its.blob)];
      for (const [k, value] of a.entries()) {
        apart += (value - b[k]!) ** 2;
        size += value ** 2;
      }
    }
  }
  return {macs, distance: size > 0 ? Math.sqrt(apart / size) : 0};
}

function isTwin(graph: Graph, node: Node, twin: Node, twins: ReadonlyMap<ValueId, ValueId>): boolean {
  const text = ({op, attrs, outputs}: Node): string => JSON.stringify([op, attrs, outputs.map(({type}) => type)]);
  return (
    text(node) === text(twin) &&
    node.inputs.every((id, at) => {
      const its = twin.inputs[at] ?? null;
      if (id === null || its === null) return id === its;
      if (id === its || twins.get(id) === its) return true;
      const sameType = JSON.stringify(valueAt(graph, id).type) === JSON.stringify(valueAt(graph, its).type);
      return sameType && constantOf(graph, id) !== null && constantOf(graph, its) !== null;
    })
  );
}

const floats = ({bytes}: Blob): readonly number[] => numbersOf(tensorOf('f32', [bytes.byteLength / 4], bytes));
