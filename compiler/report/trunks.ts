/**
 * What variants share, as bars: a row for each way through the network, a block for each segment. A block is as wide as the segment
 * is dear, and as high as the rows that go through it.
 */
import type {Manifest, Segment, Variant} from '../../runtime/manifest.js';
import {type Html, html} from '../page/html.js';
import {letterWidth, short} from '../page/plot.js';
import {bytes, counted, duration, macs} from './words.js';

const size = {width: 900, row: 26, left: 200, right: 8, top: 4, axis: 20};
const inner = size.width - size.left - size.right;
/** More are no picture any more, and a large one. */
const most = {rows: 48, blocks: 1000};
/** Segments from the inputs on, and the variants that run them. */
type Way = {readonly path: readonly Segment[]; readonly variants: readonly string[]};

type Block = {readonly segment: Segment; readonly from: number; readonly first: number; readonly last: number};

export function trunksOf({variants: all, segments, cuts}: Manifest): Html {
  // A cascade runs other variants.
  const variants = all.filter(({cascade}) => !cascade);
  const ways = waysOf(variants, segments);
  const cost = costsOf(segments, variants);
  const shared = ways.filter(({path}) => ways.some(way => way.path !== path && way.path[0] === path[0]));
  const shown = firstOf([...shared, ...ways.filter(way => !shared.includes(way))]).sort(byPath(segments));
  const blocks = blocksOf(shown, cost.of);
  const dearest = Math.max(1e-12, ...blocks.map(({segment, from}) => from + cost.of(segment)));
  const wide = (value: number): number => (inner * value) / dearest;
  const carried = new Map(cuts.map(cut => [cut.id, cut]));
  const drawn = blocks.map(({segment, from, first, last}) => {
    const [left, width] = [size.left + wide(from), wide(cost.of(segment))];
    const top = size.top + first * size.row;
    const height = (last - first + 1) * size.row;
    const cut = segment.to === undefined ? undefined : carried.get(segment.to);
    const end = cut ? `; gives ${cut.id}, ${cut.dtype}[${cut.shape.join(',')}], ${bytes(cut.bytes)}` : '';
    const users = shown.slice(first, last + 1).flatMap(way => way.variants);
    const title = `${segment.id}: ${costText(segment, cost)}; for ${listed(users)}${end}`;
    return html`<g class="${last > first ? 'shared' : 'own'}"><title>${title}</title><rect x="${short(left)}" y="${short(top + 1)}" width="${short(Math.max(1, width - 1.5))}" height="${height - 2}" rx="2"/>${nameIn(segment.id, left, width, top + height / 2)}</g>`;
  });
  const names = shown.map(
    ({variants: [first, ...others]}, at) =>
      html`<text x="${size.left - 8}" y="${size.top + at * size.row + size.row / 2 + 4}" text-anchor="end">${cutShort(first!, others.length)}</text>`,
  );
  const height = size.top + shown.length * size.row + size.axis;
  const scale = html`<text x="${size.left}" y="${height - 6}">0</text><text x="${size.width - size.right}" y="${height - 6}" text-anchor="end">${cost.text(dearest)}</text>`;
  const says = `How ${counted(variants.length, 'variant')} run, from left to right, in ${counted(segments.length, 'segment')}`;
  const left = ways.length - shown.length;
  return html`<p class="legend"><span>${blockIcon('shared')}several variants run it</span> <span>${blockIcon('own')}one variant runs it</span></p><div class="wide"><svg class="plot trunk" viewBox="0 0 ${size.width} ${height}" role="img" aria-label="${says}">${names}<g class="marks">${drawn}</g>${scale}</svg></div>
${left > 0 ? html`<p class="note">${counted(left, 'more row')} would make this page large.</p>` : null}${sharedList(ways, cost)}`;
}

function waysOf(variants: readonly Variant[], segments: readonly Segment[]): readonly Way[] {
  const known = new Map(segments.map(segment => [segment.id, segment]));
  const ways = new Map<string, {path: readonly Segment[]; variants: string[]}>();
  for (const {id, path} of variants) {
    const way = ways.get(path.join('\n')) ?? {path: path.map(each => known.get(each)!), variants: []};
    way.variants.push(id);
    ways.set(path.join('\n'), way);
  }
  return [...ways.values()];
}

function firstOf(ways: readonly Way[]): Way[] {
  let blocks = 0;
  return ways.slice(0, most.rows).filter(({path}, at) => {
    blocks += path.length;
    return at === 0 || blocks <= most.blocks;
  });
}

type Costs = {readonly of: (segment: Segment) => number; readonly text: (value: number) => string; readonly isTime: boolean};

/** By time where every segment has been timed on one target, else by multiply-adds. */
function costsOf(segments: readonly Segment[], variants: readonly Variant[]): Costs {
  const [target] = variants.flatMap(({latency}) => Object.keys(latency ?? {}));
  // A segment that is a whole variant is not timed again.
  const alone = new Map(variants.flatMap(({path, latency}) => (path.length === 1 ? [[path[0]!, latency] as const] : [])));
  const time = ({id, latency}: Segment): number | undefined =>
    target === undefined ? undefined : (latency?.[target] ?? alone.get(id)?.[target])?.p50;
  if (segments.every(segment => time(segment) !== undefined))
    return {of: segment => time(segment)!, text: duration, isTime: true};
  return {of: segment => segment.macs, text: value => `${macs(value)} MACs`, isTime: false};
}

const costText = (segment: Segment, {of, text, isTime}: Costs): string =>
  [isTime ? text(of(segment)) : '', `${macs(segment.macs)} MACs`, `${bytes(segment.weightBytes)} of weights`]
    .filter(Boolean)
    .join(', ');

/** Neighbours begin alike, as long as possible. */
const byPath = (segments: readonly Segment[]) => {
  const places = new Map(segments.map((segment, at) => [segment, at]));
  return (a: Way, b: Way): number => {
    const differs = a.path.findIndex((segment, i) => segment !== b.path[i]);
    if (differs < 0) return a.path.length - b.path.length;
    return places.get(a.path[differs]!)! - (places.get(b.path[differs]!) ?? -1);
  };
};

/** Rows that have gone the same way so far share a block. */
function blocksOf(ways: readonly Way[], cost: (segment: Segment) => number): readonly Block[] {
  const blocks: Block[] = [];
  const grow = (first: number, last: number, depth: number, from: number): void => {
    for (let row = first; row <= last; ) {
      const segment = ways[row]!.path[depth];
      let end = row;
      while (end < last && ways[end + 1]!.path[depth] === segment) end++;
      if (segment) {
        blocks.push({segment, from, first: row, last: end});
        grow(row, end, depth + 1, from + cost(segment));
      }
      row = end + 1;
    }
  };
  grow(0, ways.length - 1, 0, 0);
  return blocks;
}

const nameIn = (name: string, left: number, width: number, middle: number): Html | null =>
  width > (name.length + 1) * letterWidth
    ? html`<text x="${short(left + width / 2)}" y="${short(middle + 4)}" text-anchor="middle">${name}</text>`
    : null;

const longest = Math.floor((size.left - 12) / letterWidth);

function cutShort(name: string, others: number): string {
  const more = others > 0 ? ` +${others}` : '';
  const room = longest - more.length;
  return (name.length > room ? `${name.slice(0, room - 1)}…` : name) + more;
}

const blockIcon = (which: 'shared' | 'own'): Html =>
  html`<svg class="icon trunk" viewBox="0 0 8 8" aria-hidden="true"><g class="${which}"><rect width="8" height="8" rx="1"/></g></svg>`;

const listed = (names: readonly string[]): string =>
  names.length > 12 ? `${names.slice(0, 12).join(', ')} and ${names.length - 12} more` : names.join(', ');

/** The same in words. */
function sharedList(ways: readonly Way[], cost: Costs): Html | null {
  const users = new Map<Segment, string[]>();
  for (const {path, variants} of ways)
    for (const segment of path) users.set(segment, [...(users.get(segment) ?? []), ...variants]);
  const shared = [...users].filter(([, its]) => its.length > 1);
  if (shared.length === 0) return html`<p class="note">Nothing is shared: every variant runs on its own.</p>`;
  const items = shared.map(([segment, its]) => html`<li>${segment.id}: ${costText(segment, cost)}; for ${listed(its)}</li>`);
  return html`<details><summary>In words: ${counted(shared.length, 'segment')} shared</summary><ul>${items}</ul></details>`;
}
