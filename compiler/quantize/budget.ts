/** Which layers stay in float so that a variant loses no more than it may: those that move the scores most, as few as do. */
import {join} from 'node:path';
import {fail} from '../../ir/diagnostics.js';
import type {Module, ValueId} from '../../ir/types.js';
import {load} from '../../runtime/index.js';
import {build} from '../build.js';
import type {Labelled} from '../data/dataset.js';
import {accuracyOfCount, answersOf, labelsOf} from '../evaluate-variant.js';
import {targetsNamed} from '../host.js';
import {temporaryFolder} from '../open.js';
import type {Task} from '../tasks.js';
import {withQuantized} from './insert.js';
import {type ErrorSoFar, seeError} from './observe.js';
import {forEachSample} from './samples.js';
import {sitesOf} from './sites.js';
import {headOf, type Int8Options, quantizationOf, type Studied, withVariant} from './study.js';
import {openTapped, withoutOthers} from './taps.js';

/** Percentage points of right answers that a variant may lose against `full`, on this data. */
export type Budget = {readonly points: number; readonly labelled: Labelled};

export type Kept = {
  /** Layers that stay in float, and why. */
  readonly float: ReadonlyMap<string, string>;
  /** In percentage points; below 0 where the variant is better. Absent: nothing was evaluated. */
  readonly loss?: number;
  /** Relative error of the scores where one layer alone is integer, by layer; empty where none had to be chosen. */
  readonly effects: ReadonlyMap<string, number>;
};

/** Samples that effects are measured on: an order is wanted, not a number. */
const fewSamples = 16;

/** By bisection on the number of layers. Errors: check recipe.loss, which names the nearest variant. */
export async function keepWithin(
  {points, labelled}: Budget,
  studied: Studied,
  tasks: readonly Task[],
  options: Int8Options,
): Promise<Kept> {
  const {progress = () => {}} = options;
  const {task, recipe} = studied;
  const tried: {readonly kept: number; readonly loss: number}[] = [];
  const tryWith = async (float: ReadonlyMap<string, string>): Promise<number> => {
    progress(`${task.name}/${recipe}: loss with ${float.size} layers in float`);
    const loss = await lossOf(float, labelled, studied, tasks, options);
    tried.push({kept: float.size, loss});
    return loss;
  };
  const whole = await tryWith(new Map());
  if (whole <= points) return {float: new Map(), loss: whole, effects: new Map()};
  const effects = await effectsOf(studied, tasks, options);
  const ranked = [...effects].sort(([, a], [, b]) => b - a);
  const firstOf = (count: number): ReadonlyMap<string, string> =>
    new Map(
      ranked.slice(0, count).map(([layer, effect]) => [layer, `alone it moves the scores by ${(100 * effect).toFixed(2)}%`]),
    );
  // With `low` layers in float too much is lost; with all of them nothing is, but nothing is gained either.
  let [low, high, best] = [0, ranked.length, Number.NaN];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    const loss = await tryWith(firstOf(middle));
    if (loss <= points) [high, best] = [middle, loss];
    else low = middle;
  }
  if (high < ranked.length) return {float: firstOf(high), loss: best, effects};
  const nearest = tried.reduce((a, b) => (b.loss < a.loss ? b : a));
  return fail(
    'check',
    'recipe.loss',
    `${task.name}/${recipe}`,
    `loses ${nearest.loss.toFixed(2)} points at best, with ${nearest.kept} of ${ranked.length} layers in float; --max-loss is ${points}`,
    'allow more, or give samples for --calibrate that are like those for --evaluate',
  );
}

/** Percent of right answers of `full` less those of the variant. */
async function lossOf(
  float: ReadonlyMap<string, string>,
  {data}: Labelled,
  studied: Studied,
  tasks: readonly Task[],
  {bind, share = true, correctBias, progress = () => {}}: Int8Options,
): Promise<number> {
  const directory = join(temporaryFolder(), 'loss');
  await build(tasks, {
    ...{directory, name: 'loss', targets: targetsNamed(['native']), bind, share, progress},
    lossy: module => withVariant(withoutOthers(module, tasks), studied, float, correctBias),
    ...{measure: false, typed: false},
  });
  const session = load(directory);
  const {name} = studied.task;
  const percent = (variant: string): number => {
    const entry = session.entry(name, `${name}/${variant}`);
    const labels = labelsOf(entry.task, data);
    const answers = answersOf(entry, data, done => progress(`evaluating ${name}/${variant}: ${done} of ${data.count}`));
    return accuracyOfCount(answers.filter((answer, i) => answer === labels[i]).length, data.count).value;
  };
  return Number((percent('full') - percent(studied.recipe)).toFixed(2));
}

/** One build has a network for each layer, in which that layer alone is integer; what they have in common is computed once. */
async function effectsOf(studied: Studied, tasks: readonly Task[], options: Int8Options): Promise<ReadonlyMap<string, number>> {
  const {progress = () => {}, correctBias} = options;
  const {name} = studied.task;
  const layers: string[] = [];
  const [open] = await openTapped(tasks, options, given => {
    const head = headOf(given, name);
    const integer = sitesOf(given, head).layers.flatMap(layer => (layer.float === null ? [layer.name] : []));
    const taps: ValueId[] = [head.outputs[0]!];
    let module: Module = given;
    for (const layer of integer) {
      const others = new Map(integer.flatMap(other => (other === layer ? [] : [[other, ''] as const])));
      const quantization = quantizationOf(module, studied, others, correctBias);
      const alone = `${name}.alone.${layers.length}`;
      module = withQuantized(module, headOf(module, name), quantization, {name: alone, attrs: {}});
      taps.push(headOf(module, alone).outputs[0]!);
      layers.push(layer);
    }
    return {module, taps: [{task: name, ids: taps}]};
  });
  const errors = layers.map((): ErrorSoFar => ({signal: 0, noise: 0}));
  const {entry, tapsOf} = open!;
  const step = Math.max(1, Math.floor(studied.indices.length / fewSamples));
  const indices = studied.indices.filter((_, i) => i % step === 0);
  forEachSample(
    entry,
    studied.samples.data,
    indices,
    outputs => {
      const [scores, ...alone] = tapsOf(outputs);
      for (const [at, error] of errors.entries()) seeError(error, scores!, alone[at]!);
    },
    done => progress(`${name}: effects of layers on ${done} of ${indices.length} samples`),
  );
  return new Map(layers.map((layer, at) => [layer, Math.sqrt(errors[at]!.noise / (errors[at]!.signal || 1))]));
}
