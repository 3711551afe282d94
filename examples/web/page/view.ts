/** What the page shows. */
import type {Manifest} from 'dnnc/wasm';
import {joulesOf} from './day.js';

export function element<K extends keyof HTMLElementTagNameMap>(id: string, tag: K): HTMLElementTagNameMap[K] {
  const found = document.getElementById(id);
  if (found instanceof HTMLElement && found.localName === tag) return found as HTMLElementTagNameMap[K];
  throw new Error(`there is no <${tag}> called ${id}`);
}

/** `answer` and `variant` are null where nobody was asked. */
export type Row = {
  readonly answer: string | null;
  readonly truth: string;
  readonly variant: string | null;
  readonly milliseconds: number | null;
};

/** Rows for all tasks; returns what changes one. `right` is the part of the answers so far. */
export function answersTable(tasks: readonly string[]): (task: string, row: Row, right: number) => void {
  const rows = new Map(tasks.map(task => [task, rowIn('answers', task, ['', '', '', '', ''], 3)]));
  return (task, {answer, truth, variant, milliseconds}, right) => {
    const cells = rows.get(task)!;
    const isRight = answer === truth;
    const mark = isRight ? '✓' : '✗'; // colours alone would not do
    const told = answer === null ? 'not asked' : `${mark} ${answer}`;
    const recipe = variant?.slice(task.length + 1) ?? ''; // after the name of the task
    write(cells, [told, truth, recipe, milliseconds?.toFixed(2) ?? '', percent(right)]);
    cells[0]!.className = answer === null ? 'none' : isRight ? 'right' : 'wrong';
  };
}

/** Rows for all variants; returns what says how often one was chosen, as a part of its task's requests. */
export function variantsTable({variants}: Manifest, times: ReadonlyMap<string, number>): (id: string, chosen: number) => void {
  const rows = new Map(
    variants.map(({id, quality}) => {
      const ms = times.get(id) ?? 0;
      const facts = [quality ? `${quality.value.toFixed(1)}%` : '', ms.toFixed(3), (1000 * joulesOf(ms)).toFixed(2), percent(0)];
      return [id, rowIn('variants', id, facts, 0)];
    }),
  );
  return (id, chosen) => write(rows.get(id)!.slice(-1), [percent(chosen)]);
}

function rowIn(table: string, name: string, texts: readonly string[], words: number): readonly HTMLTableCellElement[] {
  const row = element(table, 'tbody').insertRow();
  row.dataset.name = name;
  const head = document.createElement('th');
  head.scope = 'row';
  head.textContent = name;
  row.append(head);
  return texts.map((text, i) => {
    const cell = row.insertCell();
    cell.textContent = text;
    if (i >= words) cell.className = 'number';
    return cell;
  });
}

function write(cells: readonly HTMLTableCellElement[], texts: readonly string[]): void {
  for (const [i, cell] of cells.entries()) cell.textContent = texts[i] ?? '';
}

export const percent = (part: number): string => `${Math.round(100 * part)}%`;

export const millijoules = (joules: number): string => `${Math.round(1000 * joules)} mJ`;

export function say(text: string, failed = false): void {
  const status = element('status', 'p');
  status.textContent = text;
  status.className = failed ? 'failed' : '';
}
