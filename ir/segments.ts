/**
 * How tasks share one graph: each runs from cut to cut. What several run is a segment of all of them, computed once per
 * input; where they part, each goes on with its own (MCDNN, section 5.2.2; a trie of shared prefixes).
 */
import {costOfNodes} from './cost.js';
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

/** Where tasks are cut: where they part, or at every cut that has arithmetic on both sides. */
export type Granularity = 'shared' | 'all';

/** The segments of tasks in the order in which they run; a task that is not cut at all has none. */
export function segmentsOf(module: Module, granularity: Granularity = 'shared'): readonly Segment[] {
  const cuts = new Map(module.heads.map(head => [head, cutsOf(module, head).map(({value}) => value.id)]));
  const parts = partition(module.graph, module.heads, null, cuts);
  const fine = granularity === 'all' ? parts.map(part => divided(module.graph, part, cuts)) : parts.map(part => [part]);
  const names = new Set(module.heads.map(head => head.name));
  const trunks = fine.flat().filter(({to, heads}) => to !== null && heads.length > 1);
  return fine.flatMap(pieces =>
    pieces.flatMap((part, i): readonly Segment[] => {
      const {from, to, heads} = part;
      if (from === null && to === null && heads.length === 1) return [];
      const number = pieces.length > 1 ? `_${i + 1}` : '';
      const trunk = trunks.length > 1 ? `trunk_${trunks.indexOf(part) + 1}` : 'trunk';
      const isTrunk = to !== null && heads.length > 1;
      return [{...part, name: uniqueName(isTrunk ? trunk : `${heads[0]!.name}_head${number}`, names)}];
    }),
  );
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
  // A trunk that only moves data saves nothing; what some have in common behind it may.
  if (common !== undefined && macsOf(graph, {from, to: common, heads}) > 0)
    return [{from, to: common, heads}, ...partition(graph, heads, common, cuts)];
  const groups = new Map<string, Head[]>();
  for (const head of heads) {
    const own = after(head);
    const next = own[common === undefined ? 0 : own.indexOf(common) + 1];
    const key = `${next ?? `outputs ${head.outputs}`}`;
    groups.set(key, [...(groups.get(key) ?? []), head]);
  }
  if (groups.size === 1) return alone;
  return [...groups.values()].flatMap(group => partition(graph, group, from, cuts));
}

/** A part cut wherever all its heads can be, each piece with arithmetic of its own. */
function divided(graph: Graph, {from, to, heads}: Part, cuts: Cuts): readonly Part[] {
  const [first, ...others] = heads;
  const own = cuts.get(first!)!;
  const end = to === null ? own.length : own.indexOf(to);
  const inside = own.slice(from === null ? 0 : own.indexOf(from) + 1, end);
  const pieces: Part[] = [];
  let begin = from;
  for (const cut of inside) {
    const piece = {from: begin, to: cut, heads};
    if (!others.every(head => cuts.get(head)!.includes(cut))) continue;
    if (macsOf(graph, piece) === 0 || macsOf(graph, {from: cut, to, heads}) === 0) continue;
    pieces.push(piece);
    begin = cut;
  }
  return [...pieces, {from: begin, to, heads}];
}

function macsOf(whole: Graph, part: Part): number {
  const {graph, nodes} = graphOf(whole, part);
  return costOfNodes(graph, nodes).macs;
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
