/** Tables that the page's script makes sortable: what a column sorts by stands beside what it shows. */
import {type Html, html, type Part} from '../page/html.js';

/** `by` is a number to sort by; absent: the text. */
export type Cell = {readonly text: Part; readonly by?: number};

export type Column<R> = {
  readonly head: Part;
  /** Text is to the left, numbers to the right. */
  readonly isText?: boolean;
  /** null: it does not apply. */
  readonly cell: (row: R) => Cell | null;
};

export const textCell = (text: string | null | undefined): Cell | null =>
  text === undefined || text === null || text === '' ? null : {text};

export const numberCell = (value: number | null | undefined, text: (value: number) => Part): Cell | null =>
  value === undefined || value === null ? null : {text: text(value), by: Number(value.toPrecision(6))};

/** The first column names the row. Columns that apply to no row are left out. `attributes` are those of a row's tag. */
export function tableOf<R>(
  caption: Part,
  columns: readonly Column<R>[],
  rows: readonly R[],
  attributes: (row: R) => Html | null = () => null,
): Html {
  const cells = rows.map(row => columns.map(({cell}) => cell(row)));
  const shown = columns.map((_, at) => at).filter(at => cells.some(row => row[at]));
  const heads = shown.map(
    at => html`<th scope="col"${columns[at]!.isText ? html` class="text"` : null}>${columns[at]!.head}</th>`,
  );
  const lines = rows.map((row, i) => {
    const its = shown.map((at, place) => cellOf(cells[i]![at] ?? null, place === 0, columns[at]!.isText ?? false));
    return html`<tr${attributes(row)}>${its}</tr>
`;
  });
  return html`<div class="wide" tabindex="0" role="region" aria-label="${caption}"><table class="sortable"><caption>${caption}</caption><thead><tr>${heads}</tr></thead><tbody>
${lines}</tbody></table></div>`;
}

function cellOf(cell: Cell | null, isName: boolean, isText: boolean): Html {
  const kind = isText ? html` class="text"` : null;
  const by = cell?.by === undefined ? null : html` data-by="${cell.by}"`;
  return isName ? html`<th scope="row"${kind}${by}>${cell?.text ?? null}</th>` : html`<td${kind}${by}>${cell?.text ?? null}</td>`;
}
