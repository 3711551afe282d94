/** A recipe on a network of a test, with samples of its own. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {openDataset} from '../../compiler/data/dataset.js';
import {writeNpz} from '../../compiler/data/npz.js';
import {writeNetwork} from '../../compiler/network-file.js';
import {applyRecipes} from '../../compiler/recipes/apply.js';
import type {RecipeReport} from '../../compiler/recipes/report.js';
import {type Tensor, tensorFrom} from '../../ir/tensor.js';
import type {Module} from '../../ir/types.js';
import {temporaryFolder} from './temporary.js';

/** `x`: samples, one behind the other. The module has one head, `net`. Errors: those of `applyRecipes`. */
export async function reportOf(module: Module, x: Tensor, recipe: string): Promise<RecipeReport> {
  const folder = temporaryFolder();
  const [model, path] = [join(folder, 'net.network'), join(folder, 'samples.npz')];
  const [count] = x.shape;
  writeNpz(path, {x, y: tensorFrom('i64', [count!], new Array<number>(count!).fill(0))});
  writeFileSync(model, writeNetwork(module));
  const task = {
    ...{name: 'net', model, output: null, labels: null, labelOffset: 0, input: {}},
    ...{calibrate: null, evaluate: null, labelsKey: null, others: []},
  };
  const calibrate = new Map([['net', {path, data: openDataset(path)}]]);
  const {recipes} = await applyRecipes([task], {recipes: [recipe], calibrate, bind: new Map()});
  return recipes[0]!;
}
