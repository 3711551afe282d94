/** A task on another's trunk: fitted, built, and answering from C as the reference evaluator does. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {build} from '../compiler/build.js';
import {openDataset} from '../compiler/data/dataset.js';
import {targetsNamed} from '../compiler/host.js';
import {retarget} from '../compiler/retarget/index.js';
import {resolveTasks} from '../compiler/tasks.js';
import {npz, splits} from '../examples/signs/data.js';
import {DnncError} from '../ir/diagnostics.js';
import {evaluate} from '../ir/evaluate.js';
import {numbersOf, tensorFrom} from '../ir/tensor.js';
import {load} from '../runtime/index.js';
import {temporaryFolder} from './support/temporary.js';
import {hasCompiler} from './tiny-build.js';

const folder = temporaryFolder();
const compiled = hasCompiler ? test.serial : test.serial.skip;
const path = join(folder, 'signs.npz');
const dataOf = (labelsKey: string) => ({path, data: openDataset(path, {labelsKey})});
const bind = new Map<string, number>();

test.before(() => {
  writeFileSync(path, npz({seed: splits.evaluate, count: 300}));
});

compiled('colours of signs from the network that knows shapes', async t => {
  t.timeout(300_000);
  const flags = ['shape', 'colour'].map(name => `${name}=examples/signs/models/sign-${name}.onnx`);
  const {tasks} = resolveTasks({tasks: flags, config: 'examples/signs/dnnc.config.json'});
  const fit = new Map([['colour', dataOf('y_colour')]]);
  const {heads, extend} = await retarget(tasks, {fit, bind});
  t.true(heads.length >= 1);
  heads.forEach((head, i) => {
    t.is(head.task, 'colour');
    t.true(head.headMacs * 50 < head.trunkMacs);
    const before = heads[i - 1];
    t.true(!before || (before.heldOut < head.heldOut && before.trunkMacs < head.trunkMacs));
  });

  const directory = join(folder, 'colours');
  const built = await build(tasks, {
    ...{directory, name: 'colours', targets: targetsNamed(['generic']), extend, measure: false},
    evaluate: new Map([['colour', dataOf('y_colour')]]),
  });
  const {variants, tasks: known} = built.manifest;
  t.deepEqual(known['colour']?.variants, ['colour/full', ...heads.map(({recipe}) => `colour/${recipe}`)]);
  const session = load(directory);
  const [input] = session.entry('shape').newInputs();
  const pixels = (input as Float32Array).map((_, i) => Math.sin(i / 7));
  const [declared] = known['shape']!.inputs;
  const sample = tensorFrom('f32', declared!.shape, [...pixels]);
  for (const {recipe} of heads) {
    const id = `colour/${recipe}`;
    const variant = variants.find(each => each.id === id)!;
    // Fitted on these very samples: far above one in five.
    t.true(variant.quality!.value > 60, `${id}: ${variant.quality!.value}`);
    const {scores} = session.run('colour', pixels, {variant: id});
    const name = `colour_${recipe.replace('@', '_')}`;
    const values = evaluate(built.compiled.module, new Map([[declared!.name, sample]]), {heads: [name]});
    const head = built.compiled.module.heads.find(each => each.name === name)!;
    const expected = numbersOf(values.get(head.outputs[0]!)!);
    const largest = Math.max(...expected.map(Math.abs));
    t.true(
      expected.every((value, i) => Math.abs(value - Number(scores[i])) < 1e-4 * largest),
      `${id}: ${scores} instead of ${expected}`,
    );
  }
});

compiled('what cannot be retargeted is said before anything is fitted', async t => {
  const model = 'examples/signs/models/sign-shape.onnx';
  const {tasks} = resolveTasks({models: [model]});
  const code = async (action: () => Promise<unknown>): Promise<string | undefined> =>
    (await t.throwsAsync(action, {instanceOf: DnncError}))?.problems[0]?.code;
  t.is(await code(() => retarget(tasks, {fit: new Map(), bind})), 'retarget.tasks');
  const two = resolveTasks({models: [model, 'examples/signs/models/sign-colour.onnx']}).tasks;
  t.is(await code(() => retarget(two, {fit: new Map(), bind})), 'retarget.data');
});
