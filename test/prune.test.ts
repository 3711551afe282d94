/** Fewer channels: which go together, which go first, and that the narrower network is the one that was fitted. */
import test from 'ava';
import {inner, type Matrix, matrixOf, minus, portableProduct, timesTransposed} from '../compiler/algebra/matrix.js';
import {withThin} from '../compiler/lowrank/insert.js';
import {elementsLeft, type Group, type Groups, groupsOf, type Kept} from '../compiler/prune/groups.js';
import {withNarrower} from '../compiler/prune/insert.js';
import {columnsOf, removalOrder, restricted, seenIn} from '../compiler/prune/select.js';
import {chosenFor} from '../compiler/prune/study.js';
import {layersOf} from '../compiler/reconstruct/layers.js';
import {wholeStage} from '../compiler/reconstruct/stage.js';
import {costOfHead} from '../ir/cost.js';
import {evaluate} from '../ir/evaluate.js';
import {headOf} from '../ir/graph.js';
import {parse} from '../ir/parse.js';
import type {Module} from '../ir/types.js';
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
const numberOf = (name: string): number => groups.places(idOf(name))[0]?.group ?? -1;
const groupOf = (name: string): Group | undefined => groups.free[numberOf(name)];

test('channels go together from the layers that make them to those that read them', t => {
  const [first, residual, hidden] = ['c0', 'c1', 'y'].map(groupOf) as [Group, Group, Group];
  t.is(groups.free.length, 3);
  for (const name of ['r0', 'e', 'm']) t.is(groupOf(name), first);
  for (const name of ['c2', 'a', 'p', 'f']) t.is(groupOf(name), residual);
  t.deepEqual([first.channels, residual.channels, hidden.channels], [24, 32, 40]);
  const readers = (group: Group) => group.readers.map(({layer, places}) => [layer.name, places[0]!.length]);
  t.deepEqual(readers(first), [['c1', 1]]);
  t.deepEqual(readers(residual), [
    ['c2', 1],
    ['y', 9],
  ]);
  t.deepEqual(
    residual.makers.map(({node}) => node.outputs[0].name),
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
    [...found.free].map(({channels}) => channels),
    [24, 40],
  );
});

/** The network with these channels, each reader without the weights of what is gone, and the same with zeros in their place. */
function bothWays(module: Module, groups: Groups, kept: Kept): readonly [narrow: Module, masked: Module] {
  const head = headOf(module, 'net');
  const fitted = layersOf(module, head).layers.flatMap(layer => {
    const elements = elementsLeft(groups, kept, layer.input);
    if (!elements) return [];
    const columns = new Set(columnsOf(elements, layer.weights.columns / layer.channels));
    const data = layer.weights.data.map((value, at) => (columns.has(at % layer.weights.columns) ? value : 0));
    return [[layer, {map: {...layer.weights, data}, bias: layer.bias}] as const];
  });
  const narrowed = new Map(fitted.map(([{name}, own]) => [name, {...own, factors: 'narrow' as const}]));
  const zeroed = fitted.map(
    ([layer, own]) => [layer.name, {fitted: {...own, factors: null}, stages: [wholeStage(layer)]}] as const,
  );
  return [
    withNarrower(module, head, {groups, kept, layers: narrowed}, {name: 'narrow', attrs: {}}),
    withThin(module, head, new Map(zeroed), {name: 'masked', attrs: {}}),
  ];
}

const outputsOf = (made: readonly Module[], seed: number) =>
  made.map(each => evaluate(each, randomInputs(module, randomOf(seed))).get(each.heads[1]!.outputs[0]!)!);

test('the narrower network is the one in which readers do without what is gone', t => {
  const kept = new Map([
    [numberOf('c0'), [0, 2, 3, 5, 8, 13, 21, 23]],
    [numberOf('c1'), Array.from({length: 16}, (_, i) => 2 * i + 1)],
    [numberOf('y'), [1, 4, 9, 16, 25, 36]],
  ]);
  const [narrow, masked] = bothWays(module, groups, kept);
  const [one, other] = outputsOf([narrow, masked], 3);
  t.is(difference(one!, other!, 1e-5), null);
  const [was, is] = [costOfHead(module.graph, head).macs, costOfHead(narrow.graph, narrow.heads[1]!).macs];
  const layerMacs = 36 * (8 * 8 + 8 * 9 + 8 * 9 * 16 + 16 * 9 * 16) + 144 * 6 + 6 * 30;
  t.is(is, layerMacs, `${was}`);
});

/** As fire modules of SqueezeNet, blocks of DenseNet and of Inception join channels; behind `s` a sum ties both parts to `c3`. */
const joined = parse(`dnnc-ir 1
module @net {
  input %x : f32[1,8,6,6]
  const %w0 : f32[48,8,1,1] = random(1)
  const %w1 : f32[24,48,1,1] = random(2)
  const %w2 : f32[32,48,3,3] = random(3)
  const %s : f32[56,1,1] = random(4)
  const %w3 : f32[56,8,1,1] = random(5)
  const %w4 : f32[16,104,3,3] = random(6)
  const %w5 : f32[10,144] = random(7)
  %c0 = conv2d(%x, %w0) : f32[1,48,6,6]
  %c1 = conv2d(%c0, %w1) : f32[1,24,6,6]
  %r1 = relu(%c1) : f32[1,24,6,6]
  %c2 = conv2d(%c0, %w2) {pads = [1, 1, 1, 1]} : f32[1,32,6,6]
  %j = concat(%r1, %c2) {axis = 1} : f32[1,56,6,6]
  %s1 = mul(%j, %s) : f32[1,56,6,6]
  %c3 = conv2d(%x, %w3) : f32[1,56,6,6]
  %a = add(%s1, %c3) : f32[1,56,6,6]
  %d = concat(%a, %c0) {axis = 1} : f32[1,104,6,6]
  %c4 = conv2d(%d, %w4) {pads = [1, 1, 1, 1]} : f32[1,16,6,6]
  %p = maxpool(%c4) {kernel = [2, 2], strides = [2, 2]} : f32[1,16,3,3]
  %f = reshape(%p) {shape = [1, 144]} : f32[1,144]
  %y = linear(%f, %w5) : f32[1,10]
  head @net = %y
}`);

test('channels side by side are followed in both directions', t => {
  const head = headOf(joined, 'net');
  const own = groupsOf(joined, head, layersOf(joined, head));
  const told = own.free.map(({channels, makers, readers}) => [
    channels,
    makers.map(({node}) => node.outputs[0].name).join(),
    readers.map(({layer, places}) => `${layer.name} from ${places[0]}`).join(),
  ]);
  t.deepEqual(told, [
    [48, 'c0', 'c1 from 0,c2 from 0,c4 from 56'],
    [24, 'c1,c3', 'c4 from 0'],
    [32, 'c2,c3', 'c4 from 24'],
    [16, 'c4', 'y from 0,1,2,3,4,5,6,7,8'],
  ]);
  const kept = new Map([
    [0, [1, 2, 3, 5, 8, 13]],
    [1, [0, 2, 4, 8, 16]],
    [2, [31, 7, 1].toSorted((a, b) => a - b)],
    [3, [4, 9]],
  ]);
  const [narrow, masked] = bothWays(joined, own, kept);
  const [one, other] = outputsOf([narrow, masked], 8);
  t.is(difference(one!, other!, 1e-5), null);
  const macs = 36 * (8 * 6 + 6 * 5 + 6 * 9 * 3 + 8 * (5 + 3) + (5 + 3 + 6) * 9 * 2) + 2 * 9 * 10;
  t.is(costOfHead(narrow.graph, narrow.heads[1]!).macs, macs);
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
  const order = removalOrder(portableProduct, 6, 2, [seenIn(portableProduct, target, [[0], [1], [2], [3], [4], [5]])]);
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

test('what other columns make up for counts little: the price of a channel is the rise of the error where all the others are fitted', t => {
  const random = randomOf(9);
  const unit = (count: number): readonly number[] => Array.from({length: count}, () => 2 * random.unit() - 1);
  const rows = matrixOf(9, 60, unit(540));
  const target = {map: matrixOf(4, 9, unit(36)), gram: timesTransposed(portableProduct, rows, rows)};
  const channels = [
    [1, 2],
    [4, 7],
    [0, 8],
  ];
  const seen = seenIn(portableProduct, target, channels);
  const energy = (of: Matrix, gram: Matrix): number => inner(timesTransposed(portableProduct, of, gram), of);
  channels.forEach((own, channel) => {
    const columns = Array.from({length: 9}, (_, i) => i).filter(i => !own.includes(i));
    const full = energy(minus(target.map, restricted(portableProduct, target, columns)), target.gram);
    const left = [0, 1, 2, 3, 4, 5].filter(i => i >> 1 !== channel);
    const small = energy(minus(seen.target.map, restricted(portableProduct, seen.target, left)), seen.target.gram);
    t.true(Math.abs(full / small - 1) < 1e-9, `${full} and ${small}`);
  });
});

test('a layer that loses on both sides saves less than both alone: the share is reached all the same', t => {
  const wholes = {first: 100, both: 100, last: 100};
  const optionsOf = (...own: readonly string[]) =>
    [100, 75, 50].map(cost => ({
      ...{kept: cost === 100 ? null : [0], cost: 2 * cost, harm: (100 - cost) ** 2 / 1e6, error: 0},
      each: Object.fromEntries(own.map(layer => [layer, cost])),
    }));
  const options = [optionsOf('first', 'both'), optionsOf('both', 'last')];
  const costsOf = (chosen: readonly {readonly cost: number}[]) => chosen.map(({cost}) => cost);
  // 75 + 56 + 75, and 50 + 25 + 50, where sums of savings would promise 50 + 50 + 75 for the latter.
  t.deepEqual(costsOf(chosenFor(options, wholes, {share: 0.7, harm: 1})), [150, 150]);
  t.deepEqual(costsOf(chosenFor(options, wholes, {share: 0.5, harm: 1})), [100, 100]);
  t.deepEqual(costsOf(chosenFor(options, wholes, {share: 0.1, harm: 1})), [100, 100]);
  t.deepEqual(costsOf(chosenFor(options, wholes, {share: 0.1, harm: 0})), [200, 200]);
});
