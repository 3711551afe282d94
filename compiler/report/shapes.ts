/** What a contender looks like: the shape says how it fared, the colour what kind of recipe it is. */
import {type Html, html} from '../page/html.js';
import {legend, tones} from '../page/page.js';
import type {Contender} from './contenders.js';
import {kindOf} from './words.js';

export type Shape = 'full' | 'front' | 'kept' | 'dropped';

export const shapeOf = ({recipe, variant}: Contender, isFront: boolean): Shape =>
  variant === null ? 'dropped' : recipe === 'full' ? 'full' : isFront ? 'front' : 'kept';

/** Around (0, 0); fill and stroke are the page's. */
const paths: Readonly<Record<Shape, string>> = {
  full: 'M0-6L6 0L0 6L-6 0Z',
  front: 'M-4.5 0a4.5 4.5 0 1 1 9 0a4.5 4.5 0 1 1-9 0Z',
  kept: 'M-4 0a4 4 0 1 1 8 0a4 4 0 1 1-8 0Z',
  dropped: 'M-3.5-3.5L3.5 3.5M-3.5 3.5L3.5-3.5',
};

/** Drawn once; `shapeAt` refers to it. */
export const shapeDefinitions = (): Html =>
  html`<svg class="definitions" aria-hidden="true"><defs>${Object.entries(paths).map(([name, path]) => html`<path id="is-${name}" d="${path}"/>`)}</defs></svg>`;

export const shapeAt = (shape: Shape, x: number | string, y: number | string): Html =>
  html`<use class="${shape}" href="#is-${shape}" x="${x}" y="${y}"/>`;

/** A colour by kind of recipe, the same in the whole page; `full` has the ink's. */
export type Tones = ReadonlyMap<string, number>;

export function tonesOf(contenders: readonly Contender[]): Tones {
  const kinds = [...new Set(contenders.map(({recipe}) => kindOf(recipe)))].filter(kind => kind !== 'full');
  return new Map(kinds.map((kind, i) => [kind, Math.min(i, tones - 1)]));
}

export function toneClass(known: Tones, recipe: string): string {
  const tone = known.get(kindOf(recipe));
  return tone === undefined ? 'ink' : `t${tone}`;
}

const meanings: Readonly<Record<Shape, string>> = {
  full: 'full: the network as it is',
  front: 'on the front',
  kept: 'in the build, not on the front',
  dropped: 'tried and dropped',
};

/** What stands for what, among those that are there. */
export function key(shapes: ReadonlySet<Shape>, known: Tones, recipes: readonly string[]): Html {
  const there = [...new Set(recipes.map(kindOf))].flatMap(kind => {
    const tone = known.get(kind);
    return tone === undefined ? [] : [{kind, tone}];
  });
  const rest = there.filter(({tone}) => tone === tones - 1).map(({kind}) => kind);
  const named = there.filter(({tone}) => tone < tones - 1).map(({kind, tone}) => ({name: kind, tone}));
  const entries = rest.length > 0 ? [...named, {name: rest.join(', '), tone: tones - 1}] : named;
  const shown = (Object.keys(meanings) as Shape[]).filter(shape => shapes.has(shape));
  return html`<p class="legend">${shown.map(shape => html`<span>${shapeIcon(shape, 'ink')}${meanings[shape]}</span> `)}</p>${legend(entries)}`;
}

export const shapeIcon = (shape: Shape, tone: string): Html =>
  html`<svg class="icon ${tone}" viewBox="-8 -8 16 16" aria-hidden="true">${shapeAt(shape, 0, 0)}</svg>`;
