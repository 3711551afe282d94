/** What becomes an entry of a plan: a whole task, or a segment of one. */
import {outputNames} from '../../ir/graph.js';
import {graphOf, type Segment} from '../../ir/segments.js';
import type {Graph, ValueId} from '../../ir/types.js';
import type {Layout} from './layout.js';

type Layouts = ReadonlyMap<ValueId, Layout>;

export type Part = {
  readonly name: string;
  /** No more than it needs. */
  readonly graph: Graph;
  readonly outputs: readonly ValueId[];
  /** Names of the outputs where they have other ones outside. */
  readonly names: readonly string[];
  /** How the cut lies where it begins, and where it ends: as the code on both sides has it, not as ONNX does. */
  readonly before: Layouts;
  readonly after: Layouts;
};

/** `layouts` are those of the whole graph. */
export function partOf(whole: Graph, segment: Segment, layouts: Layouts): Part {
  const {name, from, to, heads} = segment;
  const {graph, nodes} = graphOf(whole, segment);
  const [head] = heads;
  const outputs = to === null ? head!.outputs : [to];
  const read = new Set([...outputs, ...nodes.flatMap(node => node.inputs)]);
  const at = (cut: ValueId | null): Layouts => new Map([...layouts].filter(([id]) => id === cut));
  return {
    name,
    graph: {...graph, inputs: graph.inputs.filter(({id}) => read.has(id)), nodes},
    outputs,
    names: to === null ? outputNames(head!) : [],
    before: at(from),
    after: at(to),
  };
}
