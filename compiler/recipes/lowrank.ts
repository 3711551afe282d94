/** `lowrank:0.5`, `lowrank`: layers become several thin ones. */
import {headOf} from '../../ir/graph.js';
import type {Module} from '../../ir/types.js';
import type {Labelled} from '../data/dataset.js';
import {answersOf, hashOfData, labelsOf} from '../evaluate-variant.js';
import {explain} from '../lowrank/explain.js';
import {type Thin, withThin} from '../lowrank/insert.js';
import {choiceOf, type Studied, stagesNow, study, type Thinned, thinned} from '../lowrank/study.js';
import {spread} from '../quantize/samples.js';
import type {Reading} from '../quantize/taps.js';
import type {Task} from '../tasks.js';
import type {Family} from './candidate.js';

export type LowrankWanted = {
  readonly task: Task;
  readonly recipe: string;
  /** Of the layers' time that may be left; null: as little as the loss allows. */
  readonly share: number | null;
  readonly samples: Labelled;
  /** Percentage points of right answers that may be lost on these samples. */
  readonly budget: {readonly points: number; readonly labelled: Labelled} | null;
};

/** No network is worth less time than this. */
const leastShare = 0.15;
/** Halvings of the interval in which the share lies. */
const halvings = 5;

/** One at a time. Errors: usage lowrank.layers; input calibrate.*. */
export async function lowrank(
  wanted: LowrankWanted,
  tasks: readonly Task[],
  options: Reading & {readonly count: number},
): Promise<Family> {
  const {task, recipe, samples, share, budget} = wanted;
  const {progress = () => {}} = options;
  const studied = await study(tasks, {task, samples}, options);
  const at = (part: number): Thinned =>
    thinned(studied, part, layer => progress(`${task.name}/${recipe}: ${layer}, ${(100 * part).toFixed(0)}% of the time`));
  const found = budget ? within(studied, budget, share ?? leastShare, at) : {loss: undefined, thin: at(share ?? 1)};
  const {thin, loss} = found;
  const layers = new Map<string, Thin>(
    studied.network.layers.flatMap(layer => {
      const fitted = thin.layers.get(layer.name);
      return fitted ? [[layer.name, {fitted, stages: stagesNow(layer, choiceOf(thin, layer.name))}] as const] : [];
    }),
  );
  return {
    candidates: [
      {
        ...{task, recipe},
        facts: {
          calibration: 'least squares',
          samples: spread(samples.data, options.count).length,
          data: hashOfData(samples),
          estimate: estimateOf(thin),
          ...(loss !== undefined && {loss}),
        },
        layers: () => [...layers.keys()],
        extend: (module: Module, _, as) => withThin(module, headOf(module, task.name), layers, as),
      },
    ],
    settled: true,
    explain: async () => [explain(studied, thin)],
  };
}

const estimateOf = ({judgement: {loss, agreement, divergence}}: Thinned) => ({
  loss: Number(loss.toFixed(2)),
  agreement: Number((100 * agreement).toFixed(2)),
  divergence: Number(divergence.toPrecision(3)),
});

/** The least share, from the one given on, at which no more than that is lost: by bisection. All of the time loses nothing. */
function within(
  {network}: Studied,
  {points, labelled: {data}}: NonNullable<LowrankWanted['budget']>,
  least: number,
  at: (share: number) => Thinned,
): {readonly loss: number; readonly thin: Thinned} {
  const right = (): number => {
    const entry = network.entry();
    const labels = labelsOf(entry.task, data);
    return answersOf(entry, data).filter((answer, i) => answer === labels[i]).length;
  };
  network.rewrite(new Map());
  const whole = right();
  const tried = (share: number): {readonly loss: number; readonly thin: Thinned} => {
    const thin = at(share);
    return {loss: Number(((100 * (whole - right())) / data.count).toFixed(2)), thin};
  };
  const first = tried(least);
  if (first.loss <= points) return first;
  let [low, high, best] = [least, 1, null as ReturnType<typeof tried> | null];
  for (let i = 0; i < halvings; i++) {
    const middle = (low + high) / 2;
    const now = tried(middle);
    if (now.loss <= points) [high, best] = [middle, now];
    else low = middle;
  }
  return best ?? tried(1);
}
