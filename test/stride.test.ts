/** Larger strides: where they can be, what the copy gives where nothing is lost, and the recipe on a network that it suits. */
import test from 'ava';
import {parseRecipe} from '../compiler/recipes/parse.js';
import {layersOf} from '../compiler/reconstruct/layers.js';
import {withStride} from '../compiler/stride/insert.js';
import {type Site, sitesOf} from '../compiler/stride/sites.js';
import {costOfHead} from '../ir/cost.js';
import {DnncError} from '../ir/diagnostics.js';
import {evaluate} from '../ir/evaluate.js';
import {headOf} from '../ir/graph.js';
import {parse} from '../ir/parse.js';
import {print} from '../ir/print.js';
import {type Tensor, tensorFrom} from '../ir/tensor.js';
import type {Module} from '../ir/types.js';
import {reportOf} from './support/apply.js';
import {printedAgain, randomInputs} from './support/reference.js';
import {difference, randomOf} from './support/tensors.js';
import {hasCompiler} from './tiny-build.js';

/** A stem, a residual block, and layers that halve the image; the first pool takes means, so nothing is lost before it. */
const text = `dnnc-ir 1
module @net {
  input %x : f32[1,3,32,32]
  const %w0 : f32[16,3,3,3] = random(1)
  const %b0 : f32[16] = random(2)
  const %w1 : f32[16,16,3,3] = random(3)
  const %w2 : f32[16,16,3,3] = random(4)
  const %w3 : f32[24,16,3,3] = random(5)
  const %w4 : f32[24,24,3,3] = random(6)
  const %w5 : f32[5,24] = random(7)
  %c0 = conv2d(%x, %w0, %b0) {pads = [1, 1, 1, 1]} : f32[1,16,32,32]
  %p0 = avgpool(%c0) {kernel = [2, 2], strides = [2, 2]} : f32[1,16,16,16]
  %c1 = conv2d(%p0, %w1) {pads = [1, 1, 1, 1]} : f32[1,16,16,16]
  %r1 = relu(%c1) : f32[1,16,16,16]
  %c2 = conv2d(%r1, %w2) {pads = [1, 1, 1, 1]} : f32[1,16,16,16]
  %a2 = add(%c2, %p0) : f32[1,16,16,16]
  %r2 = relu(%a2) : f32[1,16,16,16]
  %c3 = conv2d(%r2, %w3) {pads = [1, 1, 1, 1]} : f32[1,24,16,16]
  %r3 = relu(%c3) : f32[1,24,16,16]
  %c4 = conv2d(%r3, %w4) {pads = [1, 1, 1, 1], strides = [2, 2]} : f32[1,24,8,8]
  %r4 = relu(%c4) : f32[1,24,8,8]
  %g = avgpool(%r4) {kernel = [8, 8]} : f32[1,24,1,1]
  %f = reshape(%g) {shape = [1, 24]} : f32[1,24]
  %y = linear(%f, %w5) : f32[1,5]
  head @net = %y
}`;
const network = parse(text);
const head = headOf(network, 'net');
const sites = sitesOf(network, head, layersOf(network, head));
const siteAt = (name: string): Site => {
  const site = sites.get(name);
  if (site === undefined || typeof site === 'string') throw new Error(`${name}: ${site}`);
  return site;
};
const rolesOf = (name: string): Readonly<Record<string, string>> =>
  Object.fromEntries(Array.from(siteAt(name).roles, ([{outputs}, role]) => [outputs[0].name, role]));
const strided = (...names: readonly string[]): Module =>
  withStride(network, head, {changes: names.map(siteAt), layers: new Map()}, {name: 'strided', attrs: {}});

test('an image is halved earlier up to what halves it now, and nowhere where someone needs all of it', t => {
  t.deepEqual(rolesOf('c0'), {c0: 'halves', p0: 'keeps'});
  t.deepEqual(rolesOf('c3'), {c3: 'halves', r3: 'inside', c4: 'keeps'});
  // A mean over the whole image takes any size.
  t.deepEqual(rolesOf('c4'), {c4: 'halves', r4: 'inside', g: 'keeps'});
  t.is(sites.get('c1'), 'a2 needs the larger image');
  t.is(sites.get('c2'), 'a2 needs the larger image');
});

test('means of four windows are one larger window, exactly; there is less to do', t => {
  const made = strided('c0');
  t.is(printedAgain(made), print(made));
  const outputs = evaluate(made, randomInputs(network, randomOf(2)));
  const [was, is] = ['net', 'strided'].map(name => outputs.get(headOf(made, name).outputs[0]!)!);
  t.is(difference(is!, was!, 1e-4), null);
  const macs = (module: Module, name: string): number => costOfHead(module.graph, headOf(module, name)).macs;
  t.is(macs(made, 'net') - macs(made, 'strided'), siteAt('c0').saved);
  const both = strided('c0', 'c3');
  t.is(macs(both, 'net') - macs(both, 'strided'), siteAt('c0').saved + siteAt('c3').saved);
});

test('a shortcut has to follow; small layers with a window of their own cannot', t => {
  const block = text.replace(
    '  %r3 = relu(%c3)',
    '  const %ws : f32[24,16,1,1] = random(8)\n  %s = conv2d(%r2, %ws) : f32[1,24,16,16]\n  %a3 = add(%c3, %s) : f32[1,24,16,16]\n  %r3 = relu(%a3)',
  );
  const module = parse(block);
  const own = headOf(module, 'net');
  const all = sitesOf(module, own, layersOf(module, own));
  const site = all.get('c3') as Site;
  const made = Array.from(site.roles, ([{outputs}, role]) => `${outputs[0].name} ${role}`);
  t.deepEqual(made.toSorted(), ['a3 inside', 'c3 halves', 'c4 keeps', 'r3 inside', 's halves']);
  t.deepEqual([...(all.get('s') as Site).touched].sort(), [...site.touched].sort());
  const small = parse(
    text
      .replaceAll('24,24,3,3', '4,24,3,3')
      .replaceAll('1,24,8,8', '1,4,8,8')
      .replaceAll('1,24,1,1', '1,4,1,1')
      .replaceAll('[1, 24]', '[1, 4]')
      .replaceAll('f32[1,24] ', 'f32[1,4] ')
      .replaceAll('f32[1,24]\n', 'f32[1,4]\n')
      .replace('f32[5,24]', 'f32[5,4]'),
  );
  const its = headOf(small, 'net');
  t.is(sitesOf(small, its, layersOf(small, its)).get('c3'), 'c4 cannot be fitted anew');
});

test('a pool of largest values wants the largest of four places from the layer before it', t => {
  const largest = parse(text.replace('%p0 = avgpool(%c0)', '%p0 = maxpool(%c0)'));
  const own = headOf(largest, 'net');
  const site = sitesOf(largest, own, layersOf(largest, own)).get('c0') as Site;
  t.deepEqual([...site.peaks], ['c0']);
});

test('the recipe takes no argument and comes before bytes', t => {
  t.deepEqual(parseRecipe('stride+lowrank:0.5:macs+int8').steps[0].step, {kind: 'stride'});
  for (const wrong of ['stride:2', 'int8+stride', 'stride+stride']) t.throws(() => parseRecipe(wrong), {instanceOf: DnncError});
});

/** Pictures without fine structure: a few waves in each colour. */
function pictures(count: number): Tensor {
  const random = randomOf(1);
  const pixels: number[] = [];
  for (let colour = 0; colour < 3 * count; colour++) {
    const waves = [0, 1, 2].map(() => [random.unit() - 0.5, random.unit() - 0.5, 6 * random.unit(), random.unit()] as const);
    for (let at = 0; at < 1024; at++)
      pixels.push(waves.reduce((sum, [a, b, c, d]) => sum + d * Math.sin(a * (at % 32) + b * (at >> 5) + c), 0));
  }
  return tensorFrom('f32', [count, 3, 32, 32], pixels);
}

(hasCompiler ? test : test.skip)('the recipe on pictures without fine structure: nearly the same answers', async t => {
  t.timeout(120_000);
  const short = text
    .replaceAll(/^ .*%[cr][34] = .*\n/gm, '')
    .replace('avgpool(%r4) {kernel = [8, 8]} : f32[1,24,1,1]', 'avgpool(%r2) {kernel = [16, 16]} : f32[1,16,1,1]')
    .replace('%f = reshape(%g) {shape = [1, 24]} : f32[1,24]', '%f = reshape(%g) {shape = [1, 16]} : f32[1,16]')
    .replace('%w5 : f32[5,24]', '%w5 : f32[5,16]');
  const report = await reportOf(parse(short), pictures(60), 'stride');
  t.true(report.estimate!.divergence < 0.01, `${report.estimate!.divergence}`);
  t.like(
    report.layers.find(({layer}) => layer === 'c0'),
    {form: 'stride 2, 4 x 4'},
  );
  t.like(
    report.layers.find(({layer}) => layer === 'c1'),
    {float: 'a2 needs the larger image'},
  );
});
