/** The arena as a picture of text: a row per buffer, its bytes and when it lives. */
import {alignment, type Plan, readsOf, writesOf} from '../ir/plan.js';
import {bytesText, table} from './output.js';

const columns = 40;

export function memoryMap(plan: Plan): string {
  const {memory} = plan;
  if (!memory) return '';
  const parts = plan.entries.map((entry, i) => {
    const rows = entry.roots.flatMap((root, at) => {
      const offset = memory.offsets[i]?.[at];
      if (root.kind !== 'arena' || offset == null) return [];
      const steps = entry.steps.flatMap(({work}, step) =>
        writesOf(work).includes(at) || readsOf(work).some(view => view.root === at) ? [step] : [],
      );
      const [first, last] = [steps[0] ?? 0, steps.at(-1) ?? 0];
      const scale = columns / Math.max(1, entry.steps.length);
      const bar = Array.from({length: columns}, (_, x) =>
        x >= Math.floor(first * scale) && x <= Math.floor(last * scale) ? '#' : '.',
      ).join('');
      return [{offset, row: [`%${root.name}`, `${offset}`, bytesText(root.bytes), bar]}];
    });
    const sorted = rows.sort((a, b) => a.offset - b.offset).map(({row}) => row);
    const {bytes, lowerBound} = memory.entryBytes[i]!;
    const over = lowerBound > 0 ? ((100 * (bytes - lowerBound)) / lowerBound).toFixed(1) : '0.0';
    const title = `memory of ${entry.name}: ${bytes} bytes in an arena aligned to ${alignment}; at least ${lowerBound} are alive at once (+${over}%)\n`;
    return `${title}\n${table([['buffer', 'offset', 'size', `alive, over ${entry.steps.length} steps`], ...sorted])}\n`;
  });
  return parts.join('\n').trimEnd();
}
