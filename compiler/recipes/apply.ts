/** Recipes on tasks: what they need is found out on samples, and a build gets variants and their explanation. */
import {fail} from '../../ir/diagnostics.js';
import type {Module} from '../../ir/types.js';
import type {Labelled} from '../data/dataset.js';
import {hashOfData} from '../evaluate-variant.js';
import {explain, type Int8Options, study, withVariant} from '../quantize/index.js';
import {type Method, methodText} from '../quantize/ranges.js';
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
  /** Sizes of symbolic dimensions, and sharing, as the build has them. */
  readonly bind: ReadonlyMap<string, number>;
  readonly share?: boolean;
  readonly progress?: (doing: string) => void;
};

/** What `build` takes as `lossy` and `recipes`. */
export type Applied = {readonly lossy: (module: Module) => Module; readonly recipes: readonly RecipeReport[]};

/** Errors: those of `parseRecipes`; usage recipe.samples, int8.*; input calibrate.*. */
export async function applyRecipes(tasks: readonly Task[], given: RecipeOptions): Promise<Applied> {
  const recipes = parseRecipes(given.recipes);
  const {calibrate, method = {kind: 'min-max'}, samples: count = 64, correctBias = true, ...reading} = given;
  const options: Int8Options = {...reading, method, count, correctBias};
  const wanted = recipes.flatMap(recipe =>
    tasks.map(task => {
      const {name} = task;
      const samples = calibrate.get(name);
      if (!samples)
        return fail(
          'usage',
          'recipe.samples',
          name,
          `recipe ${recipe.name} needs samples`,
          `--calibrate DATA or --calibrate ${name}=DATA`,
        );
      return {task, recipe: recipe.name, samples};
    }),
  );
  const studied = await study(wanted, tasks, options);
  const floats = studied.map(() => new Map<string, string>());
  const layers = await explain(studied, tasks, floats, options);
  return {
    lossy: module => studied.reduce((extended, each, i) => withVariant(extended, each, floats[i]!, correctBias), module),
    recipes: studied.map(({task, recipe, samples, indices}, i) => ({
      ...{task: task.name, recipe, calibration: methodText(method), samples: indices.length, data: hashOfData(samples)},
      layers: layers[i]!,
    })),
  };
}
