/**
 * How tasks share one graph: each runs from cut to cut. What several run is a segment of all of them, computed once per
 * input; where they part, each goes on with its own (MCDNN, section 4.2 "sharing"; the trie of shared prefixes).
 */
import {costOf} from './cost.js';
import {cutsOf} from './cuts.js';
import {uniqueName} from './edit.js';
import {nodesFor} from './graph.js';
import type {Graph, Head, Module, Node, ValueId} from './types.js';

export type Segment = {
  /** `trunk` (numbered where there are several), or what follows the last shared cut of a task: `age_head`. */
  readonly name: string;
  /** The cut where it begins; null: the inputs. */
  readonly from: ValueId | null;
  /** The cut where it ends; null: the outputs of its heads. */
  readonly to: ValueId | null;
  /** Who needs it. Several heads of one last segment have the same outputs. */
  readonly heads: readonly Head[];
};

/** The segments of tasks that share arithmetic, in the order in which they run; a task that shares none has no segment. */
export function segmentsOf(module: Module): readonly Segment[] {
  const cuts = new Map(module.heads.map(head => [head, cutsOf(module, head).map(({value}) => value.id)]));
  const parts = partition(module.graph, module.heads, null, cuts).filter(
    ({from, to, heads}) => from !== null || to !== null || heads.length > 1,
  );
  const trunks = parts.filter(({to}) => to !== null);
  const taken = new Set(module.heads.map(head => head.name));
  return parts.map(part => {
    const number = trunks.length > 1 ? `_${trunks.indexOf(part) + 1}` : '';
    return {...part, name: uniqueName(part.to === null ? `${part.heads[0]!.name}_head` : `trunk${number}`, taken)};
  });
}

type Part = Omit<Segment, 'name'>;
type Cuts = ReadonlyMap<Head, readonly ValueId[]>;

/** One segment to the last cut that all heads have in common; from there on, apart by their next cuts. */
function partition(graph: Graph, heads: readonly Head[], from: ValueId | null, cuts: Cuts): readonly Part[] {
  const after = (head: Head): readonly ValueId[] => {
    const own = cuts.get(head)!;
    return from === null ? own : own.slice(own.indexOf(from) + 1);
  };
  const [first, ...others] = heads;
  if (!first) return [];
  const alone = heads.map((head): Part => ({from, to: null, heads: [head]}));
  const whole = {from, to: null, heads};
  if (others.every(head => String(head.outputs) === String(first.outputs))) return macsOf(graph, whole) > 0 ? [whole] : alone;
  const common = after(first).findLast(cut => others.every(head => after(head).includes(cut)));
  // A trunk that only moves data saves nothing.
  if (common !== undefined && macsOf(graph, {from, to: common, heads}) > 0)
    return [{from, to: common, heads}, ...partition(graph, heads, common, cuts)];
  const groups = new Map<string, Head[]>();
  for (const head of heads) {
    const key = `${after(head)[0] ?? `outputs ${head.outputs}`}`;
    groups.set(key, [...(groups.get(key) ?? []), head]);
  }
  if (groups.size === 1) return alone;
  return [...groups.values()].flatMap(group => partition(graph, group, from, cuts));
}

function macsOf(whole: Graph, part: Part): number {
  const {graph, nodes} = graphOf(whole, part);
  return nodes.reduce((sum, node) => sum + costOf(graph, node).macs, 0);
}

/** The segments of one head, in the order in which they run. */
export const pathOf = (segments: readonly Segment[], head: Head): readonly Segment[] =>
  segments.filter(({heads}) => heads.includes(head));

/** The nodes of a segment, and the graph in which the cut where it begins is an input. */
export function graphOf(graph: Graph, {from, to, heads}: Part): {readonly graph: Graph; readonly nodes: readonly Node[]} {
  const cut = from === null ? null : graph.nodes.flatMap(node => node.outputs).find(({id}) => id === from);
  const opened: Graph = cut
    ? {...graph, inputs: [...graph.inputs, cut], nodes: graph.nodes.filter(node => !node.outputs.includes(cut))}
    : graph;
  return {graph: opened, nodes: nodesFor(opened, to === null ? heads[0]!.outputs : [to])};
}
