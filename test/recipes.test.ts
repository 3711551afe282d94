/** Lossy variants as users ask for them: names, samples, loss budgets, and what is said where one of them is wrong. */
import {copyFileSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {build} from '../compiler/build.js';
import {samplesOf, withLabels} from '../compiler/commands/recipes.js';
import {openDataset} from '../compiler/data/dataset.js';
import {writeNpz} from '../compiler/data/npz.js';
import {targetsNamed} from '../compiler/host.js';
import {loadTasks} from '../compiler/load.js';
import {beforeFusion} from '../compiler/pipeline.js';
import {applyRecipes, type RecipeOptions} from '../compiler/recipes/apply.js';
import {needsSamples, parseRecipe, parseRecipes} from '../compiler/recipes/parse.js';
import type {RecipeReport} from '../compiler/recipes/report.js';
import {layersOf} from '../compiler/recipes/times.js';
import {resolveTasks} from '../compiler/tasks.js';
import {DnncError} from '../ir/diagnostics.js';
import {evaluate} from '../ir/evaluate.js';
import type {Step} from '../ir/plan.js';
import {numbersOf, tensorFrom} from '../ir/tensor.js';
import type {Loc, Node, ValueId} from '../ir/types.js';
import {runPasses} from '../passes/framework/manager.js';
import {load} from '../runtime/index.js';
import {buildWeather, documentOf, dnnc as run, tinyModel, weights, writeTiny} from './support/cli.js';
import {attribute, modelBytes, node, valueInfo} from './support/onnx-bytes.js';
import {temporaryFolder} from './support/temporary.js';
import {randomOf} from './support/tensors.js';
import {hasCompiler} from './tiny-build.js';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const dnnc = (...args: readonly string[]) => run(args, {env: {XDG_CACHE_HOME: at('cache')}});
const compiled = hasCompiler ? test.serial : test.serial.skip;

/** Samples without preparation: x (N, 3, 48, 48) of f32 and y (N,). */
function write(name: string, samples: readonly (readonly number[])[], labels: readonly number[]): string {
  const x = tensorFrom('f32', [samples.length, 3, 48, 48], samples.flat());
  writeNpz(at(name), {x, y: tensorFrom('i32', [labels.length], labels)});
  return at(name);
}

/** Black and white noise, each channel of each sample as bright as is drawn. */
function noise(seed: number, count: number, contrast: number): number[][] {
  const random = randomOf(seed);
  return Array.from({length: count}, () => {
    const bright = [0, 1, 2].map(() => random.unit());
    return Array.from({length: 3 * 48 * 48}, (_, i) => (random.chance(bright[Math.floor(i / 2304)]!) ? contrast : -contrast));
  });
}

const {tasks} = ((): ReturnType<typeof resolveTasks> => {
  writeTiny(folder);
  writeFileSync(at('plain.json'), JSON.stringify({tasks: {tiny: {model: 'tiny.onnx'}}}));
  return resolveTasks({config: at('plain.json')});
})();
const bind = new Map<string, number>();
const dataOf = (path: string) => new Map([['tiny', {path, data: openDataset(path)}]]);
const apply = (given: Partial<RecipeOptions>) => applyRecipes(tasks, {recipes: ['int8'], calibrate: new Map(), bind, ...given});

/** What the network itself answers. */
function answers(samples: readonly (readonly number[])[]): readonly number[] {
  const {module} = loadTasks(tasks, {name: 'tiny', bind});
  return samples.map(sample => {
    const values = evaluate(module, new Map([['pixels', tensorFrom('f32', [1, 3, 48, 48], sample)]]));
    const scores = numbersOf(values.get(module.heads[0]!.outputs[0]!)!);
    return scores.indexOf(Math.max(...scores));
  });
}

test('recipes by name', t => {
  const stepOf = (name: string) => parseRecipe(name).steps[0].step;
  t.deepEqual(stepOf('int8'), {kind: 'int8', equalize: false});
  t.deepEqual(stepOf('int8:equalize'), {kind: 'int8', equalize: true});
  t.deepEqual(stepOf('bf16'), {kind: 'narrow', form: {dtype: 'bf16', group: null}});
  t.deepEqual(stepOf('w8'), {kind: 'narrow', form: {dtype: 'i8', group: null}});
  t.deepEqual(stepOf('w4'), {kind: 'narrow', form: {dtype: 'i4', group: null}});
  t.deepEqual(stepOf('w4:32'), {kind: 'narrow', form: {dtype: 'i4', group: 32}});
  t.deepEqual(
    ['int8', 'f16', 'bf16', 'w8', 'w4', 'w4:32'].map(name => needsSamples(parseRecipe(name))),
    [true, false, false, false, true, true],
  );
  const code = (...names: readonly string[]) => t.throws(() => parseRecipes(names), {instanceOf: DnncError})?.problems[0]?.code;
  t.is(code('int7'), 'recipe.unknown');
  t.is(code('constructor'), 'recipe.unknown');
  t.is(code('int8:fast'), 'recipe.argument');
  for (const wrong of ['w4:', 'w4:16', 'w8:32', 'f16:fast']) t.is(code(wrong), 'recipe.argument');
  for (const combined of ['int8+int8', 'int8+w4', 'w4+w8']) t.is(code(combined), 'recipe.steps');
  t.is(code('int8', 'int8'), 'recipe.twice');
});

test('samples that tell no range', async t => {
  const samples = noise(1, 8, 1);
  const problem = async (path: string) => {
    const error = await t.throwsAsync(() => apply({calibrate: dataOf(path)}), {instanceOf: DnncError});
    return error!.problems[0]!;
  };
  t.is((await problem(write('few.npz', samples.slice(0, 7), new Array<number>(7).fill(0)))).code, 'calibrate.few');
  if (!hasCompiler) return;
  const flat = samples.map((sample, i) => (i === 5 ? sample.map(() => 3) : sample));
  const constant = await problem(write('flat.npz', flat, new Array<number>(8).fill(0)));
  t.is(constant.code, 'calibrate.constant');
  t.true(constant.where.endsWith('x[5]'));
  const broken = samples.map((sample, i) => (i === 2 ? sample.with(7, Number.NaN) : sample));
  const missing = await problem(write('nan.npz', broken, new Array<number>(8).fill(0)));
  t.is(missing.code, 'dataset.nan');
  t.true(missing.where.endsWith('x[2]'));
});

test('samples for ranges need no labels, and never have those of another task', t => {
  const named = tasks.map(task => ({...task, labelsKey: 'y_tiny'}));
  const path = write('other.npz', noise(4, 8, 1), new Array<number>(8).fill(1));
  const samples = samplesOf(named, [path]);
  t.is(samples.get('tiny')?.data.count, 8);
  t.is(withLabels(samples).size, 0);
  t.is(withLabels(samplesOf(tasks, [`tiny=${path}`])).size, 1);
  t.is(samplesOf(tasks, []).size, 0);
  t.is(samplesOf([{...tasks[0]!, calibrate: path}], []).size, 1);
});

test('what is missing is said before anything is built', async t => {
  const code = async (given: Partial<RecipeOptions>) =>
    (await t.throwsAsync(() => apply(given), {instanceOf: DnncError}))?.problems[0]?.code;
  t.is(await code({}), 'recipe.samples');
  t.is(await code({recipes: ['w4']}), 'recipe.samples');
  t.is(await code({recipes: ['int3']}), 'recipe.unknown');
  // Both of its layers are small.
  t.is(await code({recipes: ['w8']}), 'narrow.layers');
  t.is(await code({recipes: ['w8'], maxLoss: 1}), 'recipe.evaluate');
  const calibrate = dataOf(write('some.npz', noise(2, 8, 1), new Array<number>(8).fill(0)));
  t.is(await code({calibrate, maxLoss: 1}), 'recipe.evaluate');
  for (const recipe of ['int8', 'w4:32']) {
    const outcome = await dnnc('build', at('tiny.onnx'), '--recipe', recipe, '-o', at('none'));
    t.is(outcome.code, 2);
    t.regex(outcome.stderr, /recipe\.samples.*\n.*--calibrate/);
  }
  mkdirSync(at('alone'));
  copyFileSync(at('tiny.onnx'), at('alone/tiny.onnx'));
  for (const [model, flags, id, exit] of [
    ['alone/tiny.onnx', ['--recipe', 'w8', '--max-loss', '1'], 'recipe.evaluate', 2],
    // The configuration names labelled samples.
    ['tiny.onnx', ['--recipe', 'w8', '--max-loss', '1'], 'evaluate.npz: there is no such file', 4],
    ['tiny.onnx', ['--max-loss', '1'], 'recipe.none', 2],
    ['tiny.onnx', ['--recipe', 'int8', '--calibration', 'best'], 'calibration.method', 2],
  ] as const) {
    const wrong = await dnnc('build', at(model), ...flags, '-o', at('none'));
    t.true(wrong.stderr.includes(id), wrong.stderr);
    t.is(wrong.code, exit);
  }
});

test("what a step takes is its layer's: with borders and loops, apart where layers began at one place", t => {
  const at = (node: string): Loc => ({kind: 'onnx', file: 'net.onnx', node});
  const passed = (...from: readonly Loc[]): Loc => ({kind: 'pass', pass: 'fuse', from});
  const layer = (name: string, loc: Loc): Node => ({
    ...{op: 'conv2d', inputs: [], attrs: {}, loc},
    outputs: [{name, id: name as unknown as ValueId, type: {dtype: 'f32', shape: []}}],
  });
  const step = (loc: Loc, macs: number): Step => ({
    loc,
    macs,
    text: '',
    value: '',
    mayTake: [],
    work: {kind: 'loop'} as Step['work'],
  });
  const layers = [
    layer('first', at('a')),
    layer('thin', passed(at('b'))),
    layer('other', passed(at('b'))),
    layer('lost', at('c')),
    layer('gone', at('c')),
  ];
  const steps = [
    step(passed(), 0),
    step(passed(at('a'), at('relu')), 10),
    step(passed(at('pool')), 0),
    step(passed(at('b')), 10),
    step(passed(passed(), at('b')), 10),
    step(at('b'), 0),
    step(at('c'), 10),
  ];
  const times = layersOf({steps}, layers, i => 2 ** i);
  t.deepEqual(
    [...times],
    [
      ['first', 1 + 2],
      ['thin', 8],
      ['other', 16 + 32],
    ],
  );
});

compiled('several tasks, with other networks, under several recipes at once', async t => {
  const [first] = tasks;
  const others = [{recipe: 'twin', model: at('tiny.onnx'), output: null}];
  const two = [
    {...first!, name: 'a', others},
    {...first!, name: 'b'},
  ];
  const path = write('two.npz', noise(21, 8, 1), new Array<number>(8).fill(0));
  const calibrate = samplesOf(two, [path]);
  const {lossy, recipes} = await applyRecipes(two, {recipes: ['int8', 'int8:equalize'], calibrate, bind, measure: true});
  t.deepEqual(
    recipes.map(({task, recipe}) => `${task}/${recipe}`),
    ['a/int8', 'b/int8', 'a/int8:equalize', 'b/int8:equalize'],
  );
  for (const {layers} of recipes) {
    t.true(layers.every(({outputSqnr}) => outputSqnr! > 25));
    for (const {timeBefore, timeAfter} of layers) t.true(timeBefore! > 0 && timeAfter! > 0);
  }
  const {module} = loadTasks(two, {name: 'two', bind});
  const {heads} = lossy(runPasses(module, beforeFusion));
  t.deepEqual(heads.map(({name}) => name).sort(), ['a', 'a_int8', 'a_int8_equalize', 'a_twin', 'b', 'b_int8', 'b_int8_equalize']);
});

compiled('a network that reads whole numbers, whose step is 1', async t => {
  const path = write(
    'whole.npz',
    noise(22, 8, 127.5).map(sample => sample.map(value => value + 127.5)),
    new Array<number>(8).fill(0),
  );
  const {recipes} = await apply({calibrate: dataOf(path)});
  for (const {outputSqnr, layer} of recipes[0]!.layers) t.true(outputSqnr! > 30, layer);
});

compiled('logarithms of probabilities are logits', async t => {
  const networkWith = (last: string): Uint8Array =>
    modelBytes({
      name: last,
      input: [valueInfo('x', [1, 8])],
      output: [valueInfo('y', [1, 3])],
      initializer: [weights('w', [8, 3], 1), weights('b', [3], 2)],
      node: [
        node('Gemm', ['x', 'w', 'b'], ['h'], {}),
        node(last, ['h'], ['y'], {attribute: [attribute('axis', {type: 2, i: 1})]}),
      ],
    });
  const [soft, log] = await Promise.all(
    ['Softmax', 'LogSoftmax'].map(async last => {
      writeFileSync(at(`${last}.onnx`), networkWith(last));
      const options = {directory: at(last), name: 'last', targets: targetsNamed(['generic']), measure: false, typed: false};
      await build(resolveTasks({models: [at(`${last}.onnx`)]}).tasks, options);
      const session = load(at(last));
      const prior = [1, 2, 1];
      return {scores: session.manifest.tasks[last]!.scores, run: session.run(last, new Float32Array(8).fill(0.5), {prior})};
    }),
  );
  t.deepEqual([soft!.scores, log!.scores], ['probabilities', 'logits']);
  log!.run.probabilities!.forEach((p, i) => {
    t.true(Math.abs(p - soft!.run.probabilities![i]!) < 1e-5, `${p}`);
  });
});

compiled('a library that is kept is not taken for another network of the same form', async t => {
  for (const seed of [0, 10]) {
    const directory = at(`form${seed}`);
    mkdirSync(at(`weights${seed}`));
    writeFileSync(at(`weights${seed}/tiny.onnx`), tinyModel(seed));
    const network = resolveTasks({models: [at(`weights${seed}/tiny.onnx`)]});
    const options = {
      directory,
      name: 'form',
      targets: targetsNamed(['generic']),
      measure: false,
      typed: false,
      keepLibrary: true,
    };
    await build(network.tasks, options);
    t.notThrows(() => load(directory).entry('tiny'));
  }
});

compiled('layers stay in float until a loss is met: those that move the scores most', async t => {
  const samples = noise(11, 48, 1);
  const labels = answers(samples);
  t.true(new Set(labels).size > 1);
  const labelled = dataOf(write('noise.npz', samples, labels));
  // Pixels have two values, so their range survives; of what the second layer reads 40% is clipped.
  const method = {kind: 'percentile', percent: 60} as const;
  const {recipes} = await apply({calibrate: labelled, evaluate: labelled, method, maxLoss: 0});
  const [report] = recipes;
  t.is(report?.loss, 0);
  const [see, judge] = report!.layers;
  t.is(see?.float, undefined);
  t.regex(judge?.float ?? '', /^alone it moves the scores by/);
  t.true((judge?.effect ?? 0) > 3 * (see?.effect ?? 1));
});

compiled('a loss that no mix meets', async t => {
  const samples = noise(11, 48, 1);
  const labelled = dataOf(write('noise.npz', samples, answers(samples)));
  const dim = dataOf(write('dim.npz', noise(12, 16, 0.01), new Array<number>(16).fill(0)));
  const error = await t.throwsAsync(() => apply({calibrate: dim, evaluate: labelled, maxLoss: 0}), {instanceOf: DnncError});
  t.is(error?.kind, 'check');
  t.is(error?.problems[0]?.code, 'recipe.loss');
  t.regex(error?.problems[0]?.says ?? '', /^loses \d+\.\d\d points at best, with [01] of 2 layers in float; --max-loss is 0$/);
});

compiled('a network for weather, from the command line', async t => {
  t.timeout(120_000);
  const names = ['w4:32', 'int8', 'w8'];
  const {outcome, manifest: written} = await buildWeather(folder, 24, names);
  t.is(outcome.code, 0, outcome.stderr);
  const {recipes} = documentOf<{recipes: readonly RecipeReport[]}>(outcome);
  t.deepEqual(
    recipes.map(({recipe}) => recipe),
    names,
  );
  const [w4, report, w8] = recipes;
  t.like(report, {task: 'weather', recipe: 'int8', calibration: 'min-max', samples: 24});
  for (const layer of report!.layers) {
    t.is(layer.float, undefined);
    t.true(layer.bytesAfter < 0.5 * layer.bytesBefore);
    t.true(layer.weightSqnr! > 30 && layer.outputSqnr! > 15, layer.layer);
  }
  t.like(w4, {calibration: 'gptq', samples: 24, data: report!.data});
  t.is(w8?.calibration, undefined);
  const why = ({layers}: RecipeReport) => layers.map(({float}) => float);
  t.deepEqual(why(w8!), why(w4!));
  t.true(why(w8!).every(text => text === undefined || /depthwise|fewer/.test(text)));
  const narrow = (each: RecipeReport) => each.layers.filter(({float}) => float === undefined);
  t.true(narrow(w8!).length > 1 && narrow(w8!).every(({weightSqnr, sumSqnr}) => weightSqnr! > 35 && sumSqnr === undefined));
  for (const layer of narrow(w4!)) t.true(layer.sumSqnr! > 15 && layer.bytesAfter < 0.25 * layer.bytesBefore, layer.layer);
  const manifest = written();
  t.deepEqual(manifest.tasks['weather']?.variants, ['weather/full', ...names.map(name => `weather/${name}`)]);
  const [full, ...small] = manifest.variants.map(({quality}) => quality!.value);
  for (const value of small) t.true(Math.abs(full! - value) <= 3, `${full} and ${value}`);
  const log = JSON.parse(readFileSync(at('weather/build.log.json'), 'utf8')) as {recipes: readonly RecipeReport[]};
  t.deepEqual(log.recipes, recipes);
});
