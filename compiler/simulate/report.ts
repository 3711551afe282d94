/** A simulated day as one HTML page: no network, no script, light or dark as the reader's system is. */
import {type PolicyName, type Problem, policies, type Setting} from '../../runtime/schedule/index.js';
import {type Slice, type Summary, simulate, type Timeline, type Trace, timeline} from '../../runtime/simulate/index.js';
import {type Html, html} from '../page/html.js';
import {legend, page, section, tones} from '../page/page.js';
import {curves, type Day, percents, type Series, stack} from './plots.js';

/** Accuracies in percent that no scheduler can exceed. */
type BoundAccuracies = {readonly linear: number; readonly charged: number};
type Drawn = {readonly summary: Summary; readonly slices: readonly Slice[]};

const slicesPerDay = 120;
/** Variants with a colour of their own; the others share the last one. */
const mostNamed = tones - 1;

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
  const outages = main.slices.map(({requests, connected}) => (requests === 0 ? 0 : 1 - connected / requests));
  const day: Day = {hours: length / 3600, outages};
  const {policy} = main.summary;
  const accuracies: Series[] = all.map(({summary, slices}, i) => ({name: summary.policy, values: running(slices), tone: i}));
  if (!names.includes('oracle')) accuracies.push({name: 'oracle', values: running(oracle.slices), tone: all.length});
  const drawn = (draw: typeof curves, title: string, says: string, series: readonly Series[]): Html =>
    section(title, says, [draw(title, series, percents, day), legend(series)]);
  const title = `${problem.name}: ${policy}`;
  const body = html`<h1>${title}</h1>
<p>${summaryText(main.summary, bounds)}</p>
${tableOf([...all, ...(names.includes('oracle') ? [] : [oracle])], bounds)}
${drawn(curves, 'Accuracy so far', 'Of all answers asked for since the day began; the oracle knows the day.', accuracies)}
${drawn(stack, `Where ${policy} answers`, 'Part of the requests. What is missing was not served.', placesOf(main.slices))}
${drawn(stack, `What ${policy} chooses`, 'Part of the requests, by variant and place.', variantsOf(main.slices))}
${drawn(curves, `What ${policy} has left`, 'Part of each budget.', budgetsOf(main.slices))}
<p class="note">Dark ground: most requests of the slice came without a connection.</p>`;
  return page({title, body});
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

function tableOf(all: readonly Drawn[], {charged}: BoundAccuracies): Html {
  const rows = all.map(({summary: {policy, accuracy, weightedAccuracy, requests, served, used, paged}}) => {
    const part = (count: number): string => `${((100 * count) / Math.max(1, requests)).toFixed(1)}%`;
    const cells = [
      ...[policy, `${accuracy.toFixed(2)}%`, `${(charged - weightedAccuracy).toFixed(2)}`],
      ...[part(served.device), part(served.cloud), part(served.split), part(served.none)],
      ...[`${used.energy.toFixed(1)} J`, `$${used.money.toFixed(4)}`, `${(used.data / 1e6).toFixed(1)} MB`, `${paged}`],
    ];
    return html`<tr>${cells.map(cell => html`<td>${cell}</td>`)}</tr>`;
  });
  return html`<div class="wide"><table><tr>${heads.map(head => html`<th>${head}</th>`)}</tr>${rows}</table></div>`;
}

const heads = [
  ...['policy', 'accuracy', 'points below the bound', 'device', 'cloud', 'split', 'none'],
  ...['energy', 'money', 'data', 'loads'],
];
