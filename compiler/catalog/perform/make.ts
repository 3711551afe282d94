/** One step of a recipe: from a network in the store to another one. */
import {DnncError} from '../../../ir/diagnostics.js';
import {headOf, outputNames} from '../../../ir/graph.js';
import {runPasses} from '../../../passes/framework/manager.js';
import {loadTasks} from '../../load.js';
import {onlyHead, writeNetwork} from '../../network-file.js';
import {beforeFusion} from '../../pipeline.js';
import {parseMethod} from '../../quantize/ranges.js';
import {applyRecipes} from '../../recipes/apply.js';
import type {Shrinker} from '../../recipes/shrink.js';
import {lastFew} from '../../recipes/studies.js';
import type {Made, MakeJob} from '../jobs.js';
import type {Store} from '../store.js';
import {samplesOf, taskOf} from './task.js';

/** Steps of one network and kind come one after the other, of two kinds by turns. */
const studies = lastFew<Shrinker>(3);

export async function make(job: MakeJob, store: Store, progress: (doing: string) => void): Promise<Made> {
  const {question, network, step, samples, method} = job;
  const task = taskOf(question, store.fileOf(network));
  const bind = new Map<string, number>();
  const base = runPasses(loadTasks([task], {name: 'catalog', bind}).module, beforeFusion);
  try {
    const {lossy, recipes} = await applyRecipes([task], {
      ...{recipes: [step], bind, studies, progress, method: parseMethod(method)},
      calibrate: new Map(samples ? [[task.name, samplesOf(samples)]] : []),
    });
    const [own, made] = [headOf(base, task.name), lossy(base)];
    const attrs = {outputs: [...outputNames(own)]};
    const module = onlyHead(made, {...made.heads.at(-1)!, name: task.name, attrs});
    return {network: store.put(writeNetwork(module)), report: recipes[0]!};
  } catch (error) {
    // A network that the step is not for, or of which nothing holds; anything else is an error of the build.
    if (error instanceof DnncError && (error.kind === 'usage' || error.kind === 'check'))
      return {refused: error.problems[0]!.says};
    throw error;
  }
}
