/** What commands print: one JSON document with `--json`, words otherwise; progress on a terminal's standard error only. */

export const printJson = (document: unknown): void => {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
};

export const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** What a user should know now, though all goes on. */
export const warning = (text: string): void => {
  process.stderr.write(`dnnc: ${text}\n`);
};

/** A line that is rewritten on a terminal, and nothing in a pipe. */
export type Progress = {(doing: string): void; done(): void};

export function progress(): Progress {
  const {stderr} = process;
  if (!stderr.isTTY) return Object.assign(() => {}, {done: () => {}});
  const show = (doing: string): void => {
    stderr.write(`\r\x1b[K${doing} ...`);
  };
  return Object.assign(show, {done: () => void stderr.write('\r\x1b[K')});
}

/** 1234567 -> "1.2 MB" */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const [size, unit] = bytes < 1e6 ? [bytes / 1e3, 'kB'] : bytes < 1e9 ? [bytes / 1e6, 'MB'] : [bytes / 1e9, 'GB'];
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${unit}`;
}

/** 12345678 -> "12.3 M" */
export function countText(count: number): string {
  if (count < 1000) return String(count);
  const [size, unit] = count < 1e6 ? [count / 1e3, 'k'] : count < 1e9 ? [count / 1e6, 'M'] : [count / 1e9, 'G'];
  return `${size.toFixed(1)} ${unit}`;
}

/** Milliseconds with three digits. */
export const timeText = (milliseconds: number): string =>
  milliseconds < 1
    ? `${Math.round(milliseconds * 1000)} us`
    : milliseconds < 1000
      ? `${milliseconds.toPrecision(3)} ms`
      : `${(milliseconds / 1000).toFixed(1)} s`;

/** Rows in columns; columns of numbers to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0))) ?? [];
  const numeric = widths.map((_, column) => rows.slice(1).every(row => /^[-\d.]/.test(row[column] ?? '') || row[column] === ''));
  return rows
    .map(row =>
      row
        .map((cell, i) => (numeric[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
