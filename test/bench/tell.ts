/** The tables as people read them. */
import {basename} from 'node:path';
import {bytesText, countText, say, table, timeText} from '../../compiler/output.js';
import type {FirstResult} from './first-result.js';
import {type Change, type Failure, isRow, meanOf, meansOf, type Row} from './rows.js';

export type Table = {
  readonly host: {readonly cpu: string; readonly node: string; readonly compiler: string; readonly date: string};
  readonly rows: readonly (Row | Failure)[];
  /** Whether onnxruntime was there to compare with. */
  readonly peer: boolean;
  readonly changes: {readonly since: string; readonly changes: readonly Change[]} | null;
};

export function tell({host, rows, peer, changes}: Table): void {
  say(`${host.cpu}; node ${host.node}; ${host.compiler}; ${host.date.slice(0, 10)}; one thread\n`);
  const measured = rows.filter(isRow);
  const several = new Set(measured.map(row => row.target)).size > 1;
  const named = (row: Row): readonly string[] => [basename(row.model, '.onnx'), ...(several ? [row.target] : [])];
  const head = ['model', ...(several ? ['target'] : [])];
  if (measured.length > 0) {
    say(table([[...head, ...speedHead(peer)], ...measured.map(row => [...named(row), ...speedOf(row, peer)])]));
    say(`\n${table([[...head, ...sizeHead], ...measured.map(row => [...named(row), ...sizeOf(row)])])}`);
  }
  for (const row of rows) if (!isRow(row)) say(`\n${row.model}: ${row.error}`);
  const means = meansOf(rows);
  if (means.length > 0) say('');
  for (const {models, target, ratio, least, count} of means)
    say(`geometric mean of ${count} ratios, ${models} models, ${target}: ${ratio.toFixed(2)}x, the least ${least.toFixed(2)}x`);
  if (!peer) say('\nonnxruntime-node is not installed: nothing to compare with');
  if (changes) tellChanges(changes.changes, changes.since);
}

/** Time per call, and until the first result of a fresh process, with the memory that it then has beyond Node's own. */
function speedHead(peer: boolean): readonly string[] {
  const [against, first] = peer
    ? [
        ['onnxruntime', 'ratio'],
        ['onnxruntime', 'memory', 'onnxruntime'],
      ]
    : [[], ['memory']];
  return ['MACs', 'floor', 'time', ...against, 'first result', ...first];
}

function speedOf(row: Row, peer: boolean): readonly string[] {
  const {ours, onnxruntime} = row.first ?? {ours: null, onnxruntime: null};
  const [time, memory] = [
    (result: FirstResult | null): string => (result ? timeText(result.milliseconds) : ''),
    (result: FirstResult | null): string => (result ? bytesText(result.bytes) : ''),
  ];
  return [
    countText(row.macs),
    timeText(row.floor),
    timeText(row.ours.p50),
    ...(peer ? [timeText(row.onnxruntime!.p50), `${row.ratio!.toFixed(2)}x`] : []),
    time(ours),
    ...(peer ? [time(onnxruntime)] : []),
    memory(ours),
    ...(peer ? [memory(onnxruntime)] : []),
  ];
}

const sizeHead = ['weights', 'packed', 'arena', 'of bound', 'code', 'cc s', 'build s'];

function sizeOf(row: Row): readonly string[] {
  return [
    bytesText(row.weightBytes),
    bytesText(row.packedBytes),
    bytesText(row.arenaBytes),
    row.arenaLowerBound > 0 ? `${((100 * row.arenaBytes) / row.arenaLowerBound).toFixed(1)}%` : '-',
    bytesText(row.codeBytes),
    row.compileSeconds.toFixed(1),
    row.buildSeconds.toFixed(1),
  ];
}

/** Models whose ratio moved by more than a twentieth, and all together. */
function tellChanges(moved: readonly Change[], since: string): void {
  const factor = ({before, now}: Change): number => now / before;
  const far = moved.filter(change => Math.abs(Math.log(factor(change))) > Math.log(1.05));
  say(`\nagainst ${since}: ${meanOf(moved.map(factor)).toFixed(3)} times the ratios, as a geometric mean`);
  for (const change of far)
    say(`${change.model}, ${change.target}: ${change.before.toFixed(2)}x before, ${change.now.toFixed(2)}x now`);
}
