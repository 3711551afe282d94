/** Quantization part by part: ranges, weights, places, the copy of a network, corrections of biases, channels evened out. */
import test from 'ava';
import {beforeFusion, exact} from '../compiler/pipeline.js';
import {equalize} from '../compiler/quantize/equalize.js';
import {type Quantization, withQuantized} from '../compiler/quantize/insert.js';
import {noHistogram, noRange, noSums, seeHistogram, seeRange, seeSums} from '../compiler/quantize/observe.js';
import {affineOf, parseMethod, type Range, rangeBy, rounded, stored} from '../compiler/quantize/ranges.js';
import {isQuantized, sitesOf} from '../compiler/quantize/sites.js';
import {withReal} from '../compiler/quantize/study.js';
import {affineFor} from '../compiler/quantize/survey.js';
import {biasCorrection, quantizeBias, quantizeWeights, realWeights, seenBy} from '../compiler/quantize/weights.js';
import {DnncError} from '../ir/diagnostics.js';
import {evaluate} from '../ir/evaluate.js';
import {producerOf, valueAt} from '../ir/graph.js';
import {parse} from '../ir/parse.js';
import {numbersOf, type Tensor, tensorFrom} from '../ir/tensor.js';
import type {Module, ValueId} from '../ir/types.js';
import {runPasses} from '../passes/framework/manager.js';
import {randomOf} from './support/tensors.js';

test('zero is stored exactly, and the ends of a range are kept', t => {
  for (const range of [
    {low: -1, high: 3},
    {low: 0, high: 6},
    {low: 2, high: 5},
    {low: -7, high: -1},
  ]) {
    const affine = affineOf(range);
    t.is(rounded(0, affine), 0);
    t.true(Number.isInteger(affine.zero) && affine.zero >= 0 && affine.zero <= 255);
    t.is(affine.scale, Math.fround(affine.scale));
    for (const end of [range.low, range.high]) t.true(Math.abs(rounded(end, affine) - end) <= affine.scale);
  }
  t.is(stored(1000, affineOf({low: 0, high: 1})), 255);
  t.is(stored(-1000, affineOf({low: 0, high: 1})), 0);
  t.deepEqual(affineOf({low: 0, high: 0}), {scale: 1, zero: 0});
});

test('percentile and mse let go of an outlier, min-max does not', t => {
  const random = randomOf(3);
  const values = [...Array.from({length: 20_000}, () => random.unit()), 50];
  const seen = noRange();
  seeRange(seen, values);
  const histogram = noHistogram(seen);
  seeHistogram(histogram, values);
  t.is(rangeBy(parseMethod('min-max'), histogram).high, 50);
  t.true(rangeBy(parseMethod('percentile:99.9'), histogram).high < 1.1);
  const errorFor = (range: Range): number =>
    values.reduce((sum, value) => sum + (value - rounded(value, affineOf(range))) ** 2, 0);
  const mse = rangeBy(parseMethod('mse'), histogram);
  t.true(mse.high <= 50 && errorFor(mse) <= errorFor(seen));
  const code = (text: string) => t.throws(() => parseMethod(text), {instanceOf: DnncError})?.problems[0]?.code;
  t.is(code('percentile'), 'calibration.method');
  t.is(code('percentile:20'), 'calibration.percent');
  t.is(code('entropy'), 'calibration.method');
});

test('weights have a scale per output, and biases fit', t => {
  const w = tensorFrom('f32', [4, 1, 1, 2], [1, -0.25, 0.01, 0.002, 0, 0, 1e-12, 0]);
  const integer = quantizeWeights(w, [0, 0, 0, 5], 0.1);
  t.deepEqual(numbersOf(integer.weights).slice(0, 6), [127, -32, 127, 25, 0, 0]);
  t.is(integer.scales[2], 1);
  const bias = numbersOf(
    quantizeBias(
      [0, 0, 0, 5],
      integer.scales.map(scale => scale * 0.1),
    ),
  );
  t.true(Math.abs(bias[3]!) <= 2 ** 30 + 128 && bias[3]! > 2 ** 29);
});

test('sums by channel, and what is clipped', t => {
  const so = noSums([1, 2, 1, 2]);
  seeSums(so, [1, 2, -3, 4], [1, 2, 1, 2], {scale: 0.01, zero: 0});
  t.deepEqual([...so.real], [3, 1]);
  t.deepEqual(
    [...so.stored].map(value => Number(value.toFixed(6))),
    [3, 2.55],
  );
  t.deepEqual([...so.largest], [2, 4]);
  t.is(so.clipped, 2);
});

/** Stem, residual block, two branches that are joined, pools, a layer behind a reshape: every way that bytes go. */
const network = `dnnc-ir 1
module @net {
  input %image : f32[1,3,8,8]
  const %w1 : f32[4,3,3,3] = random(1)
  const %b1 : f32[4] = random(2)
  const %w2 : f32[4,4,3,3] = random(3)
  const %b2 : f32[4] = random(4)
  const %w3 : f32[4,1,3,3] = random(5)
  const %w4 : f32[6,4,1,1] = random(6)
  const %w5 : f32[5,40] = random(7)
  const %b5 : f32[5] = random(8)
  %stem = conv2d(%image, %w1, %b1) {pads = [1, 1, 1, 1]} : f32[1,4,8,8]
  %first = relu(%stem) : f32[1,4,8,8]
  %inner = conv2d(%first, %w2, %b2) {pads = [1, 1, 1, 1]} : f32[1,4,8,8]
  %sum = add(%inner, %first) : f32[1,4,8,8]
  %block = relu(%sum) : f32[1,4,8,8]
  %pooled = maxpool(%block) {kernel = [2, 2], strides = [2, 2]} : f32[1,4,4,4]
  %left = conv2d(%pooled, %w3) {groups = 4, pads = [1, 1, 1, 1]} : f32[1,4,4,4]
  %six = clip(%left) {low = 0, high = 6} : f32[1,4,4,4]
  %right = conv2d(%pooled, %w4) : f32[1,6,4,4]
  %joined = concat(%six, %right) {axis = 1} : f32[1,10,4,4]
  %small = avgpool(%joined) {kernel = [2, 2], strides = [2, 2]} : f32[1,10,2,2]
  %flat = reshape(%small) {shape = [1, 40]} : f32[1,40]
  %scores = linear(%flat, %w5, %b5) : f32[1,5]
  %answer = softmax(%scores) {axis = 1} : f32[1,5]
  head @task = %answer
}`;

const module = runPasses(parse(network), beforeFusion);
const head = module.heads[0]!;
const idOf = (name: string, {graph}: Module = module): ValueId =>
  [...graph.inputs, ...graph.nodes.flatMap(node => node.outputs)].find(value => value.name === name)!.id;
const random = randomOf(77);
const images = Array.from({length: 6}, () =>
  tensorFrom(
    'f32',
    [1, 3, 8, 8],
    Array.from({length: 192}, () => random.unit() * 2 - 1),
  ),
);
const run = (its: Module, name: string, image: Tensor) => {
  const values = evaluate(its, new Map([['image', image]]), {heads: [name]});
  return its.heads.find(each => each.name === name)!.outputs.map(id => numbersOf(values.get(id)!));
};

/** What `surveyOf` finds, by the reference evaluator. */
function surveyed(
  float: ReadonlyMap<string, string> = new Map(),
): Quantization & {readonly largest: ReadonlyMap<ValueId, Float64Array>} {
  const sites = sitesOf(module, head, float);
  const values = images.map(image => evaluate(module, new Map([['image', image]])));
  const ranges = new Map(
    sites.made.map(id => {
      const so = noRange();
      for (const each of values) seeRange(so, numbersOf(each.get(id)!));
      return [id, so] as const;
    }),
  );
  const affine = affineFor(sites, ranges);
  const sums = [...affine].map(([id, its]) => {
    const {shape} = valueAt(module.graph, id).type;
    const so = noSums(shape);
    for (const each of values) seeSums(so, numbersOf(each.get(id)!), shape, its);
    return [id, so] as const;
  });
  const means = new Map(
    sums.map(([id, {real, stored: bytes, count}]) => {
      const each = count / real.length;
      return [id, {real: real.map(sum => sum / each), stored: bytes.map(sum => sum / each)}] as const;
    }),
  );
  return {sites, affine, means, largest: new Map(sums.map(([id, {largest}]) => [id, largest]))};
}

test('bytes are made where activations are, and moved from there', t => {
  const {made, scales, layers} = sitesOf(module, head);
  const names = (ids: Iterable<ValueId>) => [...ids].map(id => valueAt(module.graph, id).name).sort();
  t.deepEqual(names(made), ['block', 'first', 'image', 'inner', 'right', 'six']);
  t.deepEqual(names(scales.keys()), ['block', 'first', 'flat', 'image', 'inner', 'joined', 'pooled', 'right', 'six', 'small']);
  const scaleOf = (name: string) => scales.get(idOf(name));
  t.is(scaleOf('pooled'), scaleOf('block'));
  for (const name of ['right', 'joined', 'small', 'flat']) t.is(scaleOf(name), scaleOf('six'), name);
  t.not(scaleOf('six'), scaleOf('block'));
  t.deepEqual(
    layers.map(({name}) => name),
    ['stem', 'inner', 'left', 'right', 'scores'],
  );
  t.true(layers.every(({float}) => float === null));
});

test('a mean over whole images has a scale of its own, and is not taken of bytes', t => {
  const means = parse(`dnnc-ir 1
module @m {
  input %x : f32[1,3,4,4]
  const %w : f32[8,3,1,1] = random(1)
  const %v : f32[5,8] = random(2)
  %sum = conv2d(%x, %w) : f32[1,8,4,4]
  %bent = relu(%sum) : f32[1,8,4,4]
  %mean = avgpool(%bent) {kernel = [4, 4]} : f32[1,8,1,1]
  %flat = reshape(%mean) {shape = [1, 8]} : f32[1,8]
  %scores = linear(%flat, %v) : f32[1,5]
  head @m = %scores
}`);
  const {made, scales} = sitesOf(means, means.heads[0]!);
  const names = (ids: Iterable<ValueId>) => [...ids].map(id => valueAt(means.graph, id).name);
  t.deepEqual(names(made), ['x', 'mean']);
  t.deepEqual(names(scales.keys()), ['x', 'mean', 'flat']);
});

test('what layers in float alone would read is no byte', t => {
  const float = new Map([
    ['stem', 'why not'],
    ['scores', 'why not'],
  ]);
  const {made, layers} = sitesOf(module, head, float);
  t.deepEqual(made.map(id => valueAt(module.graph, id).name).sort(), ['block', 'first', 'inner']);
  t.is(layers.find(({name}) => name === 'scores')?.float, 'why not');
});

test('the copy computes nearly the same, in the form of quantized models, and so do passes leave it', t => {
  const quantization = surveyed();
  const copy = withQuantized(module, head, quantization, {
    name: 'small',
    attrs: {task: 'task', recipe: 'int8'},
    also: [idOf('block')],
  });
  const counts = new Map<string, number>();
  for (const node of copy.graph.nodes) {
    counts.set(node.op, (counts.get(node.op) ?? 0) + 1);
    if (node.op !== 'conv2d' || module.graph.nodes.includes(node)) continue;
    const [x, w, b] = node.inputs.map(id => producerOf(copy.graph, id!));
    t.deepEqual([x?.op, w?.op, b?.op ?? 'dequantize'], ['dequantize', 'dequantize', 'dequantize']);
    t.is(valueAt(copy.graph, x!.inputs[0]!).type.dtype, 'u8');
    t.is(valueAt(copy.graph, w!.inputs[0]!).type.dtype, 'i8');
    if (b) t.is(valueAt(copy.graph, b.inputs[0]!).type.dtype, 'i32');
  }
  // Made: six values. Behind pools: two more.
  t.is(counts.get('quantize'), 8);
  const {sites} = quantization;
  t.true(isQuantized(sitesOf(copy, copy.heads.at(-1)!)) && !isQuantized(sites));
  const optimized = runPasses(copy, exact);
  for (const image of images) {
    const [scores, block] = [run(module, 'task', image)[0]!, evaluate(module, new Map([['image', image]])).get(idOf('block'))!];
    const [ours, its] = run(copy, 'small', image);
    const scale = Math.max(...numbersOf(block).map(Math.abs));
    t.true(numbersOf(block).every((value, i) => Math.abs(value - its![i]!) < 0.03 * scale));
    const distance = Math.max(...scores.map((value, i) => Math.abs(value - ours![i]!)));
    t.true(distance < 0.05, `${distance}`);
    const [again] = run(optimized, 'small', image);
    t.true(Math.max(...ours!.map((value, i) => Math.abs(value - again![i]!))) < 0.02);
  }
});

test('a corrected bias leaves less of the error of means', t => {
  const noise = randomOf(5);
  const w = tensorFrom(
    'f32',
    [3, 4, 3, 3],
    Array.from({length: 108}, () => noise.unit() ** 3 - 0.2),
  );
  const integer = quantizeWeights(w, [0, 0, 0], 0.05);
  const real = [0.5, 1.5, 2.5, 0.25];
  const affine = {scale: 0.3, zero: 0};
  const means = {real, stored: real.map(value => rounded(value, affine))};
  const correction = biasCorrection(w, integer, means, 1);
  const product = (weights: ArrayLike<number>, x: readonly number[], o: number): number =>
    x.reduce(
      (sum, value, i) => sum + Array.from({length: 9}, (_, k) => weights[(o * 4 + i) * 9 + k]!).reduce((a, b) => a + b) * value,
      0,
    );
  for (const o of [0, 1, 2]) {
    const wanted = product(numbersOf(w), means.real, o);
    const got = product(realWeights(integer), means.stored, o);
    t.true(Math.abs(got + correction[o]! - wanted) < 1e-5);
    t.true(Math.abs(got - wanted) > 1e-3);
  }
});

test('points of a kernel that lie on the border count as often as they lie on the image', t => {
  const window = {kernel: [3, 3], strides: [2, 1], dilations: [1, 1], pads: [1, 1, 0, 1], groups: 1};
  // Rows 0 and 2 of four give two results; columns give five, of which one misses the first point and one the last.
  const columns = [0.8, 1, 0.8];
  t.deepEqual(
    [...seenBy(window, [4, 5])],
    [0.5, 1, 1].flatMap(row => columns.map(column => row * column)),
  );
  t.deepEqual([...seenBy({...window, pads: [0, 0, 0, 0]}, [4, 5])], new Array<number>(9).fill(1));
});

test('an image of one colour: the mean of the results is right with its borders', t => {
  const image = 1.7;
  const text = (weights: string) => `dnnc-ir 1
module @padded {
  input %x : f32[1,1,4,5]
  const %w : f32[1,1,3,3] = [${weights}]
  %y = conv2d(%x, %w) {pads = [1, 1, 1, 1]} : f32[1,1,4,5]
  head @y = %y
}`;
  const real = tensorFrom('f32', [1, 1, 3, 3], [0.9, -0.31, 0.12, 0.44, 0.73, -0.27, 0.05, 0.66, -0.18]);
  const integer = quantizeWeights(real, [0], 0.05);
  const meanOf = (weights: ArrayLike<number>): number => {
    const values = evaluate(
      parse(text(Array.from(weights).join(', '))),
      new Map([['x', tensorFrom('f32', [1, 1, 4, 5], new Array<number>(20).fill(image))]]),
    );
    return numbersOf([...values.values()].at(-1)!).reduce((sum, value) => sum + value, 0) / 20;
  };
  const window = {kernel: [3, 3], strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1], groups: 1};
  const means = {real: [image], stored: [image]};
  const lost = meanOf(numbersOf(real)) - meanOf(realWeights(integer));
  const [correction] = biasCorrection(real, integer, means, 1, seenBy(window, [4, 5]));
  t.true(Math.abs(correction! - lost) < 1e-6, `${correction} for ${lost}`);
  t.true(Math.abs(biasCorrection(real, integer, means, 1)[0]! - lost) > 1e-5);
});

test('of whole networks too: the mean error of scores gets smaller', t => {
  const {means, ...plain} = surveyed();
  const errorOf = (quantization: Quantization): number => {
    const copy = withQuantized(module, head, quantization, {name: 'small', attrs: {}, also: [idOf('right')]});
    const sums = new Array<number>(6).fill(0);
    for (const image of images) {
      const right = numbersOf(evaluate(module, new Map([['image', image]])).get(idOf('right'))!);
      run(copy, 'small', image)[1]!.forEach((value, i) => {
        sums[Math.floor(i / 16)]! += value - right[i]!;
      });
    }
    return sums.reduce((sum, value) => sum + value ** 2, 0);
  };
  const [without, corrected] = [errorOf(plain), errorOf({...plain, means: means!})];
  t.true(corrected < without, `${corrected} instead of ${without}`);
});

test('channels are evened out without a change of what is computed', t => {
  const small = parse(`dnnc-ir 1
module @pair {
  input %image : f32[1,3,8,8]
  const %w1 : f32[4,3,1,1] = [1, 2, 1, 0.01, 0.02, -0.01, 3, 1, 2, 0.1, 0.1, 0.1]
  const %b1 : f32[4] = [0.5, 0.01, 1, 0.2]
  const %w2 : f32[4,1,3,3] = random(2)
  const %w3 : f32[2,4,1,1] = random(3)
  %a = conv2d(%image, %w1, %b1) : f32[1,4,8,8]
  %b = clip(%a) {high = 6, low = 0} : f32[1,4,8,8]
  %c = conv2d(%b, %w2) {groups = 4} : f32[1,4,6,6]
  %d = relu(%c) : f32[1,4,6,6]
  %e = conv2d(%d, %w3) : f32[1,2,6,6]
  head @task = %e
}`);
  const [own] = small.heads;
  const largest = (values: ReadonlyMap<ValueId, Tensor>, id: ValueId): Float64Array => {
    const so = noSums([1, 4, 8, 8]);
    const {shape} = valueAt(small.graph, id).type;
    seeSums(so, numbersOf(values.get(id)!), shape, {scale: 1, zero: 0});
    return so.largest;
  };
  const values = evaluate(small, new Map([['image', images[0]!]]));
  const sizes = new Map(['b', 'd'].map(name => [idOf(name, small), largest(values, idOf(name, small))] as const));
  const {changed, pairs} = equalize(small, own!, sizes);
  t.is(pairs, 2);
  const evened = withReal(small, 'task', changed, [idOf('b', small), idOf('e', small)]);
  const its = evaluate(evened.module, new Map([['image', images[0]!]]));
  const [b, e] = evened.ids.map(id => numbersOf(its.get(id)!));
  t.true(numbersOf(values.get(idOf('e', small))!).every((value, i) => Math.abs(value - e![i]!) < 1e-5));
  const channel = (c: number): number => Math.max(...b!.slice(64 * c, 64 * (c + 1)));
  const before = sizes.get(idOf('b', small))!;
  t.true(before[1]! < 0.02 * before[2]!);
  for (const c of [0, 1, 2, 3])
    t.true(channel(c) > 0.9 * Math.max(...before) || channel(c) > 60 * before[c]!, `${c}: ${channel(c)}`);
});
