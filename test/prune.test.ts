/** Fewer channels: which go together, which go first, and that the narrower network is the one that was fitted. */
import test from 'ava';
import {inner, type Matrix, matrixOf, minus, portableProduct, timesTransposed} from '../compiler/algebra/matrix.js';
import {withThin} from '../compiler/lowrank/insert.js';
import {type Group, groupsOf} from '../compiler/prune/groups.js';
import {withNarrower} from '../compiler/prune/insert.js';
import {columnsOf, removalOrder, restricted} from '../compiler/prune/select.js';
import {layersOf} from '../compiler/reconstruct/layers.js';
import {wholeStage} from '../compiler/reconstruct/stage.js';
import {costOfHead} from '../ir/cost.js';
import {evaluate} from '../ir/evaluate.js';
import {headOf} from '../ir/graph.js';
import {parse} from '../ir/parse.js';
import {randomInputs} from './support/reference.js';
import {difference, randomOf} from './support/tensors.js';

const text = `dnnc-ir 1
module @net {
  input %x : f32[1,8,6,6]
  const %w0 : f32[24,8,1,1] = random(1)
  const %b0 : f32[24] = random(2)
  const %d : f32[24,1,3,3] = random(3)
  const %s : f32[24,1,1] = random(4)
  const %w1 : f32[32,24,3,3] = random(5)
  const %w2 : f32[32,32,3,3] = random(6)
  const %b2 : f32[32] = random(7)
  const %w3 : f32[40,288] = random(8)
  const %b3 : f32[40] = random(9)
  const %w4 : f32[30,40] = random(10)
  %c0 = conv2d(%x, %w0, %b0) : f32[1,24,6,6]
  %r0 = relu(%c0) : f32[1,24,6,6]
  %e = conv2d(%r0, %d) {groups = 24, pads = [1, 1, 1, 1]} : f32[1,24,6,6]
  %m = mul(%e, %s) : f32[1,24,6,6]
  %c1 = conv2d(%m, %w1) {pads = [1, 1, 1, 1]} : f32[1,32,6,6]
  %c2 = conv2d(%c1, %w2, %b2) {pads = [1, 1, 1, 1]} : f32[1,32,6,6]
  %a = add(%c1, %c2) : f32[1,32,6,6]
  %p = maxpool(%a) {kernel = [2, 2], strides = [2, 2]} : f32[1,32,3,3]
  %f = reshape(%p) {shape = [1, 288]} : f32[1,288]
  %y = linear(%f, %w3, %b3) : f32[1,40]
  %z = linear(%y, %w4) : f32[1,30]
  head @net = %z
}`;

const module = parse(text);
const head = headOf(module, 'net');
const layers = layersOf(module, head);
const groups = groupsOf(module, head, layers);
const idOf = (name: string) => module.graph.nodes.find(({outputs}) => outputs[0].name === name)!.outputs[0].id;
const groupOf = (name: string): Group | undefined => groups.free.get(groups.of(idOf(name))?.group ?? -1);

test('channels go together from the layers that make them to those that read them', t => {
  const [first, residual, hidden] = ['c0', 'c1', 'y'].map(groupOf) as [Group, Group, Group];
  t.is(groups.free.size, 3);
  for (const name of ['r0', 'e', 'm']) t.is(groupOf(name), first);
  for (const name of ['c2', 'a', 'p', 'f']) t.is(groupOf(name), residual);
  t.deepEqual([first.channels, residual.channels, hidden.channels], [24, 32, 40]);
  const readers = (group: Group) => group.readers.map(({layer, span}) => [layer.name, span]);
  t.deepEqual(readers(first), [['c1', 1]]);
  t.deepEqual(readers(residual), [
    ['c2', 1],
    ['y', 9],
  ]);
  t.deepEqual(
    residual.makers.map(({outputs}) => outputs[0].name),
    ['c1', 'c2'],
  );
  // What a head returns keeps all of its channels.
  t.is(groupOf('z'), undefined);
});

test('channels that are joined to others in ways that cannot be followed stay', t => {
  const joined = parse(
    text.replace(
      '%f = reshape(%p) {shape = [1, 288]}',
      '%q = transpose(%p) {perm = [0, 2, 3, 1]} : f32[1,3,3,32]\n  %f = reshape(%q) {shape = [1, 288]}',
    ),
  );
  const own = headOf(joined, 'net');
  const found = groupsOf(joined, own, layersOf(joined, own));
  t.deepEqual(
    [...found.free.values()].map(({channels}) => channels),
    [24, 40],
  );
});

test('the narrower network is the one in which readers do without what is gone', t => {
  const kept = new Map([
    [groups.of(idOf('c0'))!.group, [0, 2, 3, 5, 8, 13, 21, 23]],
    [groups.of(idOf('c1'))!.group, Array.from({length: 16}, (_, i) => 2 * i + 1)],
    [groups.of(idOf('y'))!.group, [1, 4, 9, 16, 25, 36]],
  ]);
  const fitted = layers.layers.flatMap(layer => {
    const place = groups.of(layer.input);
    const own = place && kept.get(place.group);
    if (!place || !own) return [];
    const each = (layer.weights.columns / layer.channels) * place.span;
    const columns = new Set(columnsOf(own, each));
    const data = layer.weights.data.map((value, at) => (columns.has(at % layer.weights.columns) ? value : 0));
    const map = {...layer.weights, data};
    return [[layer, {map, bias: layer.bias}] as const];
  });
  t.is(fitted.length, 4);
  const narrow = withNarrower(
    module,
    head,
    {groups, kept, layers: new Map(fitted.map(([{name}, own]) => [name, {...own, factors: 'narrow'}]))},
    {name: 'narrow', attrs: {}},
  );
  const masked = withThin(
    module,
    head,
    new Map(fitted.map(([layer, own]) => [layer.name, {fitted: {...own, factors: null}, stages: [wholeStage(layer)]}])),
    {name: 'masked', attrs: {}},
  );
  const inputs = randomInputs(module, randomOf(3));
  const outputs = [narrow, masked].map(made => evaluate(made, inputs).get(made.heads[1]!.outputs[0]!)!);
  t.is(difference(outputs[0]!, outputs[1]!, 1e-5), null);
  const [was, is] = [costOfHead(module.graph, head).macs, costOfHead(narrow.graph, narrow.heads[1]!).macs];
  const layerMacs = 36 * (8 * 8 + 8 * 9 + 8 * 9 * 16 + 16 * 9 * 16) + 144 * 6 + 6 * 30;
  t.is(is, layerMacs, `${was}`);
});

test('what matters least goes first, and what is left makes up for it', t => {
  // Channel 2 is nearly the sum of channels 0 and 1; channel 4 is hardly there.
  const random = randomOf(4);
  const count = 400;
  const rows = matrixOf(
    6,
    count,
    Array.from({length: 6 * count}, () => 2 * random.unit() - 1),
  );
  for (let i = 0; i < count; i++) {
    rows.data[2 * count + i] = rows.data[i]! + rows.data[count + i]! + 0.01 * rows.data[2 * count + i]!;
    rows.data[4 * count + i]! *= 0.02;
  }
  const gram = timesTransposed(portableProduct, rows, rows);
  const map = matrixOf(
    3,
    6,
    Array.from({length: 18}, () => 2 * random.unit() - 1),
  );
  const target = {map, gram};
  const order = removalOrder(portableProduct, 6, 2, [{target, each: 1}]);
  t.is(order.length, 4);
  const firstTwo = order.slice(0, 2);
  t.true(firstTwo.includes(4) && firstTwo.some(channel => channel < 3), `${order}`);
  const energy = (of: Matrix): number => inner(timesTransposed(portableProduct, of, gram), of);
  const kept = [0, 1, 2, 3, 4, 5].filter(channel => !firstTwo.includes(channel));
  const found = restricted(portableProduct, target, kept);
  t.true(energy(minus(map, found)) < 1e-2 * energy(map));
  const columns = new Set(kept);
  found.data.forEach((value, at) => {
    t.is(value !== 0, columns.has(at % 6));
  });
});
