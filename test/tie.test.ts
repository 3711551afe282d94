/** Local layers as fully connected ones: found by what they look at, and tied to convolutions. */
import test from 'ava';
import {layersOf} from '../compiler/reconstruct/layers.js';
import {withTied} from '../compiler/tie/insert.js';
import {type Local, localLayersOf} from '../compiler/tie/sites.js';
import {costOfHead} from '../ir/cost.js';
import {editor} from '../ir/edit.js';
import {evaluate} from '../ir/evaluate.js';
import {headOf} from '../ir/graph.js';
import {parse} from '../ir/parse.js';
import {print} from '../ir/print.js';
import {tensorFrom} from '../ir/tensor.js';
import type {Module} from '../ir/types.js';
import {reportOf} from './support/apply.js';
import {printedAgain, randomInputs} from './support/reference.js';
import {difference, randomOf} from './support/tensors.js';
import {hasCompiler} from './tiny-build.js';

/** How windows of the local layer lie over its image of 8 x 8 x 8. */
type Windows = {readonly size: number; readonly step: number; readonly before: number; readonly places: number};

/** `noise`: by how much weights differ from place to place; null: every output looks at all of the image. */
function networkWith({size, step, before, places}: Windows, noise: number | null): Module {
  const [outputs, channels, side] = [16, 8, 8];
  const area = places * places;
  const module = parse(`dnnc-ir 1
module @net {
  input %x : f32[1,8,8,8]
  const %w : f32[${outputs * area},${channels * side * side}] = random(1)
  const %v : f32[6,${outputs * area}] = random(2)
  %f = reshape(%x) {shape = [1, ${channels * side * side}]} : f32[1,${channels * side * side}]
  %l = linear(%f, %w) : f32[1,${outputs * area}]
  %r = relu(%l) : f32[1,${outputs * area}]
  %y = linear(%r, %v) : f32[1,6]
  head @net = %y
}`);
  if (noise === null) return module;
  const random = randomOf(3);
  const shared = Array.from({length: outputs * channels * size * size}, () => random.unit() - 0.5);
  const weights = new Array<number>(outputs * area * channels * side * side).fill(0);
  for (let o = 0; o < outputs; o++)
    for (let place = 0; place < area; place++)
      for (let at = 0; at < channels * size * size; at++) {
        const y = Math.floor(place / places) * step - before + (Math.floor(at / size) % size);
        const x = (place % places) * step - before + (at % size);
        if (y < 0 || x < 0 || y >= side || x >= side) continue;
        const row = (o * area + place) * channels + Math.floor(at / (size * size));
        weights[(row * side + y) * side + x] = shared[o * channels * size * size + at]! + noise * (random.unit() - 0.5);
      }
  const edit = editor(module, 'test');
  const node = module.graph.nodes.find(({outputs: [{name}]}) => name === 'l')!;
  const w = edit.before(node).literal(tensorFrom('f32', [outputs * area, channels * side * side], weights), 'w');
  edit.update(node, {inputs: [node.inputs[0]!, w.id, ...node.inputs.slice(2)]});
  return edit.finish();
}

const found = (module: Module): Local | string =>
  localLayersOf(module, headOf(module, 'net'), layersOf(module, headOf(module, 'net'))).get('l')!;

const layouts: readonly Windows[] = [
  {size: 3, step: 1, before: 1, places: 8},
  {size: 5, step: 1, before: 0, places: 4},
  {size: 3, step: 2, before: 0, places: 3},
  {size: 4, step: 2, before: 1, places: 4},
];

test('windows are found by what outputs look at; with equal weights the convolution is the same layer', t => {
  for (const windows of layouts) {
    const module = networkWith(windows, 0);
    const local = found(module);
    if (typeof local === 'string') return t.fail(`${JSON.stringify(windows)}: ${local}`);
    const {size, step, before, places} = windows;
    t.like(local, {outputs: 16, places: [places, places]});
    t.like(local.window, {kernel: [size, size], strides: [step, step]});
    t.deepEqual(local.window.pads.slice(0, 2), [before, before]);
    const made = withTied(module, headOf(module, 'net'), {changes: [local], layers: new Map()}, {name: 'tied', attrs: {}});
    t.is(printedAgain(made), print(made));
    const outputs = evaluate(made, randomInputs(module, randomOf(5)));
    const [was, is] = ['net', 'tied'].map(name => outputs.get(headOf(made, name).outputs[0]!)!);
    t.is(difference(is!, was!, 1e-4), null);
    const macs = (name: string): number => costOfHead(made.graph, headOf(made, name)).macs;
    t.is(macs('net') - macs('tied'), local.saved);
  }
});

test('a layer that looks at all of the image is none, nor one behind no image', t => {
  const module = networkWith(layouts[0]!, null);
  t.is(found(module), 'its outputs look at all of the image');
  const head = headOf(module, 'net');
  t.is(localLayersOf(module, head, layersOf(module, head)).get('y'), 'it reads no flattened image');
});

(hasCompiler ? test : test.skip)('the recipe on a layer whose weights differ a little from place to place', async t => {
  t.timeout(120_000);
  const random = randomOf(7);
  const pixels = Array.from({length: 60 * 512}, () => random.unit() - 0.5);
  const report = await reportOf(networkWith(layouts[2]!, 0.05), tensorFrom('f32', [60, 8, 8, 8], pixels), 'tie');
  t.true(report.estimate!.divergence < 0.03, `${report.estimate!.divergence}`);
  const layer = report.layers.find(each => each.layer === 'l')!;
  t.like(layer, {form: 'convolution 3 x 3, stride 2 x 2', bytesAfter: 4 * 16 * 73});
  t.true(layer.macsAfter! < 0.2 * layer.macsBefore!);
});
