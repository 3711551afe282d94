/**
 * What specialization reaches on real networks: ten random contexts for each case, thresholds from one set of samples, accuracy
 * and time on another.
 *
 *     npm run bench:cascades -- [folder with models and data, default ../shared] [--json]
 */
import {cpSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {Command} from 'commander';
import {cpuModel} from '../../compiler/host.js';
import {printJson, progress, say, table} from '../../compiler/output.js';
import type {Goal} from '../../compiler/specialize/cascade.js';
import {specialize} from '../../compiler/specialize/index.js';
import {classesToDraw, drawContexts} from '../../compiler/specialize/winnow.js';
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

const command = new Command('cascades').argument('[folder]', 'models and data', '../shared').option('--json').parse();

const signContext = {...signs, classes: 7};
const objectContext = {...objects, classes: 3};

type Case = Special & {readonly name: string; readonly classes: number; readonly goal: Goal};
const cases: readonly Case[] = [
  {name: 'signs, compact network first', models: [sign, compactSign], goal: faster(4), ...signContext},
  {name: 'signs, compact network first', models: [sign, compactSign], goal: losing(0.5), ...signContext},
  {name: 'signs, own cuts', models: [sign], goal: faster(1.5), ...signContext},
  {name: 'ResNet-20, own cuts', models: [resnet20], goal: {...losing(0), reference: 'raw'}, ...objectContext},
  {name: 'ResNet-20 before ResNet-56', models: [resnet56, resnet20], goal: faster(2), ...objectContext},
];
const root = rootOf(command.args[0], cases);

function faster(speed: number): Goal {
  return {reference: 'corrected', wanted: {speed}};
}

function losing(points: number): Goal {
  return {reference: 'corrected', wanted: {loss: points / 100}};
}

const folder = benchFolder();
const show = progress();

type Draw = {
  /** How many times faster on a stream, and how many times fewer multiply-accumulates. */
  readonly time: number;
  readonly macs: number;
  /** Percent: promised, reached, and of the general network raw and corrected. */
  readonly promised: number;
  readonly accuracy: number;
  readonly raw: number;
  readonly corrected: number;
  /** Expected multiply-accumulates over those that were reached. */
  readonly cost: number;
};

async function measure(each: Case): Promise<readonly Draw[]> {
  const {classes, goal, name} = each;
  const built = join(folder, 'built');
  await buildSpecial(root, each, built);
  const samples = samplesOf(root, each);
  const labels = Array.from({length: samples.tune.data.count}, (_, i) => samples.tune.data.label(i));
  const draws: Draw[] = [];
  for (const context of drawContexts(classesToDraw(labels), classes, 0.9, 10, 'grid')) {
    show(`${name}: context ${draws.length + 1} of 10`);
    const directory = join(folder, 'context');
    rmSync(directory, {recursive: true, force: true});
    cpSync(built, directory, {recursive: true});
    const options = {task: 'task', ...samples, context, grid: false, balance: false, goal};
    const {planned, stream, candidates} = await specialize(directory, options);
    const {best, measured} = planned!;
    const [alone = 1, cascade = 1] = stream?.milliseconds ?? [];
    const [general, {accuracy, raw, corrected, macs}] = [candidates.general.stage.macs, measured!];
    draws.push({
      ...{time: alone / cascade, macs: general / macs, cost: (best?.macs ?? general) / macs},
      ...{promised: 100 * (best?.accuracy ?? planned!.corrected), accuracy: 100 * accuracy},
      ...{raw: 100 * raw, corrected: 100 * corrected},
    });
  }
  return draws;
}

const results: {readonly name: string; readonly goal: Goal; readonly draws: readonly Draw[]}[] = [];
for (const each of cases) results.push({name: each.name, goal: each.goal, draws: await measure(each)});
show.done();
if (command.opts<{json?: boolean}>().json) printJson({host: cpuModel(), results});
else
  say(
    table([
      ['case', 'asked for', 'time', 'MACs', 'accuracy', 'raw', 'corrected', '>= raw', '>= corrected', 'error'],
      ...results.map(rowOf),
    ]),
  );

function rowOf({name, goal, draws}: (typeof results)[number]): readonly string[] {
  const mean = (of: (draw: Draw) => number): number => draws.reduce((sum, draw) => sum + of(draw), 0) / draws.length;
  const count = (holds: (draw: Draw) => boolean): string => `${draws.filter(holds).length} of ${draws.length}`;
  const asked = 'speed' in goal.wanted ? `${goal.wanted.speed}x` : `-${100 * goal.wanted.loss} of ${goal.reference}`;
  const errors = draws.map(({promised, accuracy}) => Math.abs(promised - accuracy));
  return [
    ...[name, asked, `${mean(({time}) => time).toFixed(2)}x`, `${mean(({macs}) => macs).toFixed(2)}x`],
    ...[mean(({accuracy}) => accuracy), mean(({raw}) => raw), mean(({corrected}) => corrected)].map(
      value => `${value.toFixed(1)}%`,
    ),
    count(({accuracy, raw}) => accuracy >= raw - 1e-9),
    count(({accuracy, corrected}) => accuracy >= corrected - 1e-9),
    `${mean(({promised, accuracy}) => Math.abs(promised - accuracy)).toFixed(2)} (at most ${Math.max(...errors).toFixed(1)}), cost ${(100 * mean(({cost}) => Math.abs(cost - 1))).toFixed(1)}%`,
  ];
}
