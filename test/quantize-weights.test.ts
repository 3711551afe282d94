/** Weights in fewer bits: rounding and GPTQ against their definitions, second moments against a formula, recipes as heads that run. */
import test from 'ava';
import {exact} from '../compiler/pipeline.js';
import {correctionsOf, gptq} from '../compiler/quantize-weights/gptq.js';
import {withNarrow} from '../compiler/quantize-weights/insert.js';
import {narrowLayer} from '../compiler/quantize-weights/layer.js';
import {accumulator, type Moments, momentsOf, secondMoments} from '../compiler/quantize-weights/moments.js';
import {type Form, type Narrowed, narrow, realWeights} from '../compiler/quantize-weights/narrow.js';
import {bestScale, roundToNearest, weightAt} from '../compiler/quantize-weights/round.js';
import {type Layer, sitesOf} from '../compiler/quantize-weights/sites.js';
import {costOfHead} from '../ir/cost.js';
import {evaluate} from '../ir/evaluate.js';
import {parse} from '../ir/parse.js';
import {print} from '../ir/print.js';
import {numbersOf, type Tensor, tensorFrom} from '../ir/tensor.js';
import type {Module} from '../ir/types.js';
import {runPasses} from '../passes/framework/manager.js';
import {buildAll, targetsHere} from './support/cc.js';
import {printedAgain, programDifferences, randomInputs, referenceOf} from './support/reference.js';
import {randomOf} from './support/tensors.js';

const normal = (count: number, seed: number): Float64Array => {
  const random = randomOf(seed);
  return Float64Array.from(
    {length: count},
    () => Math.sqrt(-2 * Math.log(1 - random.unit())) * Math.cos(2 * Math.PI * random.unit()),
  );
};

/** Second moments of inputs that have a few causes in common. */
function correlated(width: number, seed: number): Float64Array {
  const [causes, own] = [normal(8 * width, seed), normal(width, seed + 1)];
  return Float64Array.from({length: width * width}, (_, at) => {
    const [i, j] = [Math.floor(at / width), at % width];
    let sum = i === j ? 0.1 + own[i]! ** 2 : 0;
    for (let k = 0; k < 8; k++) sum += causes[k * width + i]! * causes[k * width + j]!;
    return sum;
  });
}

test('scales: the least loss of all that were tried, exact where weights are codes already', t => {
  const codes = Float64Array.from({length: 16}, (_, i) => (i - 8) * 0.25);
  const {scales, codes: found} = roundToNearest({data: codes, outputs: 1, width: 16}, 4);
  t.true(found.every((code, i) => Math.abs(code * scales[0]! - codes[i]!) < 0.05));
  const values = normal(512, 3);
  const loss = (scale: number): number =>
    values.reduce((sum, value) => sum + (value - scale * Math.min(7, Math.max(-8, Math.round(value / scale)))) ** 2, 0);
  const best = bestScale(values, 0, 512, 4);
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  t.true(best < largest / 7);
  t.true(loss(best) < 0.9 * loss(largest / 7));
  t.is(bestScale(new Float64Array(4), 0, 4, 8), 1);
});

test('groups: each has its own scale, and what a code stands for is its product', t => {
  const data = Float64Array.from({length: 2 * 10}, (_, i) => (i % 10 < 4 ? 1 : 100) * (1 + (i % 3)));
  const quantized = roundToNearest({data, outputs: 2, width: 10}, 8, 4);
  t.is(quantized.scales.length, 6);
  data.forEach((value, i) => {
    t.true(Math.abs(weightAt(quantized, 10, i) / value - 1) < 0.01);
  });
});

test("corrections: U of (G + damping)^-1 = U'U", t => {
  const width = 37;
  const moments = correlated(width, 5);
  const u = correctionsOf(moments, width, 0.01);
  let mean = 0;
  for (let i = 0; i < width; i++) mean += moments[i * width + i]! / width;
  // (G + damping) U'U = 1
  for (let i = 0; i < width; i++)
    for (let j = 0; j < width; j++) {
      let sum = 0;
      for (let k = 0; k < width; k++) {
        let inverse = 0;
        for (let l = 0; l <= Math.min(k, j); l++) inverse += u[l * width + k]! * u[l * width + j]!;
        sum += (moments[i * width + k]! + (i === k ? 0.01 * mean : 0)) * inverse;
      }
      t.true(Math.abs(sum - (i === j ? 1 : 0)) < 1e-8);
    }
  t.true(correctionsOf(new Float64Array(9), 3, 0.01).every(Number.isFinite));
});

test('GPTQ loses a fraction of what rounding does where inputs go together, and no more anywhere', t => {
  const [outputs, width] = [24, 96];
  const weights = {data: normal(outputs * width, 7), outputs, width};
  for (const group of [width, 32]) {
    const {before, after, codes, scales} = gptq(weights, correlated(width, 9), {bits: 4, group});
    t.true(after < 0.4 * before, `${group}: ${before} -> ${after}`);
    t.true(codes.every(code => code >= -8 && code <= 7));
    t.is(scales.length, (outputs * width) / group);
  }
  const independent = Float64Array.from({length: width * width}, (_, at) => (at % (width + 1) === 0 ? 1 : 0));
  const {before, after} = gptq(weights, independent, {bits: 4});
  t.true(Math.abs(after - before) < 1e-3 * before);
  const nothing = gptq(weights, new Float64Array(width * width), {bits: 4});
  t.is(nothing.after, 0);
});

test('second moments of windows: every position where there are few, some where there are many, zeros outside', t => {
  const window = {kernel: [3, 2], strides: [2, 1], dilations: [1, 2], pads: [1, 0, 1, 1], groups: 2};
  const [n, c, h, w] = [2, 4, 5, 6];
  const image = Float32Array.from(normal(n * c * h * w, 11));
  const into = accumulator(2 * 6, 2);
  secondMoments(image, [n, c, h, w], window, into);
  const {mean, products} = momentsOf(into);
  const [rows, columns] = [3, 5];
  t.is(into.count, n * rows * columns);
  const at = (image_: number, channel: number, y: number, x: number): number =>
    y >= 0 && y < h && x >= 0 && x < w ? image[((image_ * c + channel) * h + y) * w + x]! : 0;
  const input = (g: number, place: number, d: number): number => {
    const [b, p, q] = [Math.floor(place / (rows * columns)), Math.floor(place / columns) % rows, place % columns];
    return at(b, g * 2 + Math.floor(d / 6), p * 2 + (Math.floor(d / 2) % 3) - 1, q + (d % 2) * 2);
  };
  const places = Array.from({length: into.count}, (_, i) => i);
  for (let g = 0; g < 2; g++)
    for (let i = 0; i < 12; i++) {
      const means = places.reduce((sum, place) => sum + input(g, place, i), 0) / places.length;
      t.true(Math.abs(mean[g * 12 + i]! - means) < 1e-6);
      for (let j = 0; j < 12; j++) {
        const wanted = places.reduce((sum, place) => sum + input(g, place, i) * input(g, place, j), 0) / places.length;
        t.true(Math.abs(products[(g * 12 + i) * 12 + j]! - wanted) < 1e-6);
      }
    }
  const some = [accumulator(12, 2), accumulator(12, 2)];
  for (const each of some) secondMoments(image, [n, c, h, w], window, each, 4);
  t.is(some[0]!.count, 8);
  t.deepEqual(some[0]!.products, some[1]!.products);
  const flat = accumulator(6);
  secondMoments(image.subarray(0, 30), [5, 6], null, flat, 2);
  t.is(flat.count, 5);
});

const text = `dnnc-ir 1 module @net {
  input %x : f32[1,8,7,7]
  const %w1 : f32[24,8,3,3] = random(1)
  const %b1 : f32[24] = random(2)
  const %w2 : f32[24,1,3,3] = random(3)
  const %w3 : f32[40,24,1,1] = random(4)
  const %w4 : f32[36,20,3,3] = random(5)
  const %b4 : f32[36] = random(6)
  const %w5 : f32[33,36] = random(7)
  const %b5 : f32[33] = random(8)
  %c1 = conv2d(%x, %w1, %b1) {pads = [1, 1, 1, 1]} : f32[1,24,7,7]
  %r1 = relu(%c1) : f32[1,24,7,7]
  %d = conv2d(%r1, %w2) {groups = 24, pads = [1, 1, 1, 1]} : f32[1,24,7,7]
  %c2 = conv2d(%d, %w3) : f32[1,40,7,7]
  %r2 = relu(%c2) : f32[1,40,7,7]
  %c3 = conv2d(%r2, %w4, %b4) {groups = 2, pads = [1, 1, 1, 1]} : f32[1,36,7,7]
  %p = avgpool(%c3) {kernel = [7, 7]} : f32[1,36,1,1]
  %f = reshape(%p) {shape = [1, 36]} : f32[1,36]
  %y = linear(%f, %w5, %b5) : f32[1,33]
  head @net = %y
}`;

/** Moments of what the layers of the module see. */
function momentsFrom(module: Module): (layer: Layer) => Moments {
  const values = Array.from({length: 8}, (_, seed) => evaluate(module, randomInputs(module, randomOf(seed))));
  return ({input, width, weights: {groups}, window}: Layer) => {
    const into = accumulator(width, groups);
    for (const each of values) {
      const {shape, data} = each.get(input)!;
      secondMoments(Float32Array.from(data as Float32Array), shape, window, into);
    }
    return momentsOf(into);
  };
}

const layersIn = (module: Module) =>
  sitesOf(module, module.heads[0]!).flatMap(({name, layer}) => (typeof layer === 'string' ? [] : [{name, layer}]));

function narrowedIn(module: Module, form: Form, moments: (layer: Layer) => Moments): ReadonlyMap<string, Narrowed> {
  return new Map(
    layersIn(module).map(({name, layer}) => {
      const made = narrow(layer, form, moments(layer));
      if (typeof made === 'string') throw new Error(`${name}: ${made}`);
      return [name, made] as const;
    }),
  );
}

const distance = (a: Tensor, b: Tensor): number => {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  const squares = (list: readonly number[]): number => list.reduce((sum, x) => sum + x * x, 0);
  return Math.sqrt(squares(left.map((x, i) => x - right[i]!)) / squares(right));
};

test('recipes: a head each, as near as its bits allow; what they compute is what C computes; passes leave it alone', async t => {
  const module = runPasses(parse(text), exact.slice(0, 7));
  const forms: Readonly<Record<string, readonly [limit: number, form: Form]>> = {
    f16: [1e-3, {dtype: 'f16', group: null}],
    bf16: [1e-2, {dtype: 'bf16', group: null}],
    w8: [2e-2, {dtype: 'i8', group: null}],
    w4: [0.3, {dtype: 'i4', group: null}],
    'w4:32': [0.3, {dtype: 'i4', group: 32}],
  };
  const moments = momentsFrom(module);
  const inputs = randomInputs(module, randomOf(99));
  let extended = module;
  for (const [recipe, [, form]] of Object.entries(forms)) {
    const narrowed = narrowedIn(module, form, moments);
    const head = module.heads[0]!;
    extended = withNarrow(extended, head, narrowed, {name: `net_${recipe}`.replace(':', '_'), attrs: {recipe}});
    t.is(narrowed.size, 3);
    for (const {off} of narrowed.values()) t.true(form.dtype === 'i4' ? off! > 0 && off! < 0.05 : off === undefined);
  }
  t.deepEqual(
    extended.heads.slice(1).map(({attrs}) => attrs.recipe),
    Object.keys(forms),
  );
  const values = evaluate(extended, inputs);
  const outputs = extended.heads.map(head => values.get(head.outputs[0]!)!);
  extended.heads.slice(1).forEach(({attrs}, i) => {
    const off = distance(outputs[i + 1]!, outputs[0]!);
    t.true(off > 0 && off < forms[String(attrs.recipe)]![0], `${attrs.recipe}: ${off}`);
  });
  const optimized = runPasses(extended, exact);
  t.is(print(runPasses(optimized, exact)), print(optimized));
  t.is(printedAgain(optimized), print(optimized));
  const bytes = optimized.heads.map(head => costOfHead(optimized.graph, head).bytesOfWeights);
  t.true(
    bytes[1]! < 0.6 * bytes[0]! && bytes[3]! < 0.4 * bytes[0]! && bytes[4]! < bytes[5]! && bytes[5]! < 0.3 * bytes[0]!,
    String(bytes),
  );
  // One multiplication after the sum joins the layer.
  t.is(optimized.graph.nodes.filter(({op}) => op === 'mul' || op === 'map').length, 0);
  const ends = targetsHere.filter((_, i) => i === 0 || i === targetsHere.length - 1);
  const [program] = await buildAll([optimized], {targets: ends});
  if (program instanceof Error || !program) throw program ?? new Error('nothing was built');
  t.deepEqual(programDifferences(program, ends, inputs, referenceOf(optimized, inputs), 1e-5), []);
});

test('layers that stay: small ones, and those that the caller leaves out', t => {
  const module = parse(text);
  const sites = sitesOf(module, module.heads[0]!);
  t.deepEqual(
    sites.map(({name, layer}) => [name, typeof layer === 'string' ? layer : layer.width]),
    [
      ['c1', 72],
      ['d', 'it has fewer than 1024 weights'],
      ['c2', 'it has fewer than 1024 weights'],
      ['c3', 180],
      ['y', 36],
    ],
  );
  const alone = withNarrow(module, module.heads[0]!, new Map(), {name: 'same', attrs: {}});
  t.deepEqual(alone.heads[1]!.outputs, module.heads[0]!.outputs);
  const [first] = layersIn(module);
  const {codes, scales, shift, error} = narrowLayer(first!.layer.weights, 8, null, 'gptq');
  t.deepEqual([codes.length, scales.length, shift, error], [24 * 72, 24, null, null]);
});

test('weights that a form cannot hold; what codes and scales of groups stand for', t => {
  const {layer} = layersIn(parse(text))[0]!;
  const {data} = layer.weights;
  const wide = {...layer, weights: {...layer.weights, data: data.with(5, 1e6)}};
  t.is(narrow(wide, {dtype: 'f16', group: null}, null), 'its weights exceed f16');
  const broken = {...layer, weights: {...layer.weights, data: data.with(5, Number.NaN)}};
  t.is(narrow(broken, {dtype: 'i8', group: null}, null), 'its weights are not finite');
  for (const [form, most] of [
    [{dtype: 'bf16', group: null}, 2e-3],
    [{dtype: 'i8', group: null}, 1e-2],
    [{dtype: 'i4', group: null}, 0.15],
    [{dtype: 'i4', group: 32}, 0.12],
  ] satisfies readonly (readonly [Form, number])[]) {
    const made = narrow(layer, form, null);
    if (typeof made === 'string') throw new Error(made);
    const real = realWeights(made, layer.weights);
    let [noise, signal] = [0, 0];
    data.forEach((value, i) => {
      noise += (value - real[i]!) ** 2;
      signal += value ** 2;
    });
    t.true(noise > 0 && Math.sqrt(noise / signal) < most, `${form.dtype}: ${Math.sqrt(noise / signal)}`);
  }
});

test('depthwise layers have weights of 8 bits beside 4, with corrected means', t => {
  const module = parse(`dnnc-ir 1
module @m {
  input %x : f32[1,128,5,5]
  const %w : f32[128,1,3,3] = random(4)
  const %b : f32[128] = random(5)
  %y = conv2d(%x, %w, %b) {groups = 128, pads = [1, 1, 1, 1]} : f32[1,128,5,5]
  head @m = %y
}`);
  const [each] = layersIn(module);
  const layer = each!.layer;
  t.true(layer.depthwise);
  const random = randomOf(6);
  const image = Float32Array.from({length: 128 * 25}, () => random.unit());
  const into = accumulator(9, 128);
  secondMoments(image, [1, 128, 5, 5], layer.window, into);
  const made = narrow(layer, {dtype: 'i4', group: 32}, momentsOf(into));
  if (typeof made === 'string') return t.fail(made);
  t.deepEqual([made.weights.dtype, made.scales?.length, made.group], ['i8', 128, null]);
  t.is(narrow(layer, {dtype: 'f16', group: null}, null), 'it is depthwise');
  const extended = withNarrow(module, module.heads[0]!, new Map([['y', made]]), {name: 'small', attrs: {}});
  const values = evaluate(extended, new Map([['x', tensorFrom('f32', [1, 128, 5, 5], image)]]));
  const [whole, small] = extended.heads.map(head => numbersOf(values.get(head.outputs[0]!)!));
  const off = whole!.map((value, i) => small![i]! - value);
  t.true(Math.max(...off.map(Math.abs)) < 0.02);
  // The mean over a channel is kept: rounding to nearest alone loses it.
  const means = Array.from({length: 128}, (_, c) => off.slice(25 * c, 25 * (c + 1)).reduce((a, b) => a + b) / 25);
  t.true(Math.max(...means.map(Math.abs)) < 1e-5, `${Math.max(...means.map(Math.abs))}`);
});
