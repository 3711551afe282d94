/** Smaller images: the copy against the network that it was made from, what it refuses, and the recipe as users run it. */
import test from 'ava';
import {sideAt, withInputSize} from '../compiler/input-size/insert.js';
import {parseRecipe} from '../compiler/recipes/parse.js';
import type {RecipeReport} from '../compiler/recipes/report.js';
import {costOfHead} from '../ir/cost.js';
import {DnncError} from '../ir/diagnostics.js';
import {evaluate} from '../ir/evaluate.js';
import {headOf} from '../ir/graph.js';
import {parse} from '../ir/parse.js';
import {print} from '../ir/print.js';
import {numbersOf, tensorFrom} from '../ir/tensor.js';
import type {Module} from '../ir/types.js';
import {buildWeather, documentOf} from './support/cli.js';
import {printedAgain} from './support/reference.js';
import {temporaryFolder} from './support/temporary.js';
import {hasCompiler} from './tiny-build.js';

/** Without padding: what an image of one colour gives does not depend on its size. */
const network = parse(`dnnc-ir 1
module @net {
  input %x : f32[1,3,32,32]
  const %w1 : f32[8,3,3,3] = random(1)
  const %b1 : f32[8] = random(2)
  const %w2 : f32[8,8,1,1] = random(3)
  const %w3 : f32[5,8] = random(4)
  %c1 = conv2d(%x, %w1, %b1) {strides = [2, 2]} : f32[1,8,15,15]
  %r1 = relu(%c1) : f32[1,8,15,15]
  %g = reshape(%r1) {shape = [1, 2, 4, 15, 15]} : f32[1,2,4,15,15]
  %h = transpose(%g) {perm = [0, 2, 1, 3, 4]} : f32[1,4,2,15,15]
  %i = reshape(%h) {shape = [1, 8, 15, 15]} : f32[1,8,15,15]
  %s = slice(%i) {starts = [0, 0, 0, 0], steps = [1, 1, 2, 2], shape = [1, 8, 8, 8]} : f32[1,8,8,8]
  %c2 = conv2d(%s, %w2) : f32[1,8,8,8]
  %m = maxpool(%c2) {kernel = [2, 2], strides = [2, 2]} : f32[1,8,4,4]
  %p = avgpool(%m) {kernel = [4, 4]} : f32[1,8,1,1]
  %f = reshape(%p) {shape = [1, 8]} : f32[1,8]
  %y = linear(%f, %w3) : f32[1,5]
  head @net = %y
}`);

const at = (module: Module, scale: number, layers = new Map<string, {weights: number[]; bias: number[]}>()): Module =>
  withInputSize(module, headOf(module, 'net'), {scale, layers}, {name: 'small', attrs: {}});

const scores = (module: Module, head: string, input: Parameters<typeof evaluate>[1]): readonly number[] =>
  numbersOf(evaluate(module, input).get(headOf(module, head).outputs[0]!)!);

test('sides are multiples of 4 near the scale', t => {
  t.is(sideAt(224, 0.86), 192);
  t.is(sideAt(32, 0.75), 24);
  t.is(sideAt(32, 0.01), 4);
});

test('an image of one colour gives the same on smaller sides, by fewer multiply-adds', t => {
  const small = at(network, 0.75);
  t.is(printedAgain(small), print(small));
  const colour = [0.3, -0.7, 0.9].flatMap(value => new Array<number>(32 * 32).fill(value));
  const input = new Map([['x', tensorFrom('f32', [1, 3, 32, 32], colour)]]);
  const [whole, its] = [scores(small, 'net', input), scores(small, 'small', input)];
  its.forEach((score, i) => {
    t.true(Math.abs(score - whole[i]!) < 1e-5 * (1 + Math.abs(whole[i]!)), `${score} ${whole[i]}`);
  });
  const macs = (name: string): number => costOfHead(small.graph, headOf(small, name)).macs;
  t.true(macs('small') < 0.85 * macs('net'));
});

test('halves of a side are means of two by two', t => {
  const plain = parse(`dnnc-ir 1
module @net {
  input %x : f32[1,3,8,8]
  %p = avgpool(%x) {kernel = [8, 8]} : f32[1,3,1,1]
  %y = add(%x, %p) : f32[1,3,8,8]
  %m = maxpool(%y) {kernel = [8, 8]} : f32[1,3,1,1]
  head @net = %m
}`);
  const small = at(plain, 0.5);
  const pixels = Array.from({length: 3 * 64}, (_, i) => Math.sin(i * i));
  const its = scores(small, 'small', new Map([['x', tensorFrom('f32', [1, 3, 8, 8], pixels)]]));
  for (let c = 0; c < 3; c++) {
    const of = (y: number, x: number): number => pixels[c * 64 + Math.min(7, Math.max(0, y)) * 8 + Math.min(7, Math.max(0, x))]!;
    // Antialiased: neighbours at distances 1/2 and 3/2 count 3/8 and 1/8.
    const weights = [1 / 8, 3 / 8, 3 / 8, 1 / 8];
    const means = Array.from({length: 16}, (_, i) => {
      const [y, x] = [2 * Math.floor(i / 4) - 1, 2 * (i % 4) - 1];
      return weights.reduce((sum, a, j) => sum + weights.reduce((row, b, k) => row + a * b * of(y + j, x + k), 0), 0);
    });
    const wanted = Math.max(...means) + means.reduce((a, b) => a + b, 0) / 16;
    t.true(Math.abs(its[c]! - wanted) < 1e-5, `${its[c]} ${wanted}`);
  }
});

test('layers that were fitted have their new weights and biases', t => {
  const weights = Array.from({length: 40}, (_, i) => i / 40);
  const small = at(network, 0.75, new Map([['y', {weights, bias: [1, 2, 3, 4, 5]}]]));
  const input = new Map([['x', tensorFrom('f32', [1, 3, 32, 32], new Array<number>(3072).fill(0))]]);
  const plain = scores(at(network, 0.75), 'small', input);
  t.notDeepEqual(scores(small, 'small', input), plain);
  t.deepEqual(scores(small, 'net', input), scores(network, 'net', input));
});

test('a network that cannot look at another size is refused by the layer that cannot; one without images too', t => {
  const flat = parse(`dnnc-ir 1
module @net {
  input %x : f32[1,3,8,8]
  const %w : f32[5,192] = random(1)
  %f = reshape(%x) {shape = [1, 192]} : f32[1,192]
  %y = linear(%f, %w) : f32[1,5]
  head @net = %y
}`);
  t.throws(() => at(flat, 0.5), {
    instanceOf: DnncError,
    message: /input\.layer: f: cannot look at another size of image: that the new shape has as many elements/,
  });
  const row = parse(`dnnc-ir 1
module @net {
  input %x : f32[1,8]
  const %w : f32[5,8] = random(1)
  %y = linear(%x, %w) : f32[1,5]
  head @net = %y
}`);
  t.throws(() => at(row, 0.5), {instanceOf: DnncError, message: /input\.images: net: looks at no image/});
});

test('the recipe: a part of the side, once, before bytes', t => {
  t.deepEqual(parseRecipe('input:0.75').steps[0].step, {kind: 'input', scale: 0.75});
  t.is(parseRecipe('input:0.75+lowrank:0.5+int8').steps.length, 3);
  for (const wrong of ['input', 'input:1', 'input:0.0', 'int8+input:0.5', 'input:0.5+input:0.7'])
    t.throws(() => parseRecipe(wrong), {instanceOf: DnncError});
});

(hasCompiler ? test : test.skip)('input:0.75 is a variant with its accuracy, alone and before bytes', async t => {
  const {outcome, manifest} = await buildWeather(temporaryFolder(), 60, ['input:0.75', 'input:0.75+int8']);
  t.is(outcome.code, 0, outcome.stderr);
  const {recipes} = documentOf<{readonly recipes: readonly RecipeReport[]}>(outcome);
  const [report] = recipes;
  t.like(report, {task: 'weather', recipe: 'input:0.75', calibration: 'least squares', samples: 60});
  t.true(report!.layers.some(({macsBefore, macsAfter}) => macsAfter! < 0.7 * macsBefore!));
  const of = (recipe: string) => manifest().variants.find(variant => variant.recipe === recipe)!;
  t.true(of('input:0.75').macs < 0.7 * of('full').macs);
  t.true(of('input:0.75').quality!.value > of('full').quality!.value - 15);
  t.true(of('input:0.75+int8').weightBytes < 0.4 * of('full').weightBytes);
});
