/** Recipes on tasks: what they need is found out on samples, and a build gets variants and their explanation. */
import {fail} from '../../ir/diagnostics.js';
import type {Module} from '../../ir/types.js';
import type {Labelled} from '../data/dataset.js';
import type {Method} from '../quantize/ranges.js';
import type {Task} from '../tasks.js';
import {type Kept, keepWithin} from './budget.js';
import {type Candidate, type Family, withVariant} from './candidate.js';
import {int8} from './int8.js';
import {narrow} from './narrow.js';
import {needsSamples, parseRecipes, type Recipe, type Step} from './parse.js';
import type {RecipeReport} from './report.js';

export type RecipeOptions = {
  /** `int8`, `int8:equalize`, `f16`, `bf16`, `w8`, `w4`, `w4:32`. Each becomes a variant of each task. */
  readonly recipes: readonly string[];
  /** Samples by task; labels are not looked at. `int8` and `w4` need them. */
  readonly calibrate: ReadonlyMap<string, Labelled>;
  /** How ranges are chosen. Default: all that was seen. */
  readonly method?: Method;
  /** How many samples are looked at. Default: 64. */
  readonly samples?: number;
  /** Whether biases make up for what rounding does to means. Default: true. */
  readonly correctBias?: boolean;
  /** Percentage points of right answers that a variant may lose against `full`; layers stay in float until it holds. */
  readonly maxLoss?: number;
  /** Labelled samples by task that the loss is counted on. */
  readonly evaluate?: ReadonlyMap<string, Labelled>;
  /** Sizes of symbolic dimensions, and sharing, as the build has them. */
  readonly bind: ReadonlyMap<string, number>;
  readonly share?: boolean;
  readonly progress?: (doing: string) => void;
};

/** What `build` takes as `lossy` and `recipes`. */
export type Applied = {readonly lossy: (module: Module) => Module; readonly recipes: readonly RecipeReport[]};

/**
 * Errors: those of `parseRecipes`; usage recipe.samples, recipe.taken, recipe.evaluate, int8.*, narrow.*; check recipe.loss; input
 * calibrate.*.
 */
export async function applyRecipes(tasks: readonly Task[], given: RecipeOptions): Promise<Applied> {
  const recipes = parseRecipes(given.recipes);
  const {calibrate, evaluate = new Map(), maxLoss, method = {kind: 'min-max'}, samples: count = 64, correctBias = true} = given;
  const {bind, share = true, progress = () => {}} = given;
  const reading = {bind, share, progress};
  const asked = recipes.flatMap(recipe => tasks.map(task => askedOf(recipe, task, calibrate)));
  const labelledOf = (task: string): Labelled | null => (maxLoss === undefined ? null : labelledFor(task, evaluate));
  for (const {name} of tasks) labelledOf(name);
  const families: readonly Family[] = [
    await int8(
      asked.flatMap(({step, samples, ...rest}) =>
        step.kind === 'int8' && samples ? [{...rest, equalize: step.equalize, samples}] : [],
      ),
      tasks,
      {...reading, method, count, correctBias},
    ),
    await narrow(
      asked.flatMap(({step, ...rest}) => (step.kind === 'narrow' ? [{...rest, form: step.form}] : [])),
      tasks,
      {...reading, count},
    ),
  ];
  const made: Made[] = [];
  for (const {candidates, explain} of families) {
    const kept: Kept[] = [];
    for (const candidate of candidates) {
      const {name} = candidate.task;
      const labelled = labelledOf(name);
      const budget = labelled && {points: maxLoss ?? 0, labelled, samples: (calibrate.get(name) ?? labelled).data};
      kept.push(budget ? await keepWithin(budget, candidate, tasks, reading) : {float: new Map(), effects: new Map()});
    }
    const layers = await explain(kept.map(({float}) => float));
    candidates.forEach((candidate, i) => {
      made.push({candidate, kept: kept[i]!, layers: layers[i]!});
    });
  }
  const isOf = ({candidate}: Made, {task, recipe}: Asked): boolean =>
    candidate.task.name === task.name && candidate.recipe === recipe;
  const ordered = asked.flatMap(each => made.filter(one => isOf(one, each)));
  return {
    lossy: module => ordered.reduce((extended, {candidate, kept}) => withVariant(extended, candidate, kept.float), module),
    recipes: ordered.map(reportOf),
  };
}

type Asked = {readonly task: Task; readonly recipe: string; readonly step: Step; readonly samples: Labelled | null};

type Made = {readonly candidate: Candidate; readonly kept: Kept; readonly layers: RecipeReport['layers']};

/** Errors: usage recipe.samples, recipe.taken. */
function askedOf(recipe: Recipe, task: Task, calibrate: ReadonlyMap<string, Labelled>): Asked {
  const {name} = task;
  if (task.others.some(other => other.recipe === recipe.name))
    fail('usage', 'recipe.taken', `${name}/${recipe.name}`, 'is another network of this task', 'rename its file');
  const samples = calibrate.get(name) ?? null;
  if (!samples && needsSamples(recipe))
    fail('usage', 'recipe.samples', name, `recipe ${recipe.name} needs samples`, `--calibrate DATA or --calibrate ${name}=DATA`);
  return {task, recipe: recipe.name, step: recipe.steps[0], samples};
}

function reportOf({candidate: {task, recipe, facts}, kept, layers}: Made): RecipeReport {
  return {
    ...{task: task.name, recipe, ...facts},
    ...(kept.loss !== undefined && {loss: kept.loss}),
    layers: layers.map(layer => {
      const effect = kept.effects.get(layer.layer);
      return effect === undefined ? layer : {...layer, effect: Number(effect.toPrecision(3))};
    }),
  };
}

/** Errors: usage recipe.evaluate. */
const labelledFor = (task: string, evaluate: ReadonlyMap<string, Labelled>): Labelled =>
  evaluate.get(task) ??
  fail('usage', 'recipe.evaluate', task, 'a loss is counted on labelled samples', `--evaluate DATA or --evaluate ${task}=DATA`);
