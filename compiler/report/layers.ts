/** What a recipe did to each layer, before and after; and why a layer stayed as it was. */
import {type Html, html} from '../page/html.js';
import {short} from '../page/plot.js';
import type {LayerReport, RecipeReport} from '../recipes/report.js';
import {type Column, numberCell, tableOf, textCell} from './table.js';
import {bytes, counted, duration, macs, recipeWords} from './words.js';

type Quantity = {
  readonly head: string;
  readonly text: (value: number) => string;
  readonly before: (layer: LayerReport) => number | undefined;
  readonly after: (layer: LayerReport) => number | undefined;
};

const quantities: readonly Quantity[] = [
  {
    head: 'time',
    text: microseconds => duration(microseconds / 1000),
    before: ({timeBefore}) => timeBefore,
    after: ({timeAfter}) => timeAfter,
  },
  {head: 'MACs', text: macs, before: ({macsBefore}) => macsBefore, after: ({macsAfter}) => macsAfter},
  {head: 'weights', text: bytes, before: ({bytesBefore}) => bytesBefore, after: ({bytesAfter}) => bytesAfter},
];

export function layersOf(report: RecipeReport): Html {
  const {recipe, step, layers} = report;
  const known = quantities.filter(({before, after}) =>
    layers.some(each => before(each) !== undefined && after(each) !== undefined),
  );
  const columns: readonly Column<LayerReport>[] = [
    {head: 'layer', isText: true, cell: ({layer}) => textCell(layer)},
    ...known.map(quantity => barsColumn(quantity, layers)),
    {head: 'what became of it', isText: true, cell: ({form, float}) => textCell(float === undefined ? form : `stays: ${float}`)},
    {head: 'error', cell: ({error}) => numberCell(error, value => `${(100 * value).toFixed(2)}%`)},
    {head: 'output SQNR', cell: ({outputSqnr}) => decibels(outputSqnr)},
    {head: 'sums SQNR', cell: ({sumSqnr}) => decibels(sumSqnr)},
    {head: 'weights SQNR', cell: ({weightSqnr}) => decibels(weightSqnr)},
    {head: 'clipped', cell: ({clipped}) => numberCell(clipped, value => `${(100 * value).toFixed(2)}%`)},
  ];
  const title = step === undefined ? recipe : `${recipe}, its step ${step}`;
  return html`<details class="layers"><summary>${title} <small>${summaryOf(report, known)}</small></summary>
${tableOf(`Layers under ${title}`, columns, layers)}</details>`;
}

function summaryOf(
  {step, recipe, layers, samples, estimate, loss, calibration}: RecipeReport,
  known: readonly Quantity[],
): string {
  const stay = layers.filter(({float}) => float !== undefined).length;
  const sums = known.map(({head, text, before, after}) => {
    const both = layers.filter(each => before(each) !== undefined && after(each) !== undefined);
    const sum = (of: typeof before): number => both.reduce((total, each) => total + of(each)!, 0);
    return `${head} ${text(sum(before))} → ${text(sum(after))}`;
  });
  return [
    recipeWords(step ?? recipe),
    `${counted(layers.length - stay, 'layer')} changed${stay > 0 ? `, ${stay} as they were` : ''}`,
    ...sums,
    samples === undefined ? '' : `on ${counted(samples, 'sample')}${calibration === undefined ? '' : ` (${calibration})`}`,
    estimate ? `${estimate.agreement}% of labels equal on samples held out` : '',
    loss === undefined ? '' : `${loss.toFixed(2)} points lost`,
  ]
    .filter(Boolean)
    .join('; ');
}

const decibels = (value: number | undefined) => numberCell(value, known => `${known.toFixed(1)} dB`);

const long = 100;

/** Two bars on one scale: before above, after below. Sorted by what is left. */
function barsColumn({head, text, before, after}: Quantity, layers: readonly LayerReport[]): Column<LayerReport> {
  const most = Math.max(1e-12, ...layers.flatMap(layer => [before(layer) ?? 0, after(layer) ?? 0]));
  const bar = (value: number, y: number): Html =>
    html`<path class="${y === 0 ? 'before' : 'after'}" d="M0 ${y}h${short((long * value) / most)}v4H0z"/>`;
  return {
    head,
    cell(layer) {
      const [was, is] = [before(layer), after(layer)];
      if (was === undefined) return null;
      const now = is ?? was;
      const says = was === now ? text(was) : `${text(was)} → ${text(now)}`;
      return numberCell(
        now,
        () =>
          html`<span class="bars">${says}<svg viewBox="0 0 ${long} 9" aria-hidden="true">${bar(was, 0)}${bar(now, 5)}</svg></span>`,
      );
    },
  };
}

export const barIcon = (which: 'before' | 'after'): Html =>
  html`<svg class="icon" viewBox="0 0 8 8" aria-hidden="true"><path class="${which}" d="M0 2h8v4H0z"/></svg>`;
