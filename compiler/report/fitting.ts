/** Keeping a page small: what is most telling comes first, and what no longer fits is counted. */
import type {Html} from '../page/html.js';

export type Fitted = {readonly drawn: readonly Html[]; readonly left: number};

/** As many as come to no more than `most` characters, and at least one. */
export function fitting<T>(items: readonly T[], draw: (item: T) => Html, most: number): Fitted {
  const drawn: Html[] = [];
  let size = 0;
  for (const item of items) {
    const next = draw(item);
    size += next.html.length;
    if (size > most && drawn.length > 0) break;
    drawn.push(next);
  }
  return {drawn, left: items.length - drawn.length};
}
