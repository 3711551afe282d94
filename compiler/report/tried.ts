/** What a catalog tried: all of it, with what came of it and why. */
import {type Html, html} from '../page/html.js';
import type {Contender} from './contenders.js';
import {type Column, numberCell, tableOf, textCell} from './table.js';
import {accuracyColumn, type Field, lossColumn, measureColumn, nameColumn, reasonColumn, rowOf} from './variants.js';
import {counted} from './words.js';

/** null where there was no catalog. */
export function triedTable(task: string, field: Field): Html | null {
  const tried = field.contenders.filter(contender => contender.tried !== null);
  if (tried.length === 0) return null;
  const dropped = tried.filter(({variant}) => variant === null);
  const seconds = tried.reduce((sum, contender) => sum + contender.tried!.seconds, 0);
  const columns: readonly Column<Contender>[] = [
    nameColumn(field),
    {head: 'fate', isText: true, cell: ({variant}) => textCell(variant === null ? 'dropped' : 'kept')},
    reasonColumn,
    {head: 'made from', isText: true, cell: contender => textCell(contender.tried?.from)},
    accuracyColumn,
    {head: 'samples', cell: contender => numberCell(contender.tried?.accuracy?.n, value => value)},
    lossColumn(field),
    ...field.measures.filter(({isPlotted}) => isPlotted).map(measure => measureColumn(measure, field)),
    {head: 'took', cell: contender => numberCell(contender.tried?.seconds, value => `${value.toFixed(1)} s`)},
  ];
  return html`<details class="filtered"><summary>What was tried: ${counted(tried.length, 'recipe')}, ${dropped.length} of them dropped, in ${seconds.toFixed(0)} s</summary>
<p class="filter" hidden><label>Only rows with <input type="search" spellcheck="false"></label> <label><input type="checkbox"> dropped only</label> <output></output></p>
${tableOf(`Tried for ${task}`, columns, tried, droppedRow)}</details>`;
}

/** What was kept has its row in the other table. */
const droppedRow = (contender: Contender): Html | null =>
  contender.variant === null ? html`${rowOf(contender)} class="is-dropped"` : null;
