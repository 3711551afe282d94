/** Which layers stay in float so that a variant loses no more than it may: those that move the scores most, as few as do. */
import {join} from 'node:path';
import {fail} from '../../ir/diagnostics.js';
import {load} from '../../runtime/index.js';
import {build} from '../build.js';
import type {Dataset, Labelled} from '../data/dataset.js';
import {accuracyOfCount, answersOf, labelsOf} from '../evaluate-variant.js';
import {targetsNamed} from '../host.js';
import {temporaryFolder} from '../open.js';
import {type Reading, withoutOthers} from '../quantize/taps.js';
import type {Task} from '../tasks.js';
import {type Candidate, withVariant} from './candidate.js';
import {effectsOf} from './effects.js';

/** Percentage points of right answers that a variant may lose against `full`, on this data. */
export type Budget = {
  readonly points: number;
  readonly labelled: Labelled;
  /** Samples that effects of layers are measured on. */
  readonly samples: Dataset;
};

export type Kept = {
  /** Layers that stay in float, and why. */
  readonly float: ReadonlyMap<string, string>;
  /** In percentage points; below 0 where the variant is better. Absent: nothing was evaluated. */
  readonly loss?: number;
  /** Relative error of the scores where one layer alone is changed, by layer; empty where none had to be chosen. */
  readonly effects: ReadonlyMap<string, number>;
};

/** By bisection on the number of layers. Errors: check recipe.loss, which names the nearest variant. */
export async function keepWithin(
  {points, labelled, samples}: Budget,
  candidate: Candidate,
  tasks: readonly Task[],
  reading: Reading,
): Promise<Kept> {
  const {progress = () => {}} = reading;
  const {task, recipe} = candidate;
  const tried: {readonly kept: number; readonly loss: number}[] = [];
  const tryWith = async (float: ReadonlyMap<string, string>): Promise<number> => {
    progress(`${task.name}/${recipe}: loss with ${float.size} layers in float`);
    const loss = await lossOf(float, labelled, candidate, tasks, reading);
    tried.push({kept: float.size, loss});
    return loss;
  };
  const whole = await tryWith(new Map());
  if (whole <= points) return {float: new Map(), loss: whole, effects: new Map()};
  const effects = await effectsOf(candidate, samples, tasks, reading);
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
  candidate: Candidate,
  tasks: readonly Task[],
  {bind, share = true, progress = () => {}}: Reading,
): Promise<number> {
  const directory = join(temporaryFolder(), 'loss');
  await build(tasks, {
    ...{directory, name: 'loss', targets: targetsNamed(['native']), bind, share, progress},
    lossy: module => withVariant(withoutOthers(module, tasks), candidate, float),
    ...{measure: false, typed: false},
  });
  const session = load(directory);
  const {name} = candidate.task;
  const percent = (variant: string): number => {
    const entry = session.entry(name, `${name}/${variant}`);
    const labels = labelsOf(entry.task, data);
    const answers = answersOf(entry, data, done => progress(`evaluating ${name}/${variant}: ${done} of ${data.count}`));
    return accuracyOfCount(answers.filter((answer, i) => answer === labels[i]).length, data.count).value;
  };
  return Number((percent('full') - percent(candidate.recipe)).toFixed(2));
}
