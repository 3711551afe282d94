/** Where the buffers of the arena lie and when they live; and that as a picture of text, a row per buffer. */
import {alignment, type Entry, type Plan, readsOf, writesOf} from '../ir/plan.js';
import {bytesText, table} from './output.js';

/** Offset and size in bytes; the steps that touch it first and last. */
export type PlacedBuffer = {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly first: number;
  readonly last: number;
};

/** From low to high. `offsets` are those of the entry's roots. */
export function buffersOf({roots, steps}: Entry, offsets: readonly (number | null)[]): readonly PlacedBuffer[] {
  const touched = roots.map((): number[] => []);
  steps.forEach(({work}, step) => {
    for (const root of [...writesOf(work), ...readsOf(work).map(view => view.root)]) touched[root]?.push(step);
  });
  return roots
    .flatMap((root, at): readonly PlacedBuffer[] => {
      const offset = offsets[at] ?? null;
      if (root.kind !== 'arena' || offset === null) return [];
      const [first, last] = [touched[at]?.[0] ?? 0, touched[at]?.at(-1) ?? 0];
      return [{name: root.name, offset, size: root.bytes, first, last}];
    })
    .sort((a, b) => a.offset - b.offset);
}

const columns = 40;

export function memoryMap(plan: Plan): string {
  const {memory} = plan;
  if (!memory) return '';
  const parts = plan.entries.map((entry, i) => {
    const scale = columns / Math.max(1, entry.steps.length);
    const rows = buffersOf(entry, memory.offsets[i] ?? []).map(({name, offset, size, first, last}) => {
      const bar = Array.from({length: columns}, (_, x) =>
        x >= Math.floor(first * scale) && x <= Math.floor(last * scale) ? '#' : '.',
      ).join('');
      return [`%${name}`, `${offset}`, bytesText(size), bar];
    });
    const {bytes, lowerBound} = memory.entryBytes[i]!;
    const over = lowerBound > 0 ? ((100 * (bytes - lowerBound)) / lowerBound).toFixed(1) : '0.0';
    const title = `memory of ${entry.name}: ${bytes} bytes in an arena aligned to ${alignment}; at least ${lowerBound} are alive at once (+${over}%)\n`;
    return `${title}\n${table([['buffer', 'offset', 'size', `alive, over ${entry.steps.length} steps`], ...rows])}\n`;
  });
  return parts.join('\n').trimEnd();
}
