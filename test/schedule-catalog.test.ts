/** Catalogs of builds: what shared pieces, mixtures and cascades take. */
import test from 'ava';
import type {Manifest, Variant} from '../runtime/manifest.js';
import {bestMixtures} from '../runtime/schedule/combinations.js';
import {catalogFromManifest, type Profile, problemOf, readCatalog, readProfile} from '../runtime/schedule/index.js';
import {random} from '../runtime/simulate/index.js';
import {pretended, profile} from './support/pretended-build.js';

const near = (value: number, expected: number): boolean => Math.abs(value - expected) < 1e-9 * Math.abs(expected);

const [full, , small] = pretended.variants;
const cascade: Variant = {
  ...{id: 'age/cascade@1', task: 'age', recipe: 'cascade@1', path: small!.path, macs: small!.macs + full!.macs},
  ...{weightBytes: 3000, arenaBytes: 64, arenaLowerBound: 64, loadBytes: 3000},
  cascade: {
    ...{first: 'age/small', last: 'age/full', threshold: 0.9, share: 0.9, n: 100, data: full!.quality!.data},
    estimates: [
      {share: 0.6, accuracy: 90, macs: 1, alone: 0.5},
      {share: 1, accuracy: 98, macs: 1, alone: 0.9},
    ],
  },
  context: ['child'],
};
const withCascade: Manifest = {...pretended, variants: [...pretended.variants, cascade]};
const request = (name: string, share?: number): Profile => ({
  ...profile(),
  requests: [
    {name, rate: 1, tasks: [{name: 'age', ...(share !== undefined && {share})}, ...(name === 'both' ? [{name: 'mood'}] : [])]},
  ],
});
const variantsOf = (share: number | undefined, name = 'age', manifest = withCascade) =>
  catalogFromManifest(manifest, readProfile(request(name, share))).requests[0]!.variants;

test('tasks that share a trunk take it once, in operations and in measured time', t => {
  const both = variantsOf(undefined, 'both').find(({id}) => id === 'both/full')!;
  t.deepEqual(both.parts, ['age/full', 'mood/full']);
  t.true(near(both.device!.energy, 1.2));
  t.deepEqual(both.device!.segments, ['trunk', 'age_head', 'mood_head']);
  t.true(near(both.device!.latency, 3 * 0.03));
  const timed = catalogFromManifest(withCascade, {...request('both'), device: {...request('both').device, watts: 2}});
  t.true(near(timed.requests[0]!.variants[0]!.device!.energy, (2 * 3 * 0.02) / 1000));
});

test('mixtures are on the hull of energy and accuracy, and only for the device', t => {
  const mixed = variantsOf(0.9, 'both').filter(({id}) => id.includes(','));
  t.true(mixed.length > 0);
  for (const {cloud, splits, accuracy, parts} of mixed) {
    t.is(cloud, undefined);
    t.is(splits, undefined);
    t.is(accuracy.length, parts!.length);
  }
});

test('a cascade counts at the declared share of its context: expected energy, worst latency, all of its memory', t => {
  t.false(variantsOf(undefined).some(({id}) => id.includes('cascade')));
  const at = variantsOf(0.8).find(({id}) => id === 'age/cascade@1')!;
  t.true(near(at.accuracy[0]!, 94));
  // The cheap half always, the dear one for 3 of 10.
  t.true(near(at.device!.energy, 0.2 + 0.3 * 1.1));
  t.true(near(at.device!.latency, 3 * 0.03));
  t.deepEqual(at.device!.segments, ['age_small', 'trunk', 'age_head']);
  t.is(at.cloud, undefined);
  t.true(near(variantsOf(0.2).find(({id}) => id === 'age/cascade@1')!.accuracy[0]!, 90));
  t.throws(() => readProfile(request('age', 2)), {message: /profile\.invalid: requests\[0\]\.tasks\[0\]\.share/});
});

test('limits are held against what 9 of 10 runs are within', t => {
  const manifest: Manifest = {
    ...pretended,
    variants: pretended.variants.map(variant => ({
      ...variant,
      latency: {generic: {p10: 1, p50: 10, p90: variant.recipe === 'full' ? 60 : 20, threads: 1, host: 'none', measured: true}},
    })),
  };
  const {requests, ...rest} = catalogFromManifest(manifest, request('age'));
  const {options} = problemOf(readCatalog({...rest, requests: requests.map(each => ({...each, latencyLimit: 50}))})).kinds[0]!;
  t.deepEqual(
    options.filter(({place}) => place === 'device').map(({variant}) => variant),
    ['age/small'],
  );
});

test('no mixture lies above the hull, and every one on it is worth its cost', t => {
  for (let seed = 1; seed <= 50; seed++) {
    const dice = random(seed);
    const tasks = Array.from({length: 1 + dice.below(3)}, () =>
      Array.from({length: 1 + dice.below(5)}, () => ({value: dice.unit(), cost: dice.unit()})),
    );
    const sum = (parts: readonly {value: number; cost: number}[]) => ({
      value: parts.reduce((total, {value}) => total + value, 0),
      cost: parts.reduce((total, {cost}) => total + cost, 0),
    });
    const hull = bestMixtures(tasks, sum);
    let all: {value: number; cost: number}[][] = [[]];
    for (const parts of tasks) all = all.flatMap(begun => parts.map(part => [...begun, part]));
    for (const {value, cost} of all.map(sum)) {
      const below = hull.filter(each => each.cost <= cost + 1e-12).at(-1)!;
      const above = hull.find(each => each.cost > below.cost);
      const slope = above ? (above.value - below.value) / (above.cost - below.cost) : 0;
      t.true(value <= below.value + slope * (cost - below.cost) + 1e-9, `seed ${seed}`);
    }
    for (let i = 1; i < hull.length; i++) t.true(hull[i]!.value > hull[i - 1]!.value && hull[i]!.cost > hull[i - 1]!.cost);
  }
  const many = Array.from({length: 8}, () => Array.from({length: 10}, (_, i) => i));
  t.deepEqual(
    bestMixtures(many, () => ({value: 0, cost: 0})),
    [],
  );
});
