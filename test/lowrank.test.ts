/** Low rank: thin layers against the map that they stand for, fits and choices against their definitions, the recipe as users run it. */
import {join} from 'node:path';
import test from 'ava';
import {
  inner,
  type Matrix,
  matrixOf,
  minus,
  portableFloatProduct,
  portableProduct,
  timesTransposed,
} from '../compiler/algebra/matrix.js';
import {type Factors, factorize, thorough} from '../compiler/lowrank/factorize.js';
import {type Choice, choiceName, choicesFor, stagesOf} from '../compiler/lowrank/forms.js';
import {withThin} from '../compiler/lowrank/insert.js';
import {parseRecipe} from '../compiler/recipes/parse.js';
import type {RecipeReport} from '../compiler/recipes/report.js';
import {after} from '../compiler/recipes/steps.js';
import {allocate, type Option} from '../compiler/reconstruct/allocate.js';
import {harmsOf} from '../compiler/reconstruct/harm.js';
import {kernelOf, type Layer, layersOf, macsOf} from '../compiler/reconstruct/layers.js';
import {biasFor, targetOf} from '../compiler/reconstruct/least-squares.js';
import {addRows, gather, momentsOf, withOutputs} from '../compiler/reconstruct/moments.js';
import {inputShapesOf, stageMacs, wholeStage} from '../compiler/reconstruct/stage.js';
import {costOfHead} from '../ir/cost.js';
import {DnncError} from '../ir/diagnostics.js';
import {evaluate} from '../ir/evaluate.js';
import {graft} from '../ir/graft.js';
import {headOf} from '../ir/graph.js';
import {parse} from '../ir/parse.js';
import {print} from '../ir/print.js';
import type {Head, Module} from '../ir/types.js';
import type {Manifest} from '../runtime/manifest.js';
import {buildWeather, dnnc, documentOf} from './support/cli.js';
import {printedAgain, randomInputs} from './support/reference.js';
import {temporaryFolder} from './support/temporary.js';
import {difference, randomOf} from './support/tensors.js';
import {hasCompiler} from './tiny-build.js';

const normal = (count: number, seed: number): Float64Array => {
  const random = randomOf(seed);
  const draw = (): number => Math.sqrt(-2 * Math.log(1 - random.unit())) * Math.cos(2 * Math.PI * random.unit());
  return Float64Array.from({length: count}, draw);
};

const text = `dnnc-ir 1
module @net {
  input %x : f32[1,24,9,8]
  const %w1 : f32[32,24,3,3] = random(1)
  const %b1 : f32[32] = random(2)
  const %w2 : f32[32,32,3,3] = random(3)
  const %w3 : f32[40,1120] = random(4)
  const %b3 : f32[40] = random(5)
  %c1 = conv2d(%x, %w1, %b1) {strides = [2, 1], pads = [1, 1, 1, 0]} : f32[1,32,5,7]
  %r1 = relu(%c1) : f32[1,32,5,7]
  %c2 = conv2d(%r1, %w2) {pads = [1, 1, 1, 1]} : f32[1,32,5,7]
  %a = add(%c2, %r1) : f32[1,32,5,7]
  %r2 = relu(%a) : f32[1,32,5,7]
  %f = reshape(%r2) {shape = [1, 1120]} : f32[1,1120]
  %y = linear(%f, %w3, %b3) : f32[1,40]
  head @net = %y
}`;

const module = parse(text);
const {layers, fixed} = layersOf(module, headOf(module, 'net'));

/** Second moments of inputs that have a few causes in common. */
function metric(width: number, seed: number): Matrix {
  const causes = matrixOf(width, width >> 2, normal(width * (width >> 2), seed));
  const gram = timesTransposed(portableProduct, causes, causes);
  for (let i = 0; i < width; i++) gram.data[i * width + i]! += 0.05 * width;
  return gram;
}

const energy = (map: Matrix, gram: Matrix): number => inner(timesTransposed(portableProduct, map, gram), map);

/** The error of factors under a metric, relative to the energy of the map. */
function errorOf(layer: Layer, gram: Matrix, choice: Choice): number {
  const {map} = factorize(portableProduct, layer, {map: layer.weights, gram}, choice, thorough);
  return energy(minus(layer.weights, map), gram) / energy(layer.weights, gram);
}

test('layers: their sizes, what is added to them, and what follows', t => {
  const [c1, c2, y] = layers as [Layer, Layer, Layer];
  t.is(fixed.size, 0);
  t.like(c1, {name: 'c1', channels: 24, beside: null, rectified: true});
  t.is(c2.beside, module.graph.nodes.find(({op}) => op === 'relu')!.outputs[0].id);
  t.true(c2.rectified);
  t.like(y, {window: null, channels: 1120, rectified: false, beside: null});
  t.deepEqual(layers.map(macsOf), [32 * 35 * 216, 32 * 35 * 288, 40 * 1120]);
  for (const layer of layers) t.is(stageMacs(wholeStage(layer), layer.inputShape), macsOf(layer));
});

test('every form, built of thin layers, is the map that was fitted', t => {
  const inputs = randomInputs(module, randomOf(5));
  const forms: readonly (readonly [string, Choice])[] = [
    ['c1', {form: 'channel', ranks: [8]}],
    ['c1', {form: 'spatial', ranks: [8]}],
    ['c1', {form: 'tucker', ranks: [8, 12]}],
    ['c1', {form: 'separable', ranks: []}],
    ['y', {form: 'channel', ranks: [8]}],
  ];
  for (const [name, choice] of forms) {
    const layer = layers.find(each => each.name === name)!;
    const gram = metric(layer.weights.columns, 7);
    const factors = factorize(portableProduct, layer, {map: layer.weights, gram}, choice, {rounds: 1, steps: 2});
    const bias = normal(layer.weights.rows, 9);
    const stages = stagesOf(layer, choice);
    const built = (own: Factors | null, what: string): Module =>
      withThin(
        module,
        headOf(module, 'net'),
        new Map([[name, {fitted: {map: factors.map, factors: own, bias}, stages: own ? stages : [wholeStage(layer)]}]]),
        {name: what, attrs: {}},
      );
    const [thin, whole] = [built(factors, 'thin'), built(null, 'whole')];
    const outputs = ([made, what]: readonly [Module, string]) => evaluate(made, inputs).get(headOf(made, what).outputs[0]!)!;
    t.is(difference(outputs([thin, 'thin']), outputs([whole, 'whole']), 1e-4), null, choiceName(choice));
    const saved = costOfHead(whole.graph, headOf(whole, 'whole')).macs - costOfHead(thin.graph, headOf(thin, 'thin')).macs;
    const sizes = inputShapesOf(layer, stages);
    t.is(saved, macsOf(layer) - stages.reduce((sum, stage, i) => sum + stageMacs(stage, sizes[i]!), 0));
    t.is(stages.length, factors.weights.length);
  }
});

test('factors err less where samples are than those of the weights alone, less with more rank, and not at all with full rank', t => {
  const [layer] = layers as [Layer, ...Layer[]];
  const width = layer.weights.columns;
  const gram = metric(width, 3);
  const unit = matrixOf(
    width,
    width,
    Array.from({length: width * width}, (_, at) => (at % (width + 1) === 0 ? 1 : 0)),
  );
  const forms: readonly (readonly [Choice, Choice, Choice])[] = [
    [
      {form: 'channel', ranks: [8]},
      {form: 'channel', ranks: [16]},
      {form: 'channel', ranks: [32]},
    ],
    [
      {form: 'spatial', ranks: [8]},
      {form: 'spatial', ranks: [32]},
      {form: 'spatial', ranks: [72]},
    ],
    [
      {form: 'tucker', ranks: [8, 8]},
      {form: 'tucker', ranks: [16, 16]},
      {form: 'tucker', ranks: [24, 32]},
    ],
  ];
  for (const [few, more, all] of forms) {
    const [low, high, none] = [few, more, all].map(choice => errorOf(layer, gram, choice)) as [number, number, number];
    t.true(low > high && high > none && none < 1e-6, `${few.form}: ${low}, ${high}, ${none}`);
    const {map} = factorize(portableProduct, layer, {map: layer.weights, gram: unit}, few, thorough);
    const blind = energy(minus(layer.weights, map), gram) / energy(layer.weights, gram);
    t.true(low < 0.8 * blind, `${few.form}: ${low} and ${blind}`);
  }
  t.true(errorOf(layer, gram, {form: 'separable', ranks: []}) < 1);
});

test('choices save multiply-adds, and no two are alike', t => {
  for (const layer of layers) {
    const choices = choicesFor(layer, 'time');
    t.true(choices.length > 3 && choicesFor(layer, 'macs').length > choices.length);
    t.is(new Set(choices.map(choiceName)).size, choices.length);
    for (const choice of choices) {
      const stages = stagesOf(layer, choice);
      const sizes = inputShapesOf(layer, stages);
      t.true(stages.reduce((sum, stage, i) => sum + stageMacs(stage, sizes[i]!), 0) <= 0.9 * macsOf(layer), choiceName(choice));
    }
    t.is(
      choices.some(({form}) => form === 'spatial'),
      kernelOf(layer)[0] > 1,
    );
  }
});

test('least squares: the map and bias that made the outputs; with few rows the weights that were there', t => {
  const [width, outputs, count] = [20, 6, 400];
  const map = matrixOf(outputs, width, normal(outputs * width, 1));
  const bias = normal(outputs, 2);
  const x = Float32Array.from(normal(count * width, 3), value => value + 1);
  const rows = matrixOf(count, width, x);
  const y = Float32Array.from(timesTransposed(portableProduct, rows, map).data, (value, at) => value + bias[at % outputs]!);
  const errorAfter = (samples: number): number => {
    const gathered = gather(width, outputs);
    addRows(portableFloatProduct, gathered, x.slice(0, samples * width), y.slice(0, samples * outputs));
    const moments = momentsOf(gathered);
    const weights = matrixOf(outputs, width, new Float64Array(outputs * width));
    const {map: found} = targetOf(portableProduct, moments, weights);
    if (samples === count)
      biasFor(moments, found).forEach((value, o) => {
        t.true(Math.abs(value - bias[o]!) < 0.3);
      });
    return energy(minus(found, map), matrixOf(width, width, moments.gram.data)) / energy(map, moments.gram);
  };
  t.true(errorAfter(count) < 1e-3 && errorAfter(4) > 100 * errorAfter(count), `${errorAfter(count)} and ${errorAfter(4)}`);
  const gathered = gather(width, outputs);
  addRows(portableFloatProduct, gathered, x, y);
  const twice = y.map(value => 2 * value);
  const other = momentsOf(withOutputs(portableFloatProduct, gathered, x, twice));
  const plain = momentsOf(gathered);
  t.true(Math.abs(other.cross.data[7]! / plain.cross.data[7]! - 2) < 1e-6);
  t.is(other.gram.data[3], plain.gram.data[3]);
});

test('allocation: no other choice of the same time does less harm, and harm has an end', t => {
  const random = randomOf(17);
  for (let draw = 0; draw < 30; draw++) {
    const sizes = Array.from({length: 4}, (): Option[] => {
      const whole = 10 + random.below(20);
      const more = Array.from({length: 4}, () => ({cost: 1 + random.below(whole + 4), harm: random.unit()}));
      return [{cost: whole, harm: 0}, ...more];
    });
    const total = sizes.reduce((sum, [whole]) => sum + whole!.cost, 0);
    const share = 0.3 + 0.6 * random.unit();
    const chosen = allocate(sizes, (1 - share) * total, Number.POSITIVE_INFINITY);
    const sum = (options: readonly Option[], of: keyof Option): number => options.reduce((all, option) => all + option[of], 0);
    const least = sizes.reduce((all, options) => all + Math.min(...options.map(({cost}) => cost)), 0);
    const [time, harm] = [sum(chosen, 'cost'), sum(chosen, 'harm')];
    t.true(time <= Math.max(share * total, least));
    // All of what takes no longer: 5 options of 4 layers.
    for (let at = 0; at < 625; at++) {
      const other = sizes.map((options, layer) => options[Math.floor(at / 5 ** layer) % 5]!);
      if (sum(other, 'cost') <= time) t.true(sum(other, 'harm') >= harm - 1e-9);
    }
    t.true(sum(allocate(sizes, (1 - share) * total, 0.5), 'harm') <= 0.5);
  }
});

test('harm: as measured at a few options, by a power of the error in between, in proportion outside', t => {
  // Divergence grows with the square of the error from 0.02 on: what is measured there would tell nothing of 0.25.
  const natsOf = (error: number): number => (error <= 0.02 ? error : error ** 2 / 0.02);
  const errors = [0.25, 0.001, 0.005, 0.02, 0.03, 0.04, 0.08, 0.3];
  const measured: number[] = [];
  const harms = harmsOf(
    errors.map(error => ({error})),
    ({error}) => {
      measured.push(error);
      return natsOf(error);
    },
  );
  t.deepEqual(measured, [0.005, 0.02, 0.08, 0.25]);
  errors.slice(0, -1).forEach((error, i) => {
    t.true(Math.abs(harms[i]! / natsOf(error) - 1) < 1e-9, `${error}: ${harms[i]}`);
  });
  t.is(harms.at(-1), natsOf(0.25) * (0.3 / 0.25));
  t.deepEqual(
    harmsOf([], () => t.fail()),
    [],
  );
  // Options of one error are measured once.
  t.deepEqual(
    harmsOf([{error: 0.02}, {error: 0.02}], () => 3),
    [3, 3],
  );
  t.deepEqual(
    harmsOf([{error: 0}], () => 1e-9),
    [1e-9],
  );
});

test('steps on top of each other, and variants beside each other, in one module', t => {
  const y = layers.at(-1)!;
  /** A layer without weights, by its place. */
  const zeroed = (place: number) => (given: Module, as: Pick<Head, 'name' | 'attrs'>) => {
    const layer = layersOf(given, headOf(given, 'net')).layers[place]!;
    const map = {...layer.weights, data: new Float64Array(layer.weights.data.length)};
    const own = {fitted: {map, factors: null, bias: layer.bias}, stages: [wholeStage(layer)]};
    return withThin(given, headOf(given, 'net'), new Map([[layer.name, own]]), as);
  };
  const both = after(module, 'net', [zeroed(0), zeroed(2)]);
  const inputs = randomInputs(module, randomOf(6));
  const outputs = (of: Module, name: string) => evaluate(of, inputs).get(headOf(of, name).outputs[0]!)!;
  // Without weights in the last layer its bias is left.
  t.deepEqual([...outputs(both, 'net').data].slice(0, 3), [...y.bias].slice(0, 3).map(Math.fround));
  t.is(difference(outputs(both, 'net.before.0'), outputs(module, 'net'), 0), null);
  const one = zeroed(0)(module, {name: 'one', attrs: {}});
  const two = zeroed(2)(module, {name: 'two', attrs: {}});
  const joined = graft(module, one, two, 'two');
  t.deepEqual(
    joined.heads.map(({name}) => name),
    ['net', 'one', 'two'],
  );
  for (const [name, from] of [
    ['net', module],
    ['one', one],
    ['two', two],
  ] as const)
    t.is(difference(outputs(joined, name), outputs(from, name), 0), null);
  t.is(printedAgain(joined), print(joined));
});

test('recipes of several steps by name', t => {
  t.deepEqual(parseRecipe('lowrank:0.5+int8').steps, [
    {text: 'lowrank:0.5', step: {kind: 'lowrank', share: 0.5, spared: 'time'}},
    {text: 'int8', step: {kind: 'int8', equalize: false}},
  ]);
  const stepOf = (name: string) => parseRecipe(name).steps[0].step;
  t.deepEqual(stepOf('lowrank'), {kind: 'lowrank', share: null, spared: 'time'});
  t.deepEqual(stepOf('lowrank:macs'), {kind: 'lowrank', share: null, spared: 'macs'});
  t.deepEqual(stepOf('prune:0.5:bytes'), {kind: 'prune', share: 0.5, spared: 'bytes'});
  const code = (name: string) => t.throws(() => parseRecipe(name), {instanceOf: DnncError})?.problems[0]?.code;
  const unknown = ['lowrank:', 'lowrank:0', 'lowrank:1', 'lowrank:1.5', 'lowrank:half', 'lowrank:macs:0.5', 'prune:0.5:flops'];
  for (const wrong of unknown) t.is(code(wrong), 'recipe.argument');
  for (const wrong of ['int8+lowrank:0.5', 'lowrank:0.5+lowrank:0.5', 'w4+int8']) t.is(code(wrong), 'recipe.steps');
  t.is(code('prune:0.5:macs+prune:0.8:macs'), 'recipe.steps');
  t.is(parseRecipe('prune:0.5:macs+lowrank:0.5:macs+lowrank:0.8:bytes').steps.length, 3);
});

const folder = temporaryFolder();
const compiled = hasCompiler ? test : test.skip;

compiled('a network for weather, thin and in bytes, from the command line', async t => {
  t.timeout(300_000);
  const names = ['lowrank:0.7:macs', 'lowrank:0.7:macs+int8', 'lowrank:0.7:macs+lowrank:0.7:bytes'];
  const {outcome, manifest: written} = await buildWeather(folder, 60, names);
  t.is(outcome.code, 0, outcome.stderr);
  const {recipes} = documentOf<{recipes: readonly RecipeReport[]}>(outcome);
  t.deepEqual(
    recipes.map(({recipe, step}) => [recipe, step]),
    [
      ['lowrank:0.7:macs', undefined],
      ['lowrank:0.7:macs+int8', 'lowrank:0.7:macs'],
      ['lowrank:0.7:macs+int8', 'int8'],
      ['lowrank:0.7:macs+lowrank:0.7:bytes', 'lowrank:0.7:macs'],
      ['lowrank:0.7:macs+lowrank:0.7:bytes', 'lowrank:0.7:bytes'],
    ],
  );
  const [thin, again, bytes] = recipes as [RecipeReport, RecipeReport, RecipeReport];
  t.deepEqual(again.layers, thin.layers);
  t.like(thin, {calibration: 'least squares', samples: 60, spared: 'macs'});
  const macs = (which: 'macsBefore' | 'macsAfter') => thin.layers.reduce((sum, layer) => sum + (layer[which] ?? 0), 0);
  t.true(macs('macsAfter') <= 0.7 * macs('macsBefore'), `${macs('macsAfter')} of ${macs('macsBefore')}`);
  t.true(thin.estimate!.agreement > 80);
  const changed = thin.layers.filter(({error}) => error !== undefined);
  t.true(changed.length > 0);
  for (const layer of changed) t.true(layer.macsAfter! < layer.macsBefore!, layer.layer);
  t.true(bytes.layers.length > thin.layers.length);
  const manifest = written();
  t.deepEqual(
    manifest.variants.map(({recipe}) => recipe),
    ['full', ...names],
  );
  const [full, ...small] = manifest.variants as [Manifest['variants'][number], ...Manifest['variants'][number][]];
  for (const {quality, macs, recipe} of small) {
    // What becomes of the layers follows from times that this machine measures just now.
    t.true(Math.abs(full.quality!.value - quality!.value) <= 10, `${recipe}: ${full.quality!.value} and ${quality!.value}`);
    t.true(macs < full.macs);
  }
  t.true(small[1]!.weightBytes < 0.5 * small[0]!.weightBytes);
  t.true(small[2]!.weightBytes < 0.9 * small[0]!.weightBytes);
  const unlimited = await dnnc([
    'build',
    'examples/signs/models/weather.onnx',
    '--calibrate',
    join(folder, 'tune.npz'),
    '--recipe',
    'lowrank',
  ]);
  t.is(unlimited.code, 2);
  t.regex(unlimited.stderr, /recipe\.budget/);
});
