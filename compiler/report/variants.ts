/** The columns that variants and what was tried have in common, and the table of a task's variants. */
import type {Cascade, CascadeEstimate} from '../../runtime/manifest.js';
import {type Html, html} from '../page/html.js';
import {accuracyOf, type Contender, fullAmong, type Loss, lossOf} from './contenders.js';
import type {Measure} from './measures.js';
import {shapeIcon, shapeOf, type Tones, toneClass} from './shapes.js';
import {type Cell, type Column, numberCell, tableOf, textCell} from './table.js';
import {macs, percent, recipeWords, times} from './words.js';

/** What a task's contenders are compared with. */
export type Field = {
  readonly contenders: readonly Contender[];
  readonly measures: readonly Measure[];
  readonly tones: Tones;
  /** On the front of some plot. */
  readonly best: ReadonlySet<Contender>;
};

export const nameColumn = ({tones, best}: Field): Column<Contender> => ({
  head: 'variant',
  isText: true,
  cell: contender => ({
    text: html`${shapeIcon(shapeOf(contender, best.has(contender)), toneClass(tones, contender.recipe))}${contender.recipe}`,
  }),
});

export const accuracyColumn: Column<Contender> = {
  head: 'accuracy',
  cell(contender) {
    const known = accuracyOf(contender);
    if (known) {
      const [low, high] = known.interval;
      return numberCell(known.value, value => html`${percent(value)} <small>${low.toFixed(1)} to ${high.toFixed(1)}</small>`);
    }
    const expected = expectedOf(contender.variant?.cascade);
    return expected
      ? numberCell(expected.accuracy, value => html`${percent(value)} <small>in its context at ${expected.share}</small>`)
      : null;
  },
};

export const lossColumn = (field: Field): Column<Contender> => {
  const full = fullAmong(field.contenders)?.variant ?? undefined;
  return {head: 'points lost', cell: contender => lossCell(lossOf(contender, full))};
};

const lossCell = (loss: Loss | null): Cell | null =>
  loss &&
  numberCell(
    loss.points,
    value =>
      html`${value.toFixed(2).replace('-', '−')}${loss.error === null ? null : html` <small>± ${loss.error.toFixed(2)}</small>`}`,
  );

/** With how many times less than `full` takes, where that is a gain. */
export function measureColumn(measure: Measure, {contenders}: Field): Column<Contender> {
  const full = fullAmong(contenders);
  const whole = full && measure.isPlotted ? measure.of(full) : null;
  const less = (value: number): Html | null =>
    whole === null
      ? null
      : html` <small class="less">${value > 0 && whole / value >= 1.05 ? `${times(whole / value)} less` : null}</small>`;
  return {
    head: measure.head,
    cell: contender => numberCell(measure.of(contender), value => html`${measure.text(value)}${less(value)}`),
  };
}

const wordsColumn: Column<Contender> = {
  head: 'what it is',
  isText: true,
  cell: ({recipe, variant}) => textCell([recipeWords(recipe), contextOf(variant)].filter(Boolean).join('; ')),
};

/** Known where a catalog chose. */
export const reasonColumn: Column<Contender> = {head: 'why', isText: true, cell: ({tried}) => textCell(tried?.reason)};

function contextOf(variant: Contender['variant']): string {
  const expected = expectedOf(variant?.cascade);
  const early = expected
    ? `; the first stage answers ${(100 * expected.alone).toFixed(0)}%, ${macs(expected.macs)} MACs on average`
    : '';
  return variant?.context ? `for ${variant.context.join(', ')}${early}` : '';
}

/** At the share that its threshold was chosen for. */
const expectedOf = (cascade: Cascade | undefined): CascadeEstimate | undefined =>
  cascade?.estimates.find(({share}) => share === cascade.share) ?? cascade?.estimates[0];

/** A point's `data-row` leads here. */
export const rowOf = ({number, task, recipe}: Contender): Html => html` id="v${number}" data-variant="${task}/${recipe}"`;

export function variantsTable(task: string, field: Field): Html {
  const kept = field.contenders.filter(({variant}) => variant !== null);
  const columns = [
    nameColumn(field),
    accuracyColumn,
    lossColumn(field),
    ...field.measures.map(measure => measureColumn(measure, field)),
    wordsColumn,
    reasonColumn,
  ];
  return tableOf(`Variants of ${task}`, columns, kept, rowOf);
}
