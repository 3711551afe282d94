/** Integers of a layer found together with those before it: one layer by rows, and a network by its own code. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {matrixOf, portableFloatProduct, portableProduct} from '../compiler/algebra/matrix.js';
import {openDataset} from '../compiler/data/dataset.js';
import {writeNpz} from '../compiler/data/npz.js';
import {loadTasks} from '../compiler/load.js';
import {writeNetwork} from '../compiler/network-file.js';
import {beforeFusion} from '../compiler/pipeline.js';
import {withQuantized} from '../compiler/quantize/insert.js';
import {type Rows, resultsOf, roundLayer} from '../compiler/quantize/round-layer.js';
import {roundedTogether} from '../compiler/quantize/rounding.js';
import type {ByteLayer} from '../compiler/quantize/running.js';
import {type Int8Options, quantizationOf, type Studied, study} from '../compiler/quantize/study.js';
import {quantizeWeights, realWeights} from '../compiler/quantize/weights.js';
import {evaluate} from '../ir/evaluate.js';
import {headOf} from '../ir/graph.js';
import {parse} from '../ir/parse.js';
import {numbersOf, tensorFrom} from '../ir/tensor.js';
import {runPasses} from '../passes/framework/manager.js';
import {temporaryFolder} from './support/temporary.js';
import {randomOf} from './support/tensors.js';
import {hasCompiler} from './tiny-build.js';

const network = `dnnc-ir 1
module @net {
  input %image : f32[1,3,8,8]
  const %w1 : f32[8,3,3,3] = random(1)
  const %b1 : f32[8] = random(2)
  const %w2 : f32[8,8,3,3] = random(3)
  const %w3 : f32[8,1,3,3] = random(5)
  const %b3 : f32[8] = random(6)
  const %w4 : f32[6,8,1,1] = random(7)
  const %w5 : f32[5,56] = random(8)
  %stem = conv2d(%image, %w1, %b1) {pads = [1, 1, 1, 1]} : f32[1,8,8,8]
  %first = relu(%stem) : f32[1,8,8,8]
  %inner = conv2d(%first, %w2) {pads = [1, 1, 1, 1]} : f32[1,8,8,8]
  %sum = add(%inner, %first) : f32[1,8,8,8]
  %block = relu(%sum) : f32[1,8,8,8]
  %pooled = maxpool(%block) {kernel = [2, 2], strides = [2, 2]} : f32[1,8,4,4]
  %left = conv2d(%pooled, %w3, %b3) {groups = 8, pads = [1, 1, 1, 1]} : f32[1,8,4,4]
  %six = clip(%left) {low = 0, high = 6} : f32[1,8,4,4]
  %right = conv2d(%pooled, %w4) : f32[1,6,4,4]
  %joined = concat(%six, %right) {axis = 1} : f32[1,14,4,4]
  %small = avgpool(%joined) {kernel = [2, 2], strides = [2, 2]} : f32[1,14,2,2]
  %flat = reshape(%small) {shape = [1, 56]} : f32[1,56]
  %scores = linear(%flat, %w5) : f32[1,5]
  head @task = %scores
}`;

/** Rows are given: no layer looks at its input. */
const any = parse(network).graph.inputs[0]!.id;
const [outputs, width] = [6, 16];
const step = 0.05;
const random = randomOf(7);
const normal = (): number => random.unit() + random.unit() + random.unit() - 1.5;
const weights = Float64Array.from({length: outputs * width}, normal);
const bias = Float64Array.from({length: outputs}, normal);

const products = {product: portableProduct, floats: portableFloatProduct};

/** A layer of so many groups, rounded by itself. */
function layerOf(groups: number): ByteLayer {
  const w = tensorFrom('f32', [outputs, width / groups, 1, 1], weights.subarray(0, (outputs * width) / groups));
  const integer = quantizeWeights(w, Array.from(bias), step);
  const window = {kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], groups};
  return {
    layer: {
      ...{name: 'layer', input: any, output: any, channels: width / groups, feeders: [], beside: null, rectified: true},
      ...{inputShape: [1, width, 8, 8], outputShape: [1, outputs, 8, 8], window, bias},
      weights: matrixOf(outputs, width / groups, numbersOf(w)),
    },
    float: {input: any, beside: null},
    bounds: {low: 0, high: Number.POSITIVE_INFINITY},
    step,
    nearest: {...integer, bias: Array.from(bias), way: 'nearest', gain: 0},
  };
}

/** Inputs that are nearly of rank three, as they are and in bytes; what the layer gives to the former. */
function rowsFor({layer}: ByteLayer, groups: number, count: number): Rows {
  const each = width / groups;
  const mix = Float64Array.from({length: 3 * each}, (_, i) => Math.sin(1 + i));
  const real = new Float32Array(groups * count * each);
  for (let row = 0; row < groups * count; row++) {
    const factors = [normal(), normal(), normal()];
    for (let i = 0; i < each; i++)
      real[row * each + i] = 2 + factors.reduce((sum, factor, f) => sum + factor * mix[f * each + i]!, 0.05 * normal());
  }
  const x = real.map(value => step * Math.round(value / step));
  const y = resultsOf(portableProduct, {x: real, count}, {weights: layer.weights.data, bias}, groups);
  return {x, y, added: null, count};
}

/** Mean square of what is off behind a ReLU. */
const errorOf = ({weights: w, scales, bias: b}: ReturnType<typeof roundLayer>, {x, y, count}: Rows, groups: number): number => {
  const given = resultsOf(portableProduct, {x, count}, {weights: realWeights({weights: w, scales}), bias: b}, groups);
  return given.reduce((sum, value, i) => sum + (Math.max(0, value) - Math.max(0, y[i]!)) ** 2, 0) / y.length;
};

for (const groups of [1, 2])
  test(`one layer of ${groups} groups: what is lost by a weight is made good by the next`, t => {
    const layer = layerOf(groups);
    const [fit, held, others] = [400, 100, 400].map(count => rowsFor(layer, groups, count));
    const found = roundLayer(products, layer, fit!, held!);
    t.true(found.way === 'gptq' || found.way === 'fit', found.way);
    t.true(found.gain > 1, `${found.gain}`);
    t.true(errorOf(found, others!, groups) < 0.8 * errorOf(layer.nearest, others!, groups));
    t.deepEqual(found.weights.shape, layer.nearest.weights.shape);
    t.not(found.bias.length, 0);
  });

test('a fit to few rows that others refuse is none', t => {
  const layer = layerOf(1);
  // What it should give there has nothing to do with what it reads.
  const fit = rowsFor(layer, 1, 24);
  const wrong = {...fit, y: fit.y.map(() => 100 * normal())};
  const held = rowsFor(layer, 1, 100);
  const found = roundLayer(products, layer, wrong, held);
  t.true(errorOf(found, held, 1) <= errorOf(layer.nearest, held, 1));
  t.true(found.way === 'nearest');
  t.is(found.gain, 0);
});

/** Waves of random lengths. */
const waves = (): number[] => {
  const [across, down, bright] = [random.unit(), random.unit(), random.unit()];
  return Array.from(
    {length: 192},
    (_, i) => Math.sin(across * (i % 8)) + Math.cos(down * Math.floor(i / 8)) + bright + 0.1 * normal(),
  );
};

(hasCompiler ? test.serial : test.serial.skip)('a whole network errs less on samples that nothing was fitted to', async t => {
  const folder = temporaryFolder();
  const [file, data] = [join(folder, 'net.network'), join(folder, 'fit.npz')];
  writeFileSync(file, writeNetwork(parse(network)));
  const fit = Array.from({length: 40}, waves);
  writeNpz(data, {x: tensorFrom('f32', [40, 3, 8, 8], fit.flat())});
  const task = {
    ...{name: 'task', model: file, output: null, others: [], labels: null, labelOffset: 0, input: null},
    ...{calibrate: null, evaluate: null, labelsKey: null},
  };
  const bind = new Map<string, number>();
  const options: Int8Options = {bind, method: {kind: 'min-max'}, count: 40, correctBias: true, reconstruct: true};
  const samples = {path: data, data: openDataset(data)};
  const [studied] = await study([{task, recipe: 'int8', equalize: false, samples}], [task], options);
  const together = await roundedTogether(studied!, [task], options);
  t.deepEqual([...together.rounded!.keys()], ['stem', 'inner', 'left', 'right', 'scores']);
  const chosen = [...together.rounded!.values()];
  t.true(chosen.every(({gain}) => gain >= 0));
  t.true(chosen.some(({gain}) => gain > 0));
  const module = runPasses(loadTasks([task], {name: 'net', bind}).module, beforeFusion);
  const others = Array.from({length: 30}, () => tensorFrom('f32', [1, 3, 8, 8], waves()));
  const scoresOf = (of: Studied | null) => {
    const head = headOf(module, 'task');
    const as = {name: 'small', attrs: {}};
    const its = of ? withQuantized(module, head, quantizationOf(module, of, new Map(), true), as) : module;
    const [id] = headOf(its, of ? 'small' : 'task').outputs;
    return others.flatMap(image => numbersOf(evaluate(its, new Map([['image', image]])).get(id!)!));
  };
  const real = scoresOf(null);
  const error = (scores: readonly number[]): number => scores.reduce((sum, value, i) => sum + (value - real[i]!) ** 2, 0);
  const [alone, rounded] = [error(scoresOf(studied!)), error(scoresOf(together))];
  t.true(rounded < alone, `${rounded} instead of ${alone}`);
});
