/**
 * What priors from the stream itself are worth, on real networks: streams with spells in which a few classes hold most requests.
 * Scores are computed once, on the samples for evaluation; calibration and thresholds come from others.
 *
 *     npm run bench:contexts -- [--folder ../shared] [--streams 3] [--json]
 */
import {join} from 'node:path';
import {Command} from 'commander';
import {cpuModel} from '../../compiler/host.js';
import {printJson, progress, say, table} from '../../compiler/output.js';
import {candidatesOf} from '../../compiler/specialize/candidates.js';
import {adaptive, decayed, detected, load, openLoader, type Rule, slidingWindow, weg} from '../../runtime/index.js';
import {liveFigures} from './live-stream.js';
import {
  benchFolder,
  buildSpecial,
  compactSign,
  objects,
  resnet20,
  resnet56,
  rootOf,
  type Special,
  samplesOf,
  sign,
  signs,
} from './specials.js';
import {answer, type Network, type Reached, type Spells, streamOf} from './streams.js';

const command = new Command('contexts')
  .option('--folder <FOLDER>', 'models and data', '../shared')
  .option('--streams <N>', 'of 12,000 requests each', Number, 3)
  .option('--json')
  .parse();
const flags = command.opts<{readonly folder: string; readonly streams: number; readonly json?: boolean}>();

/** `live`: also run for real, by a session that specializes itself. */
type Case = {readonly name: string; readonly networks: Special; readonly spells: Spells; readonly live?: true};
type LiveFigures = {readonly name: string} & Awaited<ReturnType<typeof liveFigures>>;

const all = (count: number): readonly number[] => Array.from({length: count}, (_, c) => c);
const signNetworks = {models: [sign, compactSign], ...signs};
const objectNetworks = {models: [resnet56, resnet20], ...objects};
const seven = {size: 7, share: 0.9, inside: 'alike', repeats: 1} as const;
const objectSpells = {classes: all(10), inside: 'alike', repeats: 1} as const;
const cases: readonly Case[] = [
  {name: 'signs, 18 asked for, 7 at 90%', networks: signNetworks, spells: {classes: all(18), ...seven}},
  {name: 'signs, all 43, 7 at 90%', networks: signNetworks, spells: {classes: all(43), ...seven}, live: true},
  {name: 'the same, five in a row', networks: signNetworks, spells: {classes: all(43), ...seven, repeats: 5}},
  {name: 'ResNet-56, 3 at 90%', networks: objectNetworks, spells: {...objectSpells, size: 3, share: 0.9}, live: true},
  {name: 'ResNet-56, 5 at 80%', networks: objectNetworks, spells: {...objectSpells, size: 5, share: 0.8}},
  {name: 'the same by rank', networks: objectNetworks, spells: {...objectSpells, size: 5, share: 0.8, inside: 'by rank'}},
];

const root = rootOf(
  flags.folder,
  cases.map(({networks}) => networks),
);
const folder = benchFolder();
const show = progress();

/** The general network and the other one, on the samples for evaluation. */
async function networksOf(special: Special): Promise<readonly [Network, Network]> {
  const directory = directoryOf(special);
  show(`building ${special.models.join(', ')}`);
  await buildSpecial(root, special, directory);
  const samples = samplesOf(root, special);
  const {general, firsts} = await candidatesOf(load(directory), directory, openLoader(directory).logistic, {
    ...{task: 'task', ...samples, context: null, grid: false, balance: false, progress: show},
    goal: {reference: 'corrected', wanted: {loss: 0}},
  });
  return [
    {stage: general.stage, seen: general.evaluate!},
    {stage: firsts[0]!.stage, seen: firsts[0]!.evaluate!},
  ];
}

const directoryOf = ({data}: Special): string => join(folder, data);

const rulesFor = ({size}: Spells): readonly (readonly [string, Rule | 'truth' | null])[] => [
  ['as it is', null],
  ['context known', 'truth'],
  ['adaptive', adaptive()],
  ['decayed sums, never doubted', decayed()],
  ['detected', detected()],
  ["paper's window", slidingWindow()],
  [`window, told n = ${size}`, slidingWindow({sizes: [size]})],
  ['WEG', weg()],
];

const threshold = 0.8;

/** Sums over streams, in spells and outside. */
function reachedBy(name: string, networks: readonly [Network, Network], spells: Spells) {
  const [last, other] = networks;
  const streams = Array.from({length: flags.streams}, (_, seed) => streamOf(spells, last.seen.labels, 12_000, seed));
  const sum = (parts: readonly Reached[]): Reached => ({
    requests: parts.reduce((total, {requests}) => total + requests, 0),
    right: parts.reduce((total, {right}) => total + right, 0),
    cost: parts.reduce((total, {cost}) => total + cost, 0),
  });
  return rulesFor(spells).map(([rule, how]) => {
    show(`${name}: ${rule}`);
    const [alone, cascade] = [undefined, {...other, threshold}].map(first => {
      const each = streams.map(stream => answer(stream, last, {rule: how, ...(first && {first})}));
      return {inside: sum(each.map(([inside]) => inside)), outside: sum(each.map(([, outside]) => outside))};
    });
    return {rule, alone: alone!, cascade: cascade!};
  });
}

const networks = new Map<Special, readonly [Network, Network]>();
const results = [];
for (const {name, networks: special, spells} of cases) {
  const both = networks.get(special) ?? (await networksOf(special));
  networks.set(special, both);
  results.push({name, macs: both[0].stage.macs, ways: reachedBy(name, both, spells)});
}
const live: LiveFigures[] = [];
for (const {name, networks: special, spells} of cases.filter(({live}) => live)) {
  show(`${name}: a session that specializes itself`);
  live.push({name, ...(await liveFigures(directoryOf(special), samplesOf(root, special), special.labelsKey, spells))});
}
show.done();

const percent = ({requests, right}: Reached): number => (100 * right) / requests;
const tellLive = ({name, ways, fits, firstFit, laterFit, calls}: LiveFigures): void => {
  const {seconds, cpuSeconds} = firstFit;
  say(
    `\n${name}, for real: ${fits} fits; the first, with nothing remembered, in ${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of CPU), later ones in ${laterFit.toFixed(2)} s`,
  );
  say(
    table([
      ['', 'in spells', 'ms', 'outside', 'ms'],
      ...ways.map(({way, inside, outside}) => [
        ...[way, `${inside.accuracy.toFixed(2)}%`, inside.milliseconds.toFixed(3)],
        ...[`${outside.accuracy.toFixed(2)}%`, outside.milliseconds.toFixed(3)],
      ]),
    ]),
  );
  const [idle, busy] = calls;
  say(`general network, ms (median, 99 of 100): ${idle.join(', ')}; while the thread fits: ${busy.join(', ')}`);
};

if (flags.json) printJson({host: cpuModel(), threshold, results, live});
else {
  for (const {name, macs, ways} of results) {
    const [raw, known] = [ways[0]!.alone, ways[1]!.alone];
    const gain = ({inside}: typeof raw): number =>
      (percent(inside) - percent(raw.inside)) / (percent(known.inside) - percent(raw.inside));
    const cheaper = ({requests, cost}: Reached): string => `${((requests * macs) / cost).toFixed(1)}x`;
    say(`\n${name} (${raw.inside.requests} requests in spells, ${raw.outside.requests} outside)`);
    say(
      table([
        ['prior', 'in spells', 'of the gain', 'outside', 'more than as it is', 'cascade in spells', 'outside'],
        ...ways.map(({rule, alone, cascade}) => [
          ...[rule, `${percent(alone.inside).toFixed(2)}%`, `${(100 * gain(alone)).toFixed(0)}%`],
          ...[`${percent(alone.outside).toFixed(2)}%`, (percent(alone.outside) - percent(raw.outside)).toFixed(2)],
          `${percent(cascade.inside).toFixed(2)}% ${cheaper(cascade.inside)}`,
          `${percent(cascade.outside).toFixed(2)}% ${cheaper(cascade.outside)}`,
        ]),
      ]),
    );
  }
  for (const each of live) tellLive(each);
}
