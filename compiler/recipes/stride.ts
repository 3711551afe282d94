/** `stride`: the same network with images that are halved earlier inside. */
import {fail} from '../../ir/diagnostics.js';
import type {Labelled} from '../data/dataset.js';
import {hashOfData, rightBy} from '../evaluate-variant.js';
import {spread} from '../quantize/samples.js';
import {estimateOf} from '../reconstruct/judge.js';
import {type Studied, type StudyOptions, studyNetwork} from '../reconstruct/study.js';
import {type Chosen, chooseSites} from '../stride/choose.js';
import {explain} from '../stride/explain.js';
import type {Site} from '../stride/sites.js';
import {type Strided, strided, stridesAt} from '../stride/study.js';
import type {Task} from '../tasks.js';
import type {Family} from './candidate.js';
import type {Budget} from './shrink.js';

type Wanted = {readonly task: Task; readonly recipe: string; readonly samples: Labelled; readonly budget: Budget | null};

type Made = {readonly made: Strided; readonly sites: readonly Site[]; readonly loss?: number};

/** Errors: usage reconstruct.layers; input calibrate.*; check stride.none, recipe.loss. */
export async function stride(
  {task, recipe, samples, budget}: Wanted,
  tasks: readonly Task[],
  options: StudyOptions,
): Promise<Family> {
  const whole = await studyNetwork(tasks, task, samples, options);
  const chosen = await chooseSites(tasks, task, whole, options);
  const {made, sites, loss} = await within({task, recipe, whole, chosen, budget}, tasks, options);
  const names = sites.map(({layer}) => layer);
  return {
    candidates: [
      {
        ...{task, recipe},
        facts: {
          ...{calibration: 'least squares', samples: spread(samples.data, options.count).length, data: hashOfData(samples)},
          estimate: estimateOf(made.judgement),
          ...(loss !== undefined && {loss}),
        },
        // Layers were fitted to each other: none of them can be left as it was.
        layers: () => [],
        extend: (module, _, as) => stridesAt(task.name, names, made.layers)(module, as),
      },
    ],
    settled: true,
    explain: async () => [explain(whole.network, task.name, sites, made, chosen.reasons)],
  };
}

type Search = {
  readonly task: Task;
  readonly recipe: string;
  readonly whole: Studied;
  readonly chosen: Chosen;
  readonly budget: Budget | null;
};

/** As many sites as the budget allows, those that harm most for what they save left out first. */
async function within(
  {task, recipe, whole, chosen, budget}: Search,
  tasks: readonly Task[],
  options: StudyOptions,
): Promise<Made> {
  const at = `${task.name}/${recipe}`;
  const {sites, first, reasons} = chosen;
  if (!first)
    return fail(
      'check',
      'stride.none',
      at,
      `no layer stands for itself with a larger stride: ${few(reasons)}`,
      'build it without this recipe',
    );
  let best = Number.POSITIVE_INFINITY;
  for (let count = sites.length; count > 0; count--) {
    const own = sites.slice(0, count);
    const made = count === 1 ? first : await strided(tasks, task, whole, own, options);
    if (!budget) return {made, sites: own};
    const {
      points,
      lost,
      labelled: {data},
    } = budget;
    whole.network.rewrite(new Map());
    const fewer = rightBy(whole.network.entry(), data) - rightBy(made.network.entry(), data);
    const loss = Number((lost + (100 * fewer) / data.count).toFixed(2));
    if (loss <= points) return {made, sites: own, loss};
    best = Math.min(best, loss);
  }
  return fail(
    'check',
    'recipe.loss',
    at,
    `loses ${best.toFixed(2)} points at best; it may lose ${budget!.points}`,
    'allow more, or build it without this recipe',
  );
}

/** The first few, for a message. */
const few = (reasons: ReadonlyMap<string, string>): string =>
  Array.from(reasons, ([name, reason]) => `${name}: ${reason}`)
    .slice(0, 3)
    .join('; ');
