/**
 * Random modules: the reference, the reference after all passes, portable C and the C of the best target agree. A failing
 * module is shrunk and printed as text, ready to be kept in test/fixtures. Longer, and elsewhere:
 * DNNC_RANDOM_SECONDS=600 DNNC_RANDOM_SEED=1000 npx ava build/test/random.test.js
 */
import test from 'ava';
import {parse} from '../ir/parse.js';
import {print} from '../ir/print.js';
import type {Module} from '../ir/types.js';
import {expectationOf, problemsInC, problemsInIr, problemsOf, stageOf} from './support/agreement.js';
import {buildAll, targetsHere} from './support/cc.js';
import {filesBelow, read} from './support/files.js';
import {printConstantsWhole} from './support/fixture.js';
import {randomModule} from './support/random-module.js';
import {differences, randomInputs} from './support/reference.js';
import {runSanitized} from './support/sanitize.js';
import {shrink} from './support/shrink.js';
import {randomOf} from './support/tensors.js';

const seconds = Number(process.env.DNNC_RANDOM_SECONDS ?? 10);
const firstSeed = Number(process.env.DNNC_RANDOM_SEED ?? 1);
const batch = 16;
const ends = targetsHere.filter((_, i) => i === 0 || i === targetsHere.length - 1);

/** The smallest module that fails as this one does, as the text of a fixture. */
async function report(module: Module, seed: number, problems: readonly string[]): Promise<string> {
  const stage = stageOf(problems[0]!);
  const targets = ends.filter(({name}) => name === stage);
  const smallest = await shrink(module, async candidate =>
    (await problemsOf(candidate, randomInputs(candidate, randomOf(seed)), targets)).some(problem => stageOf(problem) === stage),
  );
  return `seed ${seed}: ${problems.join('\n')}\n${printConstantsWhole(smallest)}`;
}

test.serial('random modules: reference, passes and C agree', async t => {
  t.timeout(seconds * 1000 + 600_000);
  const started = performance.now();
  const failures: string[] = [];
  let seed = firstSeed;
  while (performance.now() - started < seconds * 1000 && failures.length === 0) {
    const made = Array.from({length: batch}, () => ({seed, module: randomModule(seed++)}));
    const expected = made.map(({module, seed: own}) => expectationOf(module, own));
    const programs = await buildAll(
      made.map(({module}) => module),
      {targets: ends},
    );
    for (const [i, {module, seed: own}] of made.entries()) {
      const problems = [...problemsInIr(module, expected[i]!), ...problemsInC(programs[i]!, ends, expected[i]!)];
      if (problems.length > 0) failures.push(await report(module, own, problems));
    }
  }
  t.log(`seeds ${firstSeed} to ${seed - 1}`);
  t.deepEqual(failures, []);
});

test.serial('random modules stay inside their buffers, without undefined behaviour', async t => {
  t.timeout(900_000);
  const made = Array.from({length: 12}, (_, i) => randomModule(firstSeed + i));
  const expected = made.map((module, i) => expectationOf(module, firstSeed + i));
  for (const target of ends) {
    const results = await runSanitized(
      made.map((module, i) => ({module, inputs: expected[i]!.inputs})),
      target,
    );
    results.forEach((result, i) => {
      t.deepEqual(differences(result, expected[i]!.results, 1e-3), [], `${target.name}, seed ${firstSeed + i}`);
    });
  }
});

test.serial('modules that once failed', async t => {
  t.timeout(900_000);
  const files = filesBelow('test/fixtures', '.ir');
  const modules = files.map(file => parse(read(file), {file}));
  const expected = modules.map(module => expectationOf(module, 1));
  const programs = await buildAll(modules);
  files.forEach((file, i) => {
    const module = modules[i]!;
    t.deepEqual([...problemsInIr(module, expected[i]!), ...problemsInC(programs[i]!, targetsHere, expected[i]!)], [], file);
    t.true(print(module).length > 0);
  });
});
