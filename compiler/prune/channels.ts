/** Channels of values, and which of them are one: sets of elements of axis 1 that are joined as nodes are seen (union and find). */
import {valueAt} from '../../ir/graph.js';
import type {Graph, ValueId} from '../../ir/types.js';

/** Elements of axis 1 of all values, by numbers. */
export type Channels = {
  /** The first number of a value, whose elements have numbers in turn. */
  of(id: ValueId): number;
  readonly size: (id: ValueId) => number;
  join(a: number, b: number): void;
  /** The number that stands for all that were joined with this one. */
  rootOf(number: number): number;
  /** None of a value's channels may go. */
  fix(id: ValueId): void;
  /** Numbers of all that may not go, as they were given. */
  fixed(): readonly number[];
};

export function channelsOf(graph: Graph): Channels {
  const first = new Map<ValueId, number>();
  const parents: number[] = [];
  const stuck: number[] = [];
  const size = (id: ValueId): number => valueAt(graph, id).type.shape[1] ?? 1;
  const of = (id: ValueId): number => {
    const known = first.get(id);
    if (known !== undefined) return known;
    const start = parents.length;
    first.set(id, start);
    for (let i = 0; i < size(id); i++) parents.push(start + i);
    return start;
  };
  const rootOf = (number: number): number => {
    let at = number;
    while (parents[at] !== at) {
      parents[at] = parents[parents[at]!]!;
      at = parents[at]!;
    }
    return at;
  };
  return {
    ...{of, size, rootOf},
    join(a, b) {
      parents[rootOf(b)] = rootOf(a);
    },
    fix(id) {
      const start = of(id);
      for (let i = 0; i < size(id); i++) stuck.push(start + i);
    },
    fixed: () => stuck,
  };
}
