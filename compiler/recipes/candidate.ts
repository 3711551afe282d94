/** What recipes have in common once their samples have been looked at: variants that can be built, whole or in part. */
import {headOf} from '../../ir/graph.js';
import type {Head, Module} from '../../ir/types.js';
import type {Labelled} from '../data/dataset.js';
import {hashOfData} from '../evaluate-variant.js';
import {spread} from '../quantize/samples.js';
import type {Task} from '../tasks.js';
import type {LayerReport, RecipeReport} from './report.js';

/** A task under a recipe. */
export type Candidate = {
  readonly task: Task;
  readonly recipe: string;
  /** What is known of it as a whole. */
  readonly facts: Omit<RecipeReport, 'task' | 'recipe' | 'step' | 'layers'>;
  /** Names of the layers that it changes. */
  readonly layers: (module: Module) => readonly string[];
  /** The module with the variant as one more head. `float` names layers that it leaves alone. */
  readonly extend: (module: Module, float: ReadonlyMap<string, string>, as: Pick<Head, 'name' | 'attrs'>) => Module;
};

/** Facts of what is fitted by least squares to so many of some samples. */
export const fittedTo = (samples: Labelled, count: number): Candidate['facts'] => ({
  calibration: 'least squares',
  samples: spread(samples.data, count).length,
  data: hashOfData(samples),
});

/** Candidates that are explained together. */
export type Family = {
  readonly candidates: readonly Candidate[];
  /** Whether a loss budget was kept when they were made: then it need not be kept by leaving layers alone. */
  readonly settled?: boolean;
  /** What happens to each layer, by candidate; `floats` names those that stay in float, and why. */
  readonly explain: (floats: readonly ReadonlyMap<string, string>[]) => Promise<readonly (readonly LayerReport[])[]>;
};

/** The name of the variant's head. */
export const variantHead = ({task: {name}, recipe}: Candidate): string => `${name}_${recipe.replaceAll(/\W/g, '_')}`;

/** The module with the variant as its last head. */
export function withVariant(module: Module, candidate: Candidate, float: ReadonlyMap<string, string>): Module {
  const {task, recipe, extend} = candidate;
  const {attrs} = headOf(module, task.name);
  return extend(module, float, {name: variantHead(candidate), attrs: {...attrs, task: task.name, recipe}});
}
