/**
 * What specialization reaches on real networks: ten random contexts for each case, thresholds from one set of samples, accuracy
 * and time on another.
 *
 *     npm run bench:cascades -- [folder with models and data, default ../shared] [--json]
 */
import {cpSync, existsSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, join, resolve} from 'node:path';
import {Command} from 'commander';
import {build} from '../../compiler/build.js';
import {openDataset} from '../../compiler/data/dataset.js';
import {cpuModel} from '../../compiler/host.js';
import {printJson, progress, say, table} from '../../compiler/output.js';
import type {Goal} from '../../compiler/specialize/cascade.js';
import {specialize} from '../../compiler/specialize/index.js';
import {classesToDraw, drawContexts} from '../../compiler/specialize/winnow.js';
import type {Task} from '../../compiler/tasks.js';

const command = new Command('cascades').argument('[folder]', 'models and data', '../shared').option('--json').parse();
const root = resolve(command.args[0] ?? '../shared');

const half = {mean: [127.5], std: [127.5], dataLayout: 'NHWC' as const};
const imagenet = {mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375], dataLayout: 'NHWC' as const};
const signs = {data: 'gtsrb32', labelsKey: 'y_sign', input: half, classes: 7};
const objects = {data: 'cifar10-jpeg', labelsKey: 'y', input: imagenet, classes: 3};
const sign = 'gtsrb32/gtsrb32_sign_sharedprefix.onnx';
const [small, large] = ['cifar10/resnet20_jpegft.onnx', 'cifar10/resnet56_jpegft.onnx'];

type Case = typeof signs & {readonly name: string; readonly models: readonly string[]; readonly goal: Goal};
const cases: readonly Case[] = [
  {name: 'signs, compact network first', models: [sign, 'gtsrb32/gtsrb32_sign_compact.onnx'], goal: faster(4), ...signs},
  {name: 'signs, compact network first', models: [sign, 'gtsrb32/gtsrb32_sign_compact.onnx'], goal: losing(0.5), ...signs},
  {name: 'signs, own cuts', models: [sign], goal: faster(1.5), ...signs},
  {name: 'ResNet-20, own cuts', models: [small], goal: {...losing(0), reference: 'raw'}, ...objects},
  {name: 'ResNet-20 before ResNet-56', models: [large, small], goal: faster(2), ...objects},
];

function faster(speed: number): Goal {
  return {reference: 'corrected', wanted: {speed}};
}

function losing(points: number): Goal {
  return {reference: 'corrected', wanted: {loss: points / 100}};
}

function taskOf({models, input, labelsKey}: Case): Task {
  const [model = '', ...others] = models.map(file => join(root, 'models', file));
  return {
    ...{name: 'task', model, output: null, labels: null, labelOffset: 0, input, calibrate: null, evaluate: null, labelsKey},
    others: others.map(file => ({recipe: basename(file, '.onnx'), model: file, output: null})),
  };
}

const folder = mkdtempSync(join(tmpdir(), 'dnnc-cascades-'));
process.on('exit', () => rmSync(folder, {recursive: true, force: true}));
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
  const {data, labelsKey, classes, goal, name} = each;
  const built = join(folder, 'built');
  await build([taskOf(each)], {directory: built, name: 'cascades', cuts: 'all', measure: false, typed: false});
  const open = (part: string) => {
    const path = join(root, 'data', `${data}.${part}.npz`);
    return {path, data: openDataset(path, {labelsKey})};
  };
  const samples = {fit: open('fit'), tune: open('tune'), evaluate: open('evaluate')};
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

const missing = cases.flatMap(({models}) => models).find(file => !existsSync(join(root, 'models', file)));
if (missing) {
  say(`skipped: ${root} has no ${missing}`);
  process.exit(0);
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
