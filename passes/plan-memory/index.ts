/**
 * Plan to Plan: every arena buffer gets an offset. Buffers whose lifetimes overlap never overlap in memory; a result takes
 * over the memory of an operand that dies there, where both lie alike. Offsets: first fit over several orders, the best kept
 * (Pisarchyk & Lee 2020, "Efficient memory management for deep neural net inference", greedy by size and by breadth).
 */
import {alignment, type Entry, everyEntry, type Memory, type Plan, readsOf, writesOf} from '../../ir/plan.js';

export function planMemory(plan: Plan): Plan {
  const entries = everyEntry(plan).map(planEntry);
  const memory: Memory = {
    offsets: entries.map(entry => entry.offsets),
    bytes: Math.max(0, ...entries.map(entry => entry.bytes)),
    entryBytes: entries.map(({bytes, lowerBound}) => ({bytes, lowerBound})),
    lowerBound: Math.max(0, ...entries.map(entry => entry.lowerBound)),
  };
  return {...plan, memory};
}

type Buffer = {readonly size: number; first: number; last: number; readonly roots: number[]};

function planEntry(entry: Entry): {offsets: (number | null)[]; bytes: number; lowerBound: number} {
  const buffers = shareBuffers(entry, lifetimes(entry));
  const live = entry.steps.map((_, step) =>
    buffers.reduce((sum, b) => (b.first <= step && step <= b.last ? sum + b.size : sum), 0),
  );
  const lowerBound = live.reduce((a, b) => Math.max(a, b), 0);
  const orders: ((a: Buffer, b: Buffer) => number)[] = [
    (a, b) => b.size - a.size || a.first - b.first,
    (a, b) => a.first - b.first || b.size - a.size,
    (a, b) => b.last - b.first - (a.last - a.first) || b.size - a.size,
    (a, b) => b.size * (b.last - b.first + 1) - a.size * (a.last - a.first + 1),
    (a, b) => breadth(b, live) - breadth(a, live) || b.size - a.size,
  ];
  let best: {bytes: number; offsets: Map<Buffer, number>} | null = null;
  for (const order of orders) {
    const tried = firstFit([...buffers].sort(order));
    if (!best || tried.bytes < best.bytes) best = tried;
    if (best.bytes === lowerBound) break;
  }
  const offsets = entry.roots.map((): number | null => null);
  for (const [buffer, offset] of best?.offsets ?? []) for (const root of buffer.roots) offsets[root] = offset;
  return {offsets, bytes: best?.bytes ?? 0, lowerBound};
}

/** The fullest step that a buffer lives through. */
const breadth = (buffer: Buffer, live: readonly number[]): number =>
  live.slice(buffer.first, buffer.last + 1).reduce((a, b) => Math.max(a, b), 0);

function lifetimes(entry: Entry): (Buffer | null)[] {
  const buffers = entry.roots.map((root, i): Buffer | null =>
    root.kind === 'arena'
      ? {size: Math.ceil(root.bytes / alignment) * alignment, first: Number.POSITIVE_INFINITY, last: -1, roots: [i]}
      : null,
  );
  entry.steps.forEach(({work}, step) => {
    for (const root of [...readsOf(work).map(view => view.root), ...writesOf(work)]) {
      const buffer = buffers[root];
      if (!buffer) continue;
      buffer.first = Math.min(buffer.first, step);
      buffer.last = Math.max(buffer.last, step);
    }
  });
  return buffers;
}

/** Merges the buffer of a result with that of an operand that is read there for the last time. */
function shareBuffers(entry: Entry, buffers: (Buffer | null)[]): Buffer[] {
  entry.steps.forEach(({work, mayTake}, step) => {
    const [written] = writesOf(work);
    for (const root of mayTake) {
      const [from, to] = [buffers[root], written === undefined ? null : buffers[written]];
      if (!from || !to || from === to || from.last !== step || from.size !== to.size) continue;
      // The border of the result may be zeroed a step before: the operand's border is zero there already.
      const begins = to.first === step || (to.first === step - 1 && entry.steps[step - 1]!.work.kind === 'border');
      const readOtherwise = readsOf(work).filter(view => buffers[view.root] === from).length > 1;
      if (!begins || readOtherwise) continue;
      from.last = Math.max(from.last, to.last);
      from.roots.push(...to.roots);
      for (const taken of to.roots) buffers[taken] = from;
      break;
    }
  });
  return [...new Set(buffers)].filter(buffer => buffer !== null && buffer.last >= 0) as Buffer[];
}

/** Each buffer at the lowest offset where it meets none that lives at the same time. */
function firstFit(order: readonly Buffer[]): {bytes: number; offsets: Map<Buffer, number>} {
  const offsets = new Map<Buffer, number>();
  let bytes = 0;
  for (const buffer of order) {
    const others = [...offsets]
      .filter(([other]) => other.first <= buffer.last && buffer.first <= other.last)
      .map(([other, offset]) => ({start: offset, end: offset + other.size}))
      .sort((a, b) => a.start - b.start);
    let at = 0;
    for (const {start, end} of others) {
      if (start - at >= buffer.size) break;
      at = Math.max(at, end);
    }
    offsets.set(buffer, at);
    bytes = Math.max(bytes, at + buffer.size);
  }
  return {bytes, offsets};
}
