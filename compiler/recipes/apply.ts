/** Recipes on tasks: what they need is found out on samples, and a build gets variants and their explanation. */
import {fail} from '../../ir/diagnostics.js';
import type {Module} from '../../ir/types.js';
import type {Labelled} from '../data/dataset.js';
import {hashOfData} from '../evaluate-variant.js';
import {type Budget, type Kept, keepWithin} from '../quantize/budget.js';
import {explain} from '../quantize/explain.js';
import {type Method, methodText} from '../quantize/ranges.js';
import {type Int8Options, study, withVariant} from '../quantize/study.js';
import type {Task} from '../tasks.js';
import {parseRecipes} from './parse.js';
import type {RecipeReport} from './report.js';

export type RecipeOptions = {
  /** `int8`, `int8:equalize`. Each becomes a variant of each task. */
  readonly recipes: readonly string[];
  /** Samples by task; labels are not looked at. */
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

/** Errors: those of `parseRecipes`; usage recipe.samples, recipe.taken, recipe.evaluate, int8.*; check recipe.loss; input calibrate.*. */
export async function applyRecipes(tasks: readonly Task[], given: RecipeOptions): Promise<Applied> {
  const recipes = parseRecipes(given.recipes);
  const {calibrate, evaluate, maxLoss, method = {kind: 'min-max'}, samples: count = 64, correctBias = true, ...reading} = given;
  const options: Int8Options = {...reading, method, count, correctBias};
  const wanted = recipes.flatMap(recipe =>
    tasks.map(task => {
      const {name} = task;
      if (task.others.some(other => other.recipe === recipe.name))
        fail('usage', 'recipe.taken', `${name}/${recipe.name}`, 'is another network of this task', 'rename its file');
      const samples = calibrate.get(name);
      if (!samples)
        return fail(
          'usage',
          'recipe.samples',
          name,
          `recipe ${recipe.name} needs samples`,
          `--calibrate DATA or --calibrate ${name}=DATA`,
        );
      const [{equalize}] = recipe.steps;
      return {task, recipe: recipe.name, equalize, samples};
    }),
  );
  const budgets = budgetsOf(tasks, maxLoss, evaluate);
  const studied = await study(wanted, tasks, options);
  const kept: Kept[] = [];
  for (const each of studied) {
    const labelled = budgets.get(each.task.name);
    kept.push(labelled ? await keepWithin(labelled, each, tasks, options) : {float: new Map(), effects: new Map()});
  }
  const layers = await explain(
    studied,
    tasks,
    kept.map(({float}) => float),
    options,
  );
  return {
    lossy: module => studied.reduce((extended, each, i) => withVariant(extended, each, kept[i]!.float, correctBias), module),
    recipes: studied.map(({task, recipe, samples, indices, equalized}, i) => ({
      ...{task: task.name, recipe, calibration: methodText(method), samples: indices.length, data: hashOfData(samples)},
      ...(equalized && {equalized: equalized.pairs}),
      ...(kept[i]!.loss !== undefined && {loss: kept[i]!.loss}),
      layers: layers[i]!.map(layer => {
        const effect = kept[i]!.effects.get(layer.layer);
        return effect === undefined ? layer : {...layer, effect: Number(effect.toPrecision(3))};
      }),
    })),
  };
}

/** Errors: usage recipe.evaluate. */
function budgetsOf(
  tasks: readonly Task[],
  points: number | undefined,
  evaluate: ReadonlyMap<string, Labelled> = new Map(),
): ReadonlyMap<string, Budget> {
  if (points === undefined) return new Map();
  return new Map(
    tasks.map(({name}) => {
      const labelled =
        evaluate.get(name) ??
        fail(
          'usage',
          'recipe.evaluate',
          name,
          'a loss is counted on labelled samples',
          `--evaluate DATA or --evaluate ${name}=DATA`,
        );
      return [name, {points, labelled}];
    }),
  );
}
