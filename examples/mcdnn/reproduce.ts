/**
 * `npm run reproduce`: the paper's evaluation with our figures beside its own, and our policies over a grid of days. `--json`
 * prints one document. It takes some minutes.
 */
import {mcdnnPolicy} from 'dnnc/schedule';
import {
  boundaries,
  damping,
  energies,
  moneys,
  type Row,
  releasedBound,
  releasedByEnergy,
  releasedByMoney,
  releasedClient,
  releasedLeft,
  releasedSeparate,
  releasedServer,
  rowOf,
  transmits as sent,
} from './budgets.js';
import {models} from './catalogs.js';
import {compared, twisted, twists} from './compare.js';
import {noticed, rules, streams} from './contexts.js';
import {decodeTable} from './decode.js';
import {modelledJoules} from './energy.js';
import {figure11} from './figure11.js';
import {figure12Policies, proportions, published, servedAt, transmits} from './figure12.js';
import {faceSteps, golden} from './golden.js';
import {publishedRepairs, repaired, repairs} from './repairs.js';
import {decisionTimes} from './speed.js';

const isJson = process.argv.includes('--json');
const say = (line = ''): void => void (isJson ? undefined : process.stdout.write(`${line}\n`));
const progress = (text: string): void => void (process.stderr.isTTY && process.stderr.write(`\r\x1b[K${text}`));
const heading = (text: string): void => {
  progress('');
  say(`\n${text}`);
};
const two = (value: number): string => (Number.isNaN(value) ? '-' : value.toFixed(2));
const percent = (part: number): string => (100 * part).toFixed(2);
const columns = (label: string, values: readonly (number | string)[]): void =>
  say(label.padEnd(34) + values.map(value => (typeof value === 'number' ? two(value) : value).padStart(8)).join(''));

/** One figure of every row. */
const column = (label: string, rows: readonly Row[], of: keyof Row): void =>
  columns(
    label,
    rows.map(row => row[of]),
  );

heading('Energy of a call on the device, J (the model of jetson-tk1 knows the object task, not the face task)');
for (const [task, rows] of [
  ['object', models.object],
  ['face', models.face],
] as const) {
  columns(
    task,
    rows.map(({id}) => id),
  );
  columns(
    'paper',
    rows.map(row => row.deviceJoules),
  );
  columns('modelled', rows.map(modelledJoules));
}

heading('The golden day (C1, C16; figure 13; means of 5 draws of the arrivals)');
const day = golden();
const separate = golden('separate');
columns('', ['paper', 'ours', 'least', 'most', 'served']);
const paper = {mcdnn: 80.69, server: 51.57, client: 52.51, dnnc: Number.NaN, oracle: Number.NaN};
for (const name of ['mcdnn', 'server', 'client', 'dnnc', 'oracle'] as const) {
  const {accuracy, least, most, served} = day[name];
  columns(name, [paper[name], accuracy, least, most, served]);
}
say('Without sharing (paper 63.42, 50.31, 13.17)');
for (const name of ['mcdnn', 'server', 'client', 'dnnc', 'oracle'] as const)
  columns(name, ['-', separate[name].accuracy, separate[name].least, separate[name].most, separate[name].served]);

heading('Figure 13 (C9, C24): accuracy of the face task under mcdnn, where it changes [second, percent]');
const steps = faceSteps(1, mcdnnPolicy('mcdnn', {places: 'both', reserve: false, paced: false}));
say(
  steps
    .slice(0, 24)
    .map(([time, accuracy]) => `${time}: ${accuracy}`)
    .join(', '),
);
say('paper: 8: 69.2, 9: 75.7, 2498: 66.7, 8905: 75.7, 10966: 66.7, ..., 26240: 66.7, 27453: 69.2, 28606: 75.7, 34770: 69.2');

heading("Accuracy by energy budget, J (C2; the authors' rule run again, whose budgets are soft, and its bound)");
const byEnergy = energies.map(energy => rowOf('share', {energy}));
columns('', energies.map(String));
columns(
  'paper, server',
  energies.map(() => releasedServer),
);
columns('paper, client', releasedClient);
columns('paper, mcdnn', releasedByEnergy);
columns('paper, bound', releasedBound);
column('server', byEnergy, 'server');
column('client', byEnergy, 'client');
column('mcdnn', byEnergy, 'mcdnn');
column('dnnc', byEnergy, 'dnnc');
column('oracle', byEnergy, 'oracle');
const bySeparate = energies.map(energy => rowOf('separate', {energy}));
columns('no sharing: paper, mcdnn', releasedSeparate);
column('no sharing: mcdnn', bySeparate, 'mcdnn');
column('no sharing: dnnc', bySeparate, 'dnnc');

heading('Accuracy by cloud budget, $ (C26)');
const byMoney = moneys.map(money => rowOf('share', {money}));
columns('', moneys.map(String));
columns('paper, mcdnn', releasedByMoney);
column('mcdnn', byMoney, 'mcdnn');
column('dnnc', byMoney, 'dnnc');

heading("Energy left at the end by energy of a transmission, J (C4; 1800 J; the authors' rule overspends)");
const byTransmit = sent.map(transmit => rowOf('share', {transmit}));
columns('', sent.map(String));
columns('paper, mcdnn', releasedLeft);
column('dnnc', byTransmit, 'left');
column('dnnc, accuracy', byTransmit, 'dnnc');

heading('Loads damp changes of place (C8): changes of place, loads, accuracy; 50 MB, $0.005');
const damped = boundaries.map(energy => {
  say(`${energy} J`);
  const rows = damping(energy);
  for (const [name, ...values] of rows) columns(name, values);
  return {energy, rows};
});

heading('Figure 11 (C6): paging, served part / J per request / accuracy by load rate');
const paging = figure11();
for (const {name, rows} of paging) for (const [label, values] of rows) columns(`${name}, ${label}`, values);

heading('Figure 12 (C5): percent served by proportion of cheap requests, and joules of a transmission');
columns('', proportions.map(two));
const locations = transmits.map(joules => {
  const row = (name: keyof typeof figure12Policies) => proportions.map(part => servedAt(part, joules, figure12Policies[name]));
  const ours = {server: row('server'), mcdnn: row('mcdnn'), dnnc: row('dnnc')};
  columns(`${joules} J: paper, MCDNN`, published[joules].mcdnn);
  columns(`${joules} J: mcdnn`, ours.mcdnn);
  columns(`${joules} J: dnnc`, ours.dnnc);
  columns(`${joules} J: paper, server first`, published[joules].server);
  columns(`${joules} J: cloud-only`, ours.server);
  return {transmit: joules, ...ours};
});

heading('Contexts of faces (C19, C20): percent of requests in which one is noticed, in spells / outside (3 draws of the day)');
const contexts = Object.entries(streams).flatMap(([stream, spells]) =>
  Object.entries(rules).map(([rule, how]) => {
    const days = [1, 2, 3].map(seed => noticed(spells, how, seed));
    const mean = (of: 'inside' | 'outside'): number => days.reduce((sum, day) => sum + day[of] / days.length, 0);
    columns(`${stream.split(',')[0]} ${rule}`, [mean('inside'), mean('outside')]);
    return {stream, rule, inside: mean('inside'), outside: mean('outside')};
  }),
);

heading("The authors' rule, repaired (C30): accuracy, change, percent served, J left, specialized answers; 3 draws");
const repairRows = (['s1', 's2'] as const).map(scenario => {
  const {none, released, window} = publishedRepairs[scenario];
  say(`${scenario}; their trace: ${none} without specialization, ${released} as released, ${window} with the window repaired`);
  const rows = Object.entries(repairs).map(([name, repair]) => [name, repaired(scenario, repair)] as const);
  const base = rows.find(([name]) => name === 'released')![1].accuracy;
  for (const [name, {accuracy, served, energyLeft, specialized}] of rows)
    columns(name, [accuracy, accuracy - base, served, energyLeft, specialized]);
  return [scenario, Object.fromEntries(rows)] as const;
});

heading('The face catalogue decoded into passes (C12; MFLOPs and MB, computed / reported)');
const decoded = decodeTable();
for (const {id, change, megaflops, megabytes, reported} of decoded)
  columns(`${id} ${change}`.slice(0, 33), [megaflops, reported.megaflops, megabytes, reported.megabytes]);

heading('Policies over days: percent of the load-charged bound, 64 points x 3 seeds each');
const families = compared(progress);
progress('');
columns('', ['dnnc', 'of LP', 'worst', 'oracle', 'mcdnn', 'below', 'over']);
for (const [name, {charged, linear, worst, oracle, mcdnn, below, overspent}] of Object.entries(families))
  columns(name, [percent(charged), percent(linear), percent(worst), percent(oracle), percent(mcdnn), two(below), `${overspent}`]);

heading('Told wrongly: percent of the load-charged bound, 16 stationary points');
columns('', ['dnnc', 'worst', 'mcdnn', 'over']);
const wrong = Object.entries(twists).map(([name, twist]) => {
  progress(name);
  const result = twisted(twist);
  progress('');
  columns(name.slice(0, 34), [percent(result.charged), percent(result.worst), percent(result.mcdnn), `${result.overspent}`]);
  return [name, result] as const;
});

heading('Microseconds of CPU per decision, 100 variants');
const times = decisionTimes(['device-only', 'cloud-only', 'mcdnn', 'dnnc', 'oracle']);
columns(
  '',
  times.map(([name]) => name.slice(0, 7)),
);
columns(
  '',
  times.map(([, time]) => time),
);

const usual = [families.stationary, families.bursty, families['step-up']];
const mean = (of: (family: (typeof usual)[number]) => number): number =>
  usual.reduce((sum, family) => sum + of(family), 0) / usual.length;
if (isJson)
  process.stdout.write(
    `${JSON.stringify({
      golden: {mcdnn: day.mcdnn.accuracy, server: day.server.accuracy, client: day.client.accuracy, dnnc: day.dnnc.accuracy},
      policies: {
        shareOfChargedBound: mean(({charged}) => charged),
        shareOfLp: mean(({linear}) => linear),
        worst: Math.min(...usual.map(({worst}) => worst)),
        belowBestMcdnn: Math.max(0, families.stationary.below),
        overspent:
          Object.values(families).reduce((sum, {overspent}) => sum + overspent, 0) +
          wrong.reduce((sum, [, {overspent}]) => sum + overspent, 0),
      },
      ...{
        families,
        wrong: Object.fromEntries(wrong),
        separate,
        figure12: locations,
        figure13: steps,
        figure11: paging,
        decoded,
        contexts,
        repairs: Object.fromEntries(repairRows),
        damping: damped,
      },
      energies: Object.fromEntries(
        [...models.object, ...models.face].map(row => [row.id, [row.deviceJoules, modelledJoules(row)]]),
      ),
      budgets: {energy: byEnergy, money: byMoney, transmit: byTransmit, separate: bySeparate},
      microseconds: Object.fromEntries(times),
    })}\n`,
  );
