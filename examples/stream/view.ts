/** What is chosen, while it happens: a block that is rewritten on a terminal, lines in a pipe. */
import type {LiveSummary, Served, TaskAnswer} from 'dnnc/live';
import type {Limits} from 'dnnc/schedule';
import {canPreview, preview} from '../preview.js';

export type Seen = {
  /** Seconds since the stream began. */
  readonly time: number;
  readonly served: Served;
  readonly answers: readonly TaskAnswer[];
  readonly connected: boolean;
  /** 48 x 48 pixels, where it is one of ours. */
  readonly picture: Uint8Array | null;
};

export type View = {show(seen: Seen, summary: () => LiveSummary): void; end(): void};

/** Seconds between pictures on a terminal, and lines in a pipe where nothing changes. */
const terminalEvery = 0.2;
const pipeEvery = 2;
const bar = 30;

export function viewOf(limits: Limits): View {
  const {stdout} = process;
  const lastChoice = new Map<string, string>();
  const recent = new Map<string, string>();
  let [shownAt, height] = [Number.NEGATIVE_INFINITY, 0];

  const block = (seen: Seen, {used, served, requests, waits}: LiveSummary): readonly string[] => [
    ...(seen.picture && canPreview(stdout, 1)
      ? preview([{image: seen.picture, caption: ''}])
          .split('\n')
          .slice(1)
      : []),
    ...recent.values(),
    `connection ${seen.connected ? 'up' : 'down'}; answered on the device ${served.device}, by the server ${served.cloud}, by both ${served.split}, not ${served.none} of ${requests}`,
    waits ? `answers after ${waits.p50.toFixed(1)} ms, 95% within ${waits.p95.toFixed(1)} ms` : '',
    ...budgetLines(used, limits),
  ];
  return {
    show(seen, summary) {
      const line = lineOf(seen);
      recent.set(seen.served.request, line);
      if (stdout.isTTY) {
        if (seen.time - shownAt < terminalEvery) return;
        const lines = block(seen, summary());
        stdout.write(`${height > 0 ? `\x1b[${height}A` : ''}${lines.map(each => `\x1b[2K${each}\n`).join('')}\x1b[J`);
        height = lines.length;
      } else {
        const choice = `${seen.served.variant} ${seen.served.place} ${seen.connected}`;
        if (lastChoice.get(seen.served.request) === choice && seen.time - shownAt < pipeEvery) return;
        lastChoice.set(seen.served.request, choice);
        stdout.write(`${line}\n`);
      }
      shownAt = seen.time;
    },
    end() {
      if (stdout.isTTY) stdout.write('\n');
    },
  };
}

function lineOf({time, served: {request, variant, place, milliseconds, failure}, answers, connected}: Seen): string {
  const what = variant === null ? 'not answered' : `${variant} (${place}) in ${milliseconds.toFixed(1)} ms`;
  const labels = answers.map(({task, label, index}) => `${task} ${label ?? index}`).join(', ');
  const note = `${failure === undefined ? '' : ', the server did not answer'}${connected ? '' : ', no connection'}`;
  return `${time.toFixed(1).padStart(6)} s  ${request.padEnd(4)}  ${what}${note}${labels ? `: ${labels}` : ''}`;
}

function budgetLines(used: LiveSummary['used'], limits: Limits): readonly string[] {
  const budgets = [
    ['energy', used.energy, limits.energy, 'J'],
    ['money', used.money, limits.money, '$'],
    ['data', used.data, limits.data, 'bytes'],
  ] as const;
  return budgets
    .filter(([, , limit]) => limit < Infinity)
    .map(([name, amount, limit, unit]) => {
      const part = limit > 0 ? Math.min(1, amount / limit) : 1;
      const full = Math.round(bar * part);
      return `${name.padEnd(6)} ${'#'.repeat(full)}${'.'.repeat(bar - full)} ${(100 * part).toFixed(1)}% of ${Number(limit.toPrecision(4))} ${unit}`;
    });
}
