/** Which variants answer several questions about one picture at the least cost, by hand. */
import test from 'ava';
import {cheapest, piecesOf, type Wish} from '../examples/stream/choices.js';
import type {Manifest, Segment, Variant} from '../runtime/index.js';
import {example} from './example-manifest.js';

const timed = {threads: 1, host: 'a CPU', measured: true as const};
const {entry: _, ...segmentOf} = example.segments[0]!;
const segment = (id: string, macs: number): Segment => ({
  ...segmentOf,
  id,
  macs,
  latency: {generic: {...timed, p10: macs / 100, p50: macs / 100, p90: macs / 100}},
});
const variant = (id: string, path: readonly string[], macs: number, value: number): Variant => ({
  ...{id, task: id.split('/')[0]!, recipe: id.split('/')[1]!, entry: id, path, macs},
  ...{weightBytes: 1, arenaBytes: 1, arenaLowerBound: 1, loadBytes: 1},
  quality: {metric: 'top1', value, interval: [value - 1, value + 1], n: 1000, data: example.weights.sha256},
});

/** Two questions: full networks share a trunk of 100; each has a cheap one for itself. */
const manifest: Manifest = {
  ...example,
  segments: [
    ...[segment('trunk', 100), segment('a', 20), segment('b', 30)],
    ...[segment('a cheap', 80), segment('b cheap', 90), segment('b poor', 10)],
  ],
  variants: [
    variant('a/full', ['trunk', 'a'], 120, 90),
    variant('a/cheap', ['a cheap'], 80, 89.5),
    variant('b/full', ['trunk', 'b'], 130, 80),
    variant('b/cheap', ['b cheap'], 90, 79.2),
    variant('b/poor', ['b poor'], 10, 60),
  ],
};
const choose = (wish: Partial<Wish>, its: Manifest = manifest): readonly string[] =>
  cheapest({manifest: its, target: 'generic'}, ['a', 'b'], {
    by: 'operations',
    shared: false,
    specialized: false,
    loss: 1,
    ...wish,
  }).map(({id}) => id);

test('each for itself the cheap ones that hold; together those that share what they compute', t => {
  t.deepEqual(choose({}), ['a/cheap', 'b/cheap']);
  t.deepEqual(choose({shared: true}), ['a/full', 'b/full']);
  t.deepEqual(choose({by: 'time'}), ['a/cheap', 'b/cheap']);
  t.deepEqual(choose({loss: 0.6}), ['a/cheap', 'b/full']);
  t.deepEqual(choose({loss: 30}), ['a/cheap', 'b/poor']);
});

test('a cascade costs its first variant always, and its last where that does not answer', t => {
  const parts = {first: 'b/poor', last: 'b/full', threshold: 0.8, share: 1, n: 100, data: example.weights.sha256};
  const cascade = (alone: number): Manifest => ({
    ...manifest,
    variants: [
      ...manifest.variants,
      {...variant('b/cascade', [], 40, 79), cascade: {...parts, estimates: [{share: 1, accuracy: 79, macs: 40, alone}]}},
    ],
  });
  // 10 + 0.1 * 130 instead of 90; 10 + 0.7 * 130 is more.
  t.deepEqual(choose({specialized: true}, cascade(0.9)), ['a/cheap', 'b/cascade']);
  t.deepEqual(choose({specialized: true}, cascade(0.3)), ['a/cheap', 'b/cheap']);
  t.deepEqual(choose({}, cascade(0.9)), ['a/cheap', 'b/cheap']);
});

test('what a variant is made of: its segments and what is beside them, or the whole', t => {
  const built = {manifest, target: 'generic'};
  t.deepEqual(piecesOf(built, variant('a/full', ['trunk', 'a'], 125, 90), 'operations'), [
    ['trunk', 100],
    ['a', 20],
    ['a/full head', 5],
  ]);
  t.deepEqual(piecesOf(built, variant('a/alone', [], 7, 90), 'operations'), [['a/alone', 7]]);
  t.deepEqual(piecesOf(built, variant('a/alone', [], 7, 90), 'time'), [['a/alone', Number.POSITIVE_INFINITY]]);
});
