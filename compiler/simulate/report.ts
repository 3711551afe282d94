/** A simulated day as one HTML page: no network, no script, light or dark as the reader's system is. */
import {type PolicyName, type Problem, policies, type Setting} from '../../runtime/schedule/index.js';
import {type Slice, type Summary, simulate, type Timeline, type Trace, timeline} from '../../runtime/simulate/index.js';
import {curves, escaped, legend, type Series, stack} from './plots.js';

/** Accuracies in percent that no scheduler can exceed. */
type BoundAccuracies = {readonly linear: number; readonly charged: number};
type Drawn = {readonly summary: Summary; readonly slices: readonly Slice[]};

const slicesPerDay = 120;
/** Variants with a colour of their own; the others share the last one. */
const mostNamed = 7;

export function reportOf(
  problem: Problem,
  setting: Setting,
  trace: Trace,
  names: readonly PolicyName[],
  bounds: BoundAccuracies,
): string {
  const length = Math.max(lastOf(trace), 1);
  const draw = (name: PolicyName): Drawn => {
    const line: Timeline = timeline(problem, setting.limits, length, slicesPerDay);
    return {summary: simulate({problem, setting, policy: policies[name], trace, watch: line.see}), slices: line.slices};
  };
  const all = names.map(draw);
  const main = all[names.indexOf('dnnc')] ?? all[0]!;
  const oracle = all[names.indexOf('oracle')] ?? draw('oracle');
  const hours = length / 3600;
  const off = main.slices.map(({requests, connected}) => (requests === 0 ? 0 : 1 - connected / requests));
  const {policy} = main.summary;
  const accuracies: Series[] = all.map(({summary, slices}, i) => ({name: summary.policy, values: running(slices), tone: i}));
  if (!names.includes('oracle')) accuracies.push({name: 'oracle', values: running(oracle.slices), tone: all.length});
  const [places, variants, budgets] = [placesOf(main.slices), variantsOf(main.slices), budgetsOf(main.slices)];
  const percents = {least: 0, most: 100, unit: '%'};
  return page(`${problem.name}: ${policy}`, [
    `<p>${summaryText(main.summary, bounds)}</p>`,
    tableOf([...all, ...(names.includes('oracle') ? [] : [oracle])], bounds),
    section(
      'Accuracy so far',
      'Of all answers asked for since the day began; the oracle knows the day.',
      accuracies,
      curves(accuracies, percents, hours, off),
    ),
    section(
      `Where ${policy} answers`,
      'Part of the requests. What is missing was not served.',
      places,
      stack(places, percents, hours, off),
    ),
    section(
      `What ${policy} chooses`,
      'Part of the requests, by variant and place.',
      variants,
      stack(variants, percents, hours, off),
    ),
    section(`What ${policy} has left`, 'Part of each budget.', budgets, curves(budgets, percents, hours, off)),
    '<p class="note">Dark ground: most requests of the slice came without a connection.</p>',
  ]);
}

function lastOf(trace: Trace): number {
  let last = 0;
  for (const {time} of trace) last = time;
  return last;
}

function running(slices: readonly Slice[]): readonly number[] {
  let [accuracy, results] = [0, 0];
  return slices.map(slice => {
    accuracy += slice.accuracy;
    results += slice.results;
    return results > 0 ? accuracy / results : Number.NaN;
  });
}

const partOf = (count: number, {requests}: Slice): number => (requests > 0 ? (100 * count) / requests : 0);

const placesOf = (slices: readonly Slice[]): readonly Series[] =>
  (['device', 'cloud', 'split'] as const)
    .map((name, tone) => ({name, tone, values: slices.map(slice => partOf(slice[name], slice))}))
    .filter(({values}) => values.some(value => value > 0));

const budgetsOf = (slices: readonly Slice[]): readonly Series[] =>
  (
    [
      ['energy', 'energyLeft'],
      ['money', 'moneyLeft'],
      ['data', 'dataLeft'],
    ] as const
  ).map(([name, field], tone) => ({name, tone, values: slices.map(slice => 100 * slice[field])}));

/** The most used ones first, the rest as one. */
function variantsOf(slices: readonly Slice[]): readonly Series[] {
  const totals = new Map<string, number>();
  for (const {variants} of slices) for (const [name, count] of variants) totals.set(name, (totals.get(name) ?? 0) + count);
  const ranked = [...totals].sort(([, a], [, b]) => b - a).map(([name]) => name);
  const named = ranked.slice(0, mostNamed);
  const others = ranked.slice(mostNamed);
  const valuesOf = (members: readonly string[]): readonly number[] =>
    slices.map(slice =>
      partOf(
        members.reduce((sum, name) => sum + (slice.variants.get(name) ?? 0), 0),
        slice,
      ),
    );
  const series = named.map((name, tone) => ({name, tone, values: valuesOf([name])}));
  return others.length > 0 ? [...series, {name: 'others', tone: mostNamed, values: valuesOf(others)}] : series;
}

const summaryText = ({requests, served, accuracy, overspent}: Summary, {charged}: BoundAccuracies): string =>
  `${requests} requests, ${((100 * (requests - served.none)) / Math.max(1, requests)).toFixed(1)}% served; accuracy ` +
  `${accuracy.toFixed(2)}% where no scheduler exceeds ${charged.toFixed(2)}%${overspent ? '; a budget was exceeded' : ''}.`;

function tableOf(all: readonly Drawn[], {charged}: BoundAccuracies): string {
  const rows = all.map(({summary: {policy, accuracy, weightedAccuracy, requests, served, used, paged}}) => {
    const part = (count: number): string => `${((100 * count) / Math.max(1, requests)).toFixed(1)}%`;
    const cells = [
      ...[policy, `${accuracy.toFixed(2)}%`, `${(charged - weightedAccuracy).toFixed(2)}`],
      ...[part(served.device), part(served.cloud), part(served.split), part(served.none)],
      ...[`${used.energy.toFixed(1)} J`, `$${used.money.toFixed(4)}`, `${(used.data / 1e6).toFixed(1)} MB`, `${paged}`],
    ];
    return `<tr>${cells.map(cell => `<td>${escaped(cell)}</td>`).join('')}</tr>`;
  });
  const heads = [
    'policy',
    'accuracy',
    'points below the bound',
    'device',
    'cloud',
    'split',
    'none',
    'energy',
    'money',
    'data',
    'loads',
  ];
  return `<table><tr>${heads.map(head => `<th>${head}</th>`).join('')}</tr>${rows.join('')}</table>`;
}

const section = (title: string, says: string, series: readonly Series[], picture: string): string =>
  `<h2>${escaped(title)}</h2><p class="note">${escaped(says)}</p>${picture}${legend(series)}`;

const light = ['#0b6bcb', '#d9730d', '#3a8f5c', '#a63d8f', '#8a6d00', '#4b5bd1', '#b3403a', '#7a8590'];
const dark = ['#5aa9ff', '#ff9d4d', '#6fd198', '#e288cf', '#d9b94a', '#9aa5ff', '#ff8a80', '#9aa5b1'];
const tones = (colours: readonly string[]): string => colours.map((colour, i) => `--t${i}:${colour}`).join(';');

const page = (title: string, parts: readonly string[]): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escaped(title)}</title>
<style>
:root{color-scheme:light dark;--paper:#fff;--ink:#1d2127;--soft:#67707c;--grid:#d9dde3;--off:#5f6b7a22;${tones(light)}}
@media (prefers-color-scheme: dark){:root{--paper:#15181d;--ink:#e6e9ee;--soft:#98a2af;--grid:#333a44;--off:#aab4c222;${tones(dark)}}}
body{background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif;max-width:900px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.05rem;margin:1.6rem 0 0}.note,.legend{color:var(--soft);font-size:.85rem;margin:.2rem 0}
table{border-collapse:collapse;font-size:.85rem;display:block;overflow-x:auto}th,td{padding:.2rem .6rem;text-align:right;border-bottom:1px solid var(--grid)}
th{color:var(--soft);font-weight:500}th:first-child,td:first-child{text-align:left}
svg{width:100%;height:auto;display:block}svg text{fill:var(--soft);font-size:11px}.grid{stroke:var(--grid)}.off{fill:var(--off)}
.line{fill:none;stroke-width:1.8}.legend span{margin-right:1rem}.legend i{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.35em}
${light.map((_, i) => `.line.t${i}{stroke:var(--t${i})}.area.t${i}{fill:var(--t${i})}i.t${i}{background:var(--t${i})}`).join('')}
</style></head><body><h1>${escaped(title)}</h1>
${parts.join('\n')}
</body></html>`;
