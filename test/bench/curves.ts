/**
 * What low rank reaches on real networks: accuracy lost against multiply-adds, measured time and bytes of weights, at several
 * shares of the time (or of multiply-adds, or of bytes), perhaps after pruning; beside it SVD of the weights alone with ranks in the same ratio everywhere, which is what needs no samples.
 *
 *     npm run bench:curves -- [name of a network ...] [--folder ../shared] [--shares 0.8,0.7,...] [--spare macs] [--prune 0.8]
 *         [--samples 500] [--json]
 */
import {join, resolve} from 'node:path';
import {Command, Option} from 'commander';
import {matrixOf} from '../../compiler/algebra/matrix.js';
import {build} from '../../compiler/build.js';
import {openDataset} from '../../compiler/data/dataset.js';
import {largestOf} from '../../compiler/evaluate-variant.js';
import {cpuModel, targetsNamed} from '../../compiler/host.js';
import {interleave} from '../../compiler/interleave.js';
import {factorize, thorough} from '../../compiler/lowrank/factorize.js';
import {choicesFor, stagesOf} from '../../compiler/lowrank/forms.js';
import {withThin} from '../../compiler/lowrank/insert.js';
import {choiceOf, type Studied, stagesNow, study, type Thinned, thinLayers, thinned} from '../../compiler/lowrank/study.js';
import {temporaryFolder} from '../../compiler/open.js';
import {printJson, progress, say, table} from '../../compiler/output.js';
import {withNarrower} from '../../compiler/prune/insert.js';
import {keptBy, type Studied as PruneStudied, pruned, study as studyPrune} from '../../compiler/prune/study.js';
import {randomInput} from '../../compiler/random-inputs.js';
import {after, type Made} from '../../compiler/recipes/steps.js';
import {estimate} from '../../compiler/reconstruct/estimate.js';
import {macsOf} from '../../compiler/reconstruct/layers.js';
import type {Network, Parameters} from '../../compiler/reconstruct/network.js';
import {type Spared, sparable} from '../../compiler/reconstruct/spared.js';
import {macsOfStages, type Stage} from '../../compiler/reconstruct/stage.js';
import {mostHarm} from '../../compiler/reconstruct/study.js';
import {inputTensor} from '../../compiler/samples.js';
import type {Task} from '../../compiler/tasks.js';
import {graft} from '../../ir/graft.js';
import {headOf} from '../../ir/graph.js';
import {load, type TypedArray} from '../../runtime/index.js';

const command = new Command('curves')
  .argument('[names...]', 'networks; default: all')
  .option('--folder <DIR>', 'models and data', '../shared')
  .option('--shares <LIST>', 'shares of what is spared', '0.85,0.7,0.6,0.5,0.4,0.3')
  .addOption(new Option('--spare <COST>', 'what is spared').choices([...sparable]).default('time'))
  .option('--prune <SHARE>', 'to which share channels are left out before')
  .option('--samples <N>', 'samples to fit to', '500')
  .option('--json')
  .parse();
const flags = command.opts<{folder: string; shares: string; spare: Spared; prune?: string; samples: string; json?: boolean}>();
const root = resolve(flags.folder);
const shares = flags.shares.split(',').map(Number);

const half = {mean: [127.5], std: [127.5], dataLayout: 'NHWC' as const};
const cifar = {mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375], dataLayout: 'NHWC' as const};
const bgr = {channels: 'bgr' as const, mean: [104, 117, 123], std: [1], dataLayout: 'NHWC' as const};
const thousand = {mean: [128], std: [128], dataLayout: 'NHWC' as const};
const objects = {fit: 'cifar10-jpeg.fit', evaluate: 'cifar10-jpeg.evaluate', labelsKey: 'y', labelOffset: 0};

type Case = {
  readonly model: string;
  readonly input: Task['input'];
  readonly fit: string;
  readonly evaluate: string;
  readonly labelsKey: string;
  readonly labelOffset: number;
};
const cases: Readonly<Record<string, Case>> = {
  vgg: {model: 'cifar10/vgg_small_jpeg', input: half, ...objects},
  resnet20: {model: 'cifar10/resnet20_jpegft', input: cifar, ...objects},
  resnet56: {model: 'cifar10/resnet56_jpegft', input: cifar, ...objects},
  sign: {
    ...{model: 'gtsrb32/gtsrb32_sign_independent', input: half, labelsKey: 'y_sign', labelOffset: 0},
    ...{fit: 'gtsrb32.fit', evaluate: 'gtsrb32.evaluate'},
  },
  age: {
    ...{model: 'fairface64/ff64_age_independent', input: half, labelsKey: 'y_age', labelOffset: 0},
    ...{fit: 'fairface64.fit', evaluate: 'fairface64.evaluate'},
  },
  mobilenet: {
    ...{model: 'imagenet/mobilenet_v1_1.0_224.float', input: thousand, labelsKey: 'y', labelOffset: 1},
    ...{fit: 'imagenet-sample224.calibrate', evaluate: 'imagenet-sample224.evaluate'},
  },
  squeezenet: {
    ...{model: 'imagenet/squeezenet1.0_deepcompressed', input: bgr, labelsKey: 'y', labelOffset: 0},
    ...{fit: 'imagenet-sample224.calibrate', evaluate: 'imagenet-sample227.evaluate'},
  },
};

const show = progress();
const bind = new Map<string, number>();

/** Samples as the network takes them, and its labels. */
type Labelled = {readonly inputs: readonly TypedArray[]; readonly labels: readonly number[]};

const answersBy = ({network}: {readonly network: Network}, {inputs}: Labelled): readonly number[] =>
  inputs.map(input => largestOf(network.probabilities(input)));

/** Points lost, with the standard error of a paired comparison, and the percentage of equal answers. */
function lossOf(float: readonly number[], changed: readonly number[], labels: readonly number[]) {
  const n = labels.length;
  const right = (answers: readonly number[]): number => answers.filter((answer, i) => answer === labels[i]).length;
  const discordant = changed.filter((answer, i) => (answer === labels[i]) !== (float[i] === labels[i])).length;
  return {
    loss: (100 * (right(float) - right(changed))) / n,
    error: (100 * Math.sqrt(discordant)) / n,
    agreement: (100 * changed.filter((answer, i) => answer === float[i]).length) / n,
  };
}

/** Every layer by SVD of its weights alone, with about that part of its multiply-adds. */
function uniform(studied: Studied, share: number): number {
  const {product, layers, rewrite} = studied.network;
  const changed = new Map<string, Parameters>();
  let macs = 0;
  for (const layer of layers) {
    const macsFor = (stages: readonly Stage[]): number => Math.abs(macsOfStages(layer, stages) / macsOf(layer) - share);
    const [best] = choicesFor(layer, 'time')
      .filter(({form}) => form === 'channel')
      .toSorted((a, b) => macsFor(stagesOf(layer, a)) - macsFor(stagesOf(layer, b)));
    const width = layer.weights.columns;
    const unit = matrixOf(
      width,
      width,
      Array.from({length: width * width}, (_, at) => (at % (width + 1) === 0 ? 1 : 0)),
    );
    if (best) {
      const {map} = factorize(product, layer, {map: layer.weights, gram: unit}, best, thorough);
      changed.set(layer.name, {weights: map.data, bias: layer.bias});
    }
    macs += best ? macsOfStages(layer, stagesOf(layer, best)) : macsOf(layer);
  }
  rewrite(changed);
  return macs;
}

/** The step that leaves out channels, up to a share. */
function narrowerBy(task: string, studied: PruneStudied, share: number): Made {
  const {chosen, layers} = pruned(studied, {share, harm: mostHarm}, show);
  const {groups} = studied;
  const kept = keptBy(chosen);
  return (module, as) => withNarrower(module, headOf(module, task), {groups, kept, layers}, as);
}

/** Milliseconds and bytes of weights: of the network, then of each of what it became. */
async function measured(task: Task, studied: Studied, all: readonly Thinned[], before: readonly Made[]) {
  const directory = join(temporaryFolder(), 'curves');
  await build([task], {
    ...{directory, name: 'curves', targets: targetsNamed(['native']), bind, progress: show, measure: false, typed: false},
    lossy: module =>
      all.reduce((extended, thin, i) => {
        const layers = thinLayers(studied, thin);
        const now = after(module, task.name, before);
        const head = headOf(now, task.name);
        const as = {name: `thin_${i}`, attrs: {...head.attrs, task: task.name, recipe: `thin:${i}`}};
        return graft(module, extended, withThin(now, head, layers, as), as.name);
      }, module),
  });
  const session = load(directory);
  const entries = ['full', ...all.map((_, i) => `thin:${i}`)].map(recipe => session.entry(task.name, `${task.name}/${recipe}`));
  const inputs = entries[0]!.task.inputs.map(input => randomInput(input, 1));
  const {ours} = await interleave(entries, inputs, null, 1 + all.length);
  return entries.map(({variant: {weightBytes, macs}}, i) => ({milliseconds: ours[i]!.p50, weightBytes, macs}));
}

async function curveOf(name: string, {model, fit, evaluate, ...rest}: Case) {
  const started = performance.now();
  const file = join(root, 'models', `${model}.onnx`);
  const task: Task = {...{name, model: file, output: null, labels: null, calibrate: null, evaluate: null, others: []}, ...rest};
  const data = (part: string) => {
    const path = join(root, 'data', `${part}.npz`);
    return {path, data: openDataset(path, part.endsWith('calibrate') ? {} : {labelsKey: rest.labelsKey})};
  };
  const options = {bind, progress: show, count: Number(flags.samples), spared: flags.spare};
  const pruning = flags.prune === undefined ? null : await studyPrune([task], task, data(fit), options);
  const narrow = pruning && narrowerBy(name, pruning, Number(flags.prune));
  const steps: readonly Made[] = narrow ? [narrow] : [];
  const studied = await study([task], task, data(fit), {...options, before: module => after(module, task.name, steps)});
  const {network} = studied;
  const {data: samples} = data(evaluate);
  const [input] = network.entry().task.inputs;
  const labelled: Labelled = {
    inputs: Array.from({length: samples.count}, (_, i) => {
      const {data: values} = inputTensor(samples.sample(i), input!, samples.where(i));
      return values;
    }),
    labels: Array.from({length: samples.count}, (_, i) => samples.label(i) + rest.labelOffset),
  };
  const first = pruning ?? studied;
  first.network.rewrite(new Map());
  const float = answersBy(first, labelled);
  const all: Thinned[] = [];
  const rows = shares.map(share => {
    const thin = thinned(studied, {share, harm: mostHarm}, layer => show(`${name}, ${share}: ${layer}`));
    const {loss: expected, divergence} = estimate(studied, thin, true, layer => show(`${name}, ${share}: ${layer}`));
    all.push(thin);
    return {share, ...lossOf(float, answersBy(studied, labelled), labelled.labels), expected, divergence};
  });
  const whole = network.layers.reduce((sum, layer) => sum + macsOf(layer), 0);
  const baseline = rows.map(({share}, i) => {
    const macs = network.layers.reduce(
      (sum, layer) => sum + macsOfStages(layer, stagesNow(layer, choiceOf(all[i]!, layer.name))),
      0,
    );
    const spent = uniform(studied, macs / whole);
    const {loss} = lossOf(float, answersBy(studied, labelled), labelled.labels);
    return {share, macs: whole / spent, loss};
  });
  const [full, ...thin] = await measured(task, studied, all, steps);
  const accuracy = (100 * float.filter((answer, i) => answer === labelled.labels[i]).length) / float.length;
  return {
    ...{name, n: float.length, accuracy, seconds: (performance.now() - started) / 1000},
    rows: rows.map((row, i) => ({
      ...row,
      macs: full!.macs / thin[i]!.macs,
      time: full!.milliseconds / thin[i]!.milliseconds,
      bytes: full!.weightBytes / thin[i]!.weightBytes,
      baseline: baseline[i]!,
    })),
  };
}

const curves: Awaited<ReturnType<typeof curveOf>>[] = [];
for (const [name, own] of Object.entries(cases)) {
  if (command.args.length > 0 && !command.args.includes(name)) continue;
  const curve = await curveOf(name, own).finally(show.done);
  curves.push(curve);
  if (flags.json) continue;
  const {n, accuracy, seconds, rows} = curve;
  say(`\n${name}: ${accuracy.toFixed(2)}% of ${n} right; all of this took ${seconds.toFixed(0)} s`);
  const times = (value: number): string => `${value.toFixed(2)}x`;
  const line = ({share, macs, time, bytes, loss, error, agreement, expected, divergence, baseline}: (typeof rows)[number]) => [
    ...[share.toFixed(2), times(macs), times(time), times(bytes), `${loss.toFixed(2)} +- ${error.toFixed(2)}`],
    ...[`${agreement.toFixed(1)}%`, expected.toFixed(2), divergence.toFixed(4), times(baseline.macs), baseline.loss.toFixed(2)],
  ];
  const title = ['share', 'MACs', 'time', 'bytes', 'points lost', 'same label', 'expected', 'nats', 'SVD: MACs', 'points lost'];
  say(table([title, ...rows.map(line)]));
}
if (flags.json) printJson({machine: cpuModel(), curves});
