/** Steps that leave a network less to do: as little as a share of what it costs, or as a loss budget allows. */
import {headOf} from '../../ir/graph.js';
import type {Head, Module} from '../../ir/types.js';
import type {Labelled} from '../data/dataset.js';
import {rightBy} from '../evaluate-variant.js';
import * as lowrank from '../lowrank/explain.js';
import {withThin} from '../lowrank/insert.js';
import {study as studyLowrank, type Thinned, thinLayers, thinned} from '../lowrank/study.js';
import * as prune from '../prune/explain.js';
import {withNarrower} from '../prune/insert.js';
import {keptBy, type Pruned, pruned, study as studyPrune} from '../prune/study.js';
import {estimate} from '../reconstruct/estimate.js';
import {estimateOf, type Judgement} from '../reconstruct/judge.js';
import type {Network} from '../reconstruct/network.js';
import {type Expected, type Limit, mostHarm, type ShrinkOptions, type StudyOptions} from '../reconstruct/study.js';
import type {Task} from '../tasks.js';
import {type Family, fittedTo} from './candidate.js';
import type {ShrinkStep} from './parse.js';
import type {LayerReport} from './report.js';
import type {Studies} from './studies.js';

export type Wanted = {
  readonly task: Task;
  readonly recipe: string;
  readonly step: ShrinkStep;
  readonly samples: Labelled;
  /** Percentage points of right answers that may be lost on these samples. */
  readonly budget: Budget | null;
};

/** Steps before have lost some of these points already. */
export type Budget = {readonly points: number; readonly lost: number; readonly labelled: Labelled};

/** A network that has been made smaller; it runs with these weights until another one is made. */
type Smaller = {
  /** On samples that it was not fitted to; `again`: fitted again without others, where few were held out. */
  judge(again: boolean): Judgement;
  readonly expected: Expected;
  readonly changed: readonly string[];
  extend(module: Module, head: Head, as: Pick<Head, 'name' | 'attrs'>): Module;
  explain(): readonly LayerReport[];
};

/** A network that can be made smaller, up to a limit. */
export type Shrinker = {readonly network: Network; at(limit: Limit): Smaller};

type Show = (layer: string) => void;

const shrinkers: Readonly<
  Record<
    ShrinkStep['kind'],
    (tasks: readonly Task[], task: Task, samples: Labelled, options: ShrinkOptions, show: Show) => Promise<Shrinker>
  >
> = {
  async lowrank(tasks, task, samples, options, show) {
    const studied = await studyLowrank(tasks, task, samples, options);
    const before: Thinned[] = [];
    return {
      network: studied.network,
      at(limit) {
        const thin = thinned(studied, limit, show, before);
        before.push(thin);
        const layers = thinLayers(studied, thin);
        return {
          judge: again => estimate(studied, thin, again, show),
          expected: thin.expected,
          changed: [...layers.keys()],
          extend: (module, head, as) => withThin(module, head, layers, as),
          explain: () => lowrank.explain(studied, thin),
        };
      },
    };
  },
  async prune(tasks, task, samples, options, show) {
    const studied = await studyPrune(tasks, task, samples, options);
    const before: Pruned[] = [];
    return {
      network: studied.network,
      at(limit) {
        const narrow = pruned(studied, limit, show, before);
        before.push(narrow);
        const kept = keptBy(narrow.chosen);
        return {
          judge: again => estimate(studied, narrow, again, show),
          expected: narrow.expected,
          changed: [...narrow.layers.keys()],
          extend: (module, head, as) => withNarrower(module, head, {groups: studied.groups, kept, layers: narrow.layers}, as),
          explain: () => prune.explain(studied, narrow),
        };
      },
    };
  },
};

/** Nats of divergence that lose about a point, by which the search begins; and how often a network is fitted. */
const [usualHarm, mostTries] = [0.02, 4];

/** Of a budget: with so much of it spent, the rest is not looked for. A thousand images do not tell more. */
const nearly = 0.85;

/** Of a budget: what is aimed at. */
const aimed = 0.95;

/** `studies`: of networks as they are; sizes of one network are made from one study. Errors: usage reconstruct.layers; input calibrate.*. */
export async function shrink(
  {task, recipe, step, samples, budget}: Wanted,
  tasks: readonly Task[],
  options: StudyOptions,
  studies: Studies<Shrinker>,
): Promise<Family> {
  const {spared} = step;
  const {progress = () => {}, before, count} = options;
  const show = (layer: string): void => progress(`${task.name}/${recipe}: ${layer}`);
  const study = (): Promise<Shrinker> => shrinkers[step.kind](tasks, task, samples, {...options, spared}, show);
  const key = JSON.stringify([step.kind, spared, task.name, task.model, samples.path, count]);
  const shrinker = await (before ? study() : studies.of(key, study));
  const {smaller, judgement, loss} = budget ? within(shrinker, budget, step.share ?? 0) : sound(shrinker, step.share ?? 1);
  const {expected, changed, extend, explain} = smaller;
  return {
    candidates: [
      {
        ...{task, recipe},
        facts: {
          ...fittedTo(samples, count),
          spared,
          estimate: {
            ...estimateOf(judgement),
            ...(expected.uniform !== null && {
              allocation: {chosen: Number(expected.harm.toPrecision(3)), uniform: Number(expected.uniform.toPrecision(3))},
            }),
          },
          ...(loss !== undefined && {loss}),
        },
        layers: () => changed,
        extend: (module, _, as) => extend(module, headOf(module, task.name), as),
      },
    ],
    settled: true,
    explain: async () => [explain()],
  };
}

type Sound = {readonly smaller: Smaller; readonly judgement: Judgement; readonly loss?: number};

/** How often less is tried where more has come of it than may be. */
const mostRetreats = 3;

/** Nats that all of the cost may come to: a twentieth less of it is not worth more than a fortieth, which is about a point. */
const harmOfAll = 0.5;

/** What a network may diverge by that takes that share of the cost. */
const worthOf = (share: number): number => Math.min(mostHarm, harmOfAll * (1 - share));

/**
 * At that share, or as near as the network stays what it was and the loss is worth it. Few samples promise less harm than they do; what comes of them
 * on samples that were held out tells how much less.
 */
export function sound({at}: Pick<Shrinker, 'at'>, share: number): Sound {
  let harm = worthOf(share);
  for (let retreats = 0; ; retreats++) {
    const smaller = at({share, harm});
    const judgement = smaller.judge(true);
    // Of a network with little to save less is saved than was asked for.
    const most = worthOf(Math.max(share, smaller.expected.share));
    if (judgement.divergence <= most || retreats === mostRetreats || smaller.changed.length === 0) return {smaller, judgement};
    harm = retreats === mostRetreats - 1 ? 0 : (0.7 * smaller.expected.harm * most) / judgement.divergence;
  }
}

type Tried = {readonly loss: number; readonly smaller: Smaller};

/**
 * The most harm at which no more than that is lost and the share is not undercut. Loss grows with harm, so this is a search in
 * one number: ahead until it is bracketed, then between, in proportion to what was lost. No harm loses nothing.
 */
function within({network, at}: Shrinker, {points, lost, labelled: {data}}: Budget, share: number): Required<Sound> {
  network.rewrite(new Map());
  const whole = rightBy(network.entry(), data);
  const tried = (harm: number): Tried => {
    const smaller = at({share, harm});
    return {loss: Number((lost + (100 * (whole - rightBy(network.entry(), data))) / data.count).toFixed(2)), smaller};
  };
  let [low, high, best]: [Lost, Lost | null, Tried | null] = [{harm: 0, loss: lost}, null, null];
  let harm = Math.min(mostHarm, usualHarm * Math.max(points, 0.1));
  for (let i = 0; i < mostTries; i++) {
    const now = tried(harm);
    const spent = now.smaller.expected.harm;
    if (now.loss <= points) {
      best = now;
      low = {harm, loss: now.loss};
      // Nothing more was to be had: the share was reached, or every option was taken.
      if (harm >= mostHarm || spent < harm / 2) break;
      if (now.loss - lost >= nearly * (points - lost)) break;
    } else high = {harm: Math.min(harm, spent), loss: now.loss};
    harm = Math.min(mostHarm, high ? between(low, high, points) : ahead(low, lost, points));
  }
  const {loss, smaller} = best ?? tried(0);
  return {loss, smaller, judgement: smaller.judge(false)};
}

type Lost = {readonly harm: number; readonly loss: number};

/** Where nearly all that may be lost is expected to be; losses of few images jump, so neither end is trusted. */
const between = (low: Lost, high: Lost, points: number): number =>
  low.harm + clamped((aimed * points - low.loss) / (high.loss - low.loss), 0.25, 0.75) * (high.harm - low.harm);

/** In proportion, and by steps that losses of few images cannot lead astray. */
const ahead = ({harm, loss}: Lost, lost: number, points: number): number =>
  harm * (loss > lost ? clamped((aimed * (points - lost)) / (loss - lost), 1.3, 3) : 3);

const clamped = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most);
