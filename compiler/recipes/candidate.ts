/** What recipes have in common once their samples have been looked at: variants that can be built, whole or in part. */
import {headOf} from '../../ir/graph.js';
import type {Head, Module} from '../../ir/types.js';
import type {Task} from '../tasks.js';
import type {LayerReport, RecipeReport} from './report.js';

/** A task under a recipe. */
export type Candidate = {
  readonly task: Task;
  readonly recipe: string;
  /** What is known of it as a whole. */
  readonly facts: Omit<RecipeReport, 'task' | 'recipe' | 'layers' | 'loss'>;
  /** Names of the layers that it changes. */
  readonly layers: (module: Module) => readonly string[];
  /** The module with the variant as one more head. `float` names layers that it leaves alone. */
  readonly extend: (module: Module, float: ReadonlyMap<string, string>, as: Pick<Head, 'name' | 'attrs'>) => Module;
};

/** Candidates that are explained together. */
export type Family = {
  readonly candidates: readonly Candidate[];
  /** What happens to each layer, by candidate; `floats` names those that stay in float, and why. */
  readonly explain: (floats: readonly ReadonlyMap<string, string>[]) => Promise<readonly (readonly LayerReport[])[]>;
};

/** The module with the variant under the name that builds give it. */
export function withVariant(
  module: Module,
  {task: {name}, recipe, extend}: Candidate,
  float: ReadonlyMap<string, string>,
): Module {
  const {attrs} = headOf(module, name);
  return extend(module, float, {name: `${name}_${recipe.replaceAll(/\W/g, '_')}`, attrs: {...attrs, task: name, recipe}});
}
