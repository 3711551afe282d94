/** What fits of whole layers rest on: what is kept of studies, and what is said of networks without labels. */
import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {cacheFolder, keep, recall} from '../compiler/cache.js';
import {largestOf} from '../compiler/evaluate-variant.js';
import {sound} from '../compiler/recipes/shrink.js';
import type {Compared} from '../compiler/reconstruct/expected-loss.js';
import {judge} from '../compiler/reconstruct/judge.js';
import type {Module} from '../ir/types.js';
import {temporaryFolder} from './support/temporary.js';
import {randomOf} from './support/tensors.js';

test.serial('what is kept is there again, under its own key; what is damaged is not there', t => {
  const before = process.env.XDG_CACHE_HOME;
  process.env.XDG_CACHE_HOME = temporaryFolder();
  try {
    keep('studies', 'a\nnetwork', {options: [[1.5, null]]});
    t.deepEqual(recall('studies', 'a\nnetwork'), {options: [[1.5, null]]});
    t.is(recall('studies', 'another'), undefined);
    const folder = cacheFolder('studies');
    const [name] = readdirSync(folder) as [string];
    const bytes = readFileSync(join(folder, name));
    writeFileSync(join(folder, name), bytes.with(-4, bytes.at(-4)! ^ 1));
    t.is(recall('studies', 'a\nnetwork'), undefined);
    writeFileSync(join(folder, name), bytes.subarray(0, 20));
    t.is(recall('studies', 'a\nnetwork'), undefined);
    writeFileSync(join(folder, name), 'null');
    t.is(recall('studies', 'a\nnetwork'), undefined);
  } finally {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
  }
});

const softmax = (scores: readonly number[]): Float64Array => {
  const powers = scores.map(Math.exp);
  const sum = powers.reduce((total, power) => total + power, 0);
  return Float64Array.from(powers, power => power / sum);
};

/**
 * A network that is right as often as its scores divided by `surer` say, and one whose scores are `scale` times its own and differ at
 * random. Most samples are clear, some are not: gaps between the largest score and the next one are half of a normal distribution.
 */
function changedBy(noise: number, count: number, seed: number, {scale = 1, width = 6, surer = 1.25} = {}) {
  const random = randomOf(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random.unit())) * Math.cos(2 * Math.PI * random.unit());
  let lost = 0;
  const pairs = Array.from({length: count}, (): Compared => {
    const scores = [0, -4 - 8 * random.unit(), -4 - 8 * random.unit(), Math.abs(width * normal())];
    const float = softmax(scores);
    const changed = softmax(scores.map(score => scale * score + noise * normal()));
    const labels = softmax(scores.map(score => score / surer));
    lost += Math.max(...labels) - labels[largestOf(changed)]!;
    return {float, changed};
  });
  return {pairs, lost: (100 * lost) / count};
}

const judged = (pairs: readonly Compared[]) =>
  judge(
    pairs,
    pairs.map(({float}) => float),
  );

test('what is lost is told without labels', t => {
  for (const noise of [0.3, 0.7, 1.5]) {
    const {pairs, lost} = changedBy(noise, 20000, 3);
    const {loss, most, agreement, samples} = judged(pairs);
    t.true(loss > 0.85 * lost && loss < 1.15 * lost, `${noise}: ${loss} of ${lost}`);
    t.true(most > loss && most < 1.1 * loss && agreement < 1 && samples === 20000);
  }
  t.like(judged(changedBy(0, 50, 4).pairs), {loss: 0, divergence: 0, agreement: 1});
  t.like(judge([], []), {loss: 0, most: 0, agreement: 1});
});

test('a network that is less sure, and gives the same answers, loses nothing', t => {
  const {loss, divergence} = judged(changedBy(0, 200, 5, {scale: 0.7}).pairs);
  t.true(divergence > 0.01 && loss < 1e-6, `${loss}`);
});

test('a network that has nothing to do with the float one loses nearly half of what two classes can', t => {
  for (const scale of [0, -1]) {
    const {loss} = judged(changedBy(3, 400, 8, {scale}).pairs);
    t.true(loss > 35 && loss < 50, `${scale}: ${loss}`);
  }
});

test('samples that were fitted to tell how near other labels are', t => {
  const {pairs} = changedBy(0.7, 200, 6);
  const clear = changedBy(0, 800, 7, {width: 24}).pairs.map(({float}) => float);
  t.true(judge(pairs, pairs.map(({float}) => float).concat(clear)).loss < 0.5 * judged(pairs).loss);
});

test('few samples tell a range that is mostly wide enough, and wider than that of many', t => {
  const all = Array.from({length: 60}, (_, i) => judged(changedBy(0.7, 16, 10 + i).pairs));
  const {lost} = changedBy(0.7, 20000, 1);
  const covered = all.filter(({most}) => most >= lost).length;
  t.true(covered >= 45, `${covered} of 60`);
  const width = ({most, loss}: {readonly most: number; readonly loss: number}): number => most - loss;
  const middle = all.map(width).sort((a, b) => a - b)[30]!;
  t.true(middle > 3 * width(judged(changedBy(0.7, 800, 2).pairs)));
});

test('a fifth held out tells the loss more exactly than the divergence', t => {
  const all = Array.from({length: 60}, (_, i) => {
    const {pairs} = changedBy(1, 200, 100 + i, {width: 10});
    return judge(
      pairs.slice(0, 40),
      pairs.map(({float}) => float),
    );
  });
  const spreadOf = (values: readonly number[]): number => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) / mean;
  };
  const [losses, divergences] = [spreadOf(all.map(({loss}) => loss)), spreadOf(all.map(({divergence}) => divergence))];
  t.true(losses < 0.6 * divergences, `${losses}, ${divergences}`);
});

/** A network that saves up to a twentieth of its cost, at so many nats per part saved, and diverges just by what is expected. */
const savingLittle = (nats: number) => ({
  at: ({share, harm}: {readonly share: number; readonly harm: number}) => {
    const saved = Math.min(1 - share, 0.05, harm / nats);
    const divergence = saved * nats;
    return {
      judge: () => ({divergence, agreement: 1, loss: 0, most: 0, samples: 100}),
      expected: {share: 1 - saved, harm: divergence, uniform: null},
      changed: saved > 0 ? ['layer'] : [],
      extend: (module: Module) => module,
      explain: () => [],
    };
  },
});

test('what little can be saved is not bought with what much would be worth', t => {
  t.deepEqual(sound(savingLittle(2), 0.6).smaller.changed, [], 'a tenth of a nat for a twentieth of the cost');
  t.deepEqual(sound(savingLittle(0.4), 0.6).smaller.changed, ['layer']);
});
