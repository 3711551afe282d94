/** `stride`, `tie`: the same network with layers that are applied at other places, as many as hold. */
import {fail} from '../../ir/diagnostics.js';
import type {Labelled} from '../data/dataset.js';
import {rightBy} from '../evaluate-variant.js';
import {estimateOf} from '../reconstruct/judge.js';
import {type Studied, type StudyOptions, surveyNetwork} from '../reconstruct/study.js';
import type {Change, Structure} from '../restructure/change.js';
import {chooseChanges} from '../restructure/choose.js';
import {type Changed, changed, changesAt} from '../restructure/study.js';
import {strides} from '../stride/index.js';
import type {Task} from '../tasks.js';
import {ties} from '../tie/index.js';
import {type Family, fittedTo} from './candidate.js';
import type {StructureStep} from './parse.js';
import type {Budget} from './shrink.js';

export type Wanted = {readonly task: Task; readonly recipe: string; readonly samples: Labelled; readonly budget: Budget | null};

/** Errors: usage reconstruct.layers; input calibrate.*; check structure.none, recipe.loss. */
export const restructure = (
  kind: StructureStep['kind'],
  wanted: Wanted,
  tasks: readonly Task[],
  options: StudyOptions,
): Promise<Family> => (kind === 'stride' ? familyOf(strides, wanted, tasks, options) : familyOf(ties, wanted, tasks, options));

async function familyOf<C extends Change>(
  structure: Structure<C>,
  {task, recipe, samples, budget}: Wanted,
  tasks: readonly Task[],
  options: StudyOptions,
): Promise<Family> {
  const whole = await surveyNetwork(tasks, task, samples, options);
  const chosen = await chooseChanges(structure, tasks, task, whole, options);
  const {first, reasons} = chosen;
  const at = `${task.name}/${recipe}`;
  if (!first)
    return fail('check', 'structure.none', at, `no layer changes and holds: ${few(reasons)}`, 'build it without this recipe');
  const make = async (own: readonly C[]): Promise<Changed> =>
    own.length === 1 ? first : await changed(structure, tasks, task, whole, own, options);
  const {made, changes, loss} = await within(chosen.changes, make, {whole, budget, at});
  const {judgement, layers, now} = made;
  const names = changes.map(({layer}) => layer);
  return {
    candidates: [
      {
        ...{task, recipe},
        facts: {
          ...fittedTo(samples, options.count),
          estimate: estimateOf(judgement),
          ...(loss !== undefined && {loss}),
        },
        // Layers were fitted to each other: none of them can be left as it was.
        layers: () => [],
        extend: (module, _, as) => changesAt(structure, task.name, names, layers)(module, as),
      },
    ],
    settled: true,
    explain: async () => [structure.explain(whole.network, task.name, {changes, layers}, now, reasons)],
  };
}

type Held<C> = {readonly made: Changed; readonly changes: readonly C[]; readonly loss?: number};

/** As many changes as the budget allows, those that harm most for what they save left out first. Errors: check recipe.loss. */
async function within<C extends Change>(
  all: readonly C[],
  make: (own: readonly C[]) => Promise<Changed>,
  {whole, budget, at}: {readonly whole: Studied; readonly budget: Budget | null; readonly at: string},
): Promise<Held<C>> {
  if (!budget) return {made: await make(all), changes: all};
  const {points, lost, labelled} = budget;
  const {data} = labelled;
  whole.network.rewrite(new Map());
  const right = rightBy(whole.network.entry(), data);
  let best = Number.POSITIVE_INFINITY;
  for (let count = all.length; count > 0; count--) {
    const changes = all.slice(0, count);
    const made = await make(changes);
    const loss = Number((lost + (100 * (right - rightBy(made.network.entry(), data))) / data.count).toFixed(2));
    if (loss <= points) return {made, changes, loss};
    best = Math.min(best, loss);
  }
  return fail(
    'check',
    'recipe.loss',
    at,
    `loses ${best.toFixed(2)} points at best; it may lose ${points}`,
    'allow more, or build it without this recipe',
  );
}

/** The first few, for a message. */
const few = (reasons: ReadonlyMap<string, string>): string =>
  Array.from(reasons, ([name, reason]) => `${name}: ${reason}`)
    .slice(0, 3)
    .join('; ') || 'it has none that could';
