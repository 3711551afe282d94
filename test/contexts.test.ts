/** Priors from what is asked for lately: what holds of every rule, what they gain on drawn scores, and what they cost. */
import test, {type ExecutionContext} from 'ava';
import {noticed, streams} from '../examples/mcdnn/contexts.js';
import {
  type Answer,
  adaptive,
  contextsOf,
  decayed,
  detected,
  fewOf,
  type Manifest,
  type Rule,
  type Session,
  slidingWindow,
  weg,
  withContexts,
} from '../runtime/index.js';
import {posterior, shiftOf} from '../runtime/prior.js';
import {random} from '../runtime/simulate/random.js';
import {answer, type Network, streamOf} from './bench/streams.js';

const rules: Readonly<Record<string, Rule>> = {
  adaptive: adaptive(),
  decayed: decayed(),
  detected: detected(),
  window: slidingWindow({sizes: [3, 5]}),
  weg: weg(),
};

const classes = 12;
const usual = {frequencies: Array.from({length: classes}, (_, c) => (c + 1) / 78), accuracy: 0.9};

/** What a network that knows the distribution of its features would say: logits of classes that lie `apart` from each other. */
function drawnNetwork(apart: number): Network {
  const {unit} = random(1, classes);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit());
  const labels = Array.from({length: 2400}, (_, i) => i % classes);
  const scores = Float32Array.from({length: labels.length * classes}, (_, i) => {
    const isLabel = i % classes === labels[Math.floor(i / classes)];
    return apart * ((isLabel ? apart : 0) + normal());
  });
  const calibration = {temperature: 1, frequencies: labels.slice(0, classes).map(() => 1 / classes)};
  const cost = {macs: 1, sharedMacs: 0, time: null, lacks: []};
  return {stage: {id: 'drawn', kind: 'logits', calibration, ...cost}, seen: {scores, labels, classes}};
}

const network = drawnNetwork(3);
const all = Array.from({length: classes}, (_, c) => c);
const spells = {classes: all, size: 3, share: 0.9, inside: 'alike', repeats: 1} as const;

/** Posteriors of drawn answers under the priors that the rule itself gives, and these priors. */
function follow(rule: Rule, labels: readonly number[]) {
  const follower = rule(usual);
  const {scores} = network.seen;
  return labels.map((label, at) => {
    const under = follower.prior();
    const i = (at * classes + label) % network.seen.labels.length;
    const row = scores.subarray(i * classes, (i + 1) * classes);
    const probabilities = posterior(row, {scores: 'logits', temperature: 1, shift: shiftOf(under, usual.frequencies)});
    const before = String(under);
    follower.observe(probabilities, under);
    if (String(under) !== before) throw new Error('a prior was written to');
    return follower.prior();
  });
}

const drawn = (count: number, from: readonly number[], seed: number): readonly number[] => {
  const {below} = random(seed);
  return Array.from({length: count}, () => from[below(from.length)]!);
};

for (const [name, rule] of Object.entries(rules)) {
  test(`${name}: priors are distributions, never written to again, and the same for the same answers`, t => {
    const labels = [...drawn(200, all, 1), ...drawn(300, [2, 5, 7], 2), ...drawn(200, all, 3)];
    const priors = follow(rule, labels);
    for (const prior of priors) {
      t.true(Math.abs(prior.reduce((sum, part) => sum + part, 0) - 1) < 1e-9);
      t.true(prior.every(part => part > 0));
    }
    t.deepEqual(follow(rule, labels), priors);
  });

  test(`${name}: a context is learned, and forgotten`, t => {
    const held = (prior: readonly number[]): number => prior[2]! + prior[5]! + prior[7]!;
    const usually = held(usual.frequencies);
    const priors = follow(rule, [...drawn(150, [2, 5, 7], 4), ...drawn(900, all, 5)]);
    t.true(held(priors[149]!) > 0.75, `${held(priors[149]!)}`);
    const later = priors.slice(-300).reduce((sum, prior) => sum + held(prior) / 300, 0);
    t.true(Math.abs(later - usually) < 0.12, `${later} ${usually}`);
  });
}

const percents = (rule: Rule | 'truth' | null): readonly number[] => {
  const streams = [1, 2].map(seed => answer(streamOf(spells, network.seen.labels, 12_000, seed), network, {rule}));
  return [0, 1].map(place => {
    const parts = streams.map(each => each[place]!);
    const sum = (of: (part: (typeof parts)[number]) => number): number => parts.reduce((total, part) => total + of(part), 0);
    return (100 * sum(({right}) => right)) / sum(({requests}) => requests);
  });
};

test('the default gains most of what knowing the context gains, and costs next to nothing outside', t => {
  const [raw, known] = [percents(null), percents('truth')];
  const told = (t: ExecutionContext, rule: Rule, gain: number, loss: number): void => {
    const [inside, outside] = percents(rule);
    t.true((inside! - raw[0]!) / (known[0]! - raw[0]!) > gain, `${raw} ${known} ${inside}`);
    t.true(raw[1]! - outside! < loss, `${raw} ${outside}`);
  };
  t.true(known[0]! - raw[0]! > 3);
  told(t, adaptive(), 0.75, 0.3);
  told(t, decayed(), 0.6, 0.6);
  told(t, slidingWindow({sizes: [3]}), 0.6, 0.6);
});

test('in a day of faces a spell is noticed, and none where there is none (MCDNN, claims about skew)', t => {
  const [, s2, s3] = Object.values(streams);
  const spell = noticed(s2!, adaptive(), 1);
  t.true(spell.inside > 75, `${spell.inside}`);
  t.is(spell.outside, 0);
  t.is(noticed(s3!, adaptive(), 1).outside, 0);
});

test('the few classes that hold most are those that tell counts most briefly', t => {
  t.deepEqual(fewOf([1, 40, 0, 38, 1, 0, 0, 0]), {classes: [1, 3], share: 78 / 80});
  t.deepEqual(fewOf([10, 0, 0]), {classes: [0], share: 1});
  t.is(fewOf([0, 0, 0, 0]).share, 0);
  // Nothing stands out: whatever is named holds about its part.
  const {classes: named, share} = fewOf([10, 11, 9, 10, 10, 10]);
  t.true(share < (1.2 * named.length) / 6);
});

const calibration = {temperature: 1, frequencies: [0.2, 0.3, 0.5], n: 10, data: ''};
const task = {inputs: [], outputs: [{name: 'y', dtype: 'f32', shape: [1, 3]}], scores: 'logits', variants: ['t/full', 't/int8']};
const manifestWith = (second: object): Manifest =>
  ({
    tasks: {t: task},
    variants: [
      {id: 't/full', task: 't', calibration},
      {id: 't/int8', task: 't', ...second},
    ],
  }) as unknown as Manifest;

test('without calibration there is no prior; what is no answer says nothing', t => {
  const contexts = contextsOf(manifestWith({calibration}), adaptive());
  const before = contexts.prior('t');
  t.deepEqual(before, calibration.frequencies);
  t.is(contexts.prior('u'), null);
  for (const probabilities of [[1, 0], [Number.NaN, 0, 1], [1, 1, 1], [-1, 1, 1], undefined])
    contexts.observe('t', probabilities === undefined ? {} : {probabilities});
  contexts.observe('u', {probabilities: [1]});
  t.is(contexts.prior('t'), before);
  contexts.observe('t', {probabilities: [1, 0, 0]});
  t.true(contexts.prior('t')![0]! > 0.2);
  t.is(contextsOf(manifestWith({}), adaptive()).prior('t'), null);
  t.deepEqual(contextsOf(manifestWith({cascade: {}}), adaptive()).prior('t'), calibration.frequencies);
});

test('an answer counts under the prior that it was given under', t => {
  const [early, late] = [1, 2].map(() => contextsOf(manifestWith({calibration}), adaptive()));
  const first = early!.prior('t');
  for (const contexts of [early!, late!]) for (let i = 0; i < 30; i++) contexts.observe('t', {probabilities: [0.98, 0.01, 0.01]});
  const probabilities = [0.5, 0.25, 0.25];
  early!.observe('t', {probabilities}, first);
  late!.observe('t', {probabilities});
  // Under the usual prior, half is much for a class of a fifth; under that of now, it is little.
  t.true(early!.prior('t')![0]! > late!.prior('t')![0]!);
});

test('a session with contexts corrects answers and is told them; a call that fails is none', async t => {
  const asked: unknown[] = [];
  const run = (name: string, input: unknown, options: {readonly prior?: readonly number[] | null} = {}): Answer => {
    if (input === 'broken') throw new RangeError('broken');
    asked.push(options.prior);
    return {
      label: undefined,
      index: 0,
      ...(name === 't' && {probabilities: Float64Array.of(0.9, 0.05, 0.05)}),
    } as unknown as Answer;
  };
  const session = {run, runAsync: async (...of: Parameters<typeof run>) => run(...of)} as unknown as Session;
  const contexts = contextsOf(manifestWith({calibration}), adaptive());
  const {run: answers, runAsync} = withContexts(session, contexts);
  answers('t', new Float32Array());
  await runAsync('t', new Float32Array());
  answers('u', new Float32Array());
  t.throws(() => answers('t', 'broken' as unknown as Float32Array), {instanceOf: RangeError});
  await t.throwsAsync(runAsync('t', 'broken' as unknown as Float32Array), {instanceOf: RangeError});
  t.deepEqual(asked[0], calibration.frequencies);
  t.true((asked[1] as readonly number[])[0]! > 0.2);
  t.is(asked[2], null);
  t.is(asked.length, 3);
});
