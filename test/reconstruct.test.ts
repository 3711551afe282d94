/** What fits of whole layers rest on: what is kept of studies, and what is said of networks without labels. */
import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {cacheFolder, keep, recall} from '../compiler/cache.js';
import {type Compared, judge} from '../compiler/reconstruct/judge.js';
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

/** A network that is right as often as it thinks, and one whose scores differ from its own at random. */
function changedBy(noise: number, count: number, seed: number): {readonly pairs: readonly Compared[]; readonly lost: number} {
  const random = randomOf(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random.unit())) * Math.cos(2 * Math.PI * random.unit());
  let lost = 0;
  const pairs = Array.from({length: count}, () => {
    // Most samples are clear, some are not: gaps between scores are as often small as very small.
    const scores = [12 * random.unit(), 12 * random.unit(), 12 * random.unit()];
    const [float, changed] = [softmax(scores), softmax(scores.map(score => score + noise * normal()))];
    lost += Math.max(...float) - float[changed.indexOf(Math.max(...changed))]!;
    return {float, changed};
  });
  return {pairs, lost: (100 * lost) / count};
}

test('what is lost is told from divergence, without labels', t => {
  for (const noise of [0.2, 0.5, 1]) {
    const {pairs, lost} = changedBy(noise, 4000, 3);
    const {loss, most, agreement, samples} = judge(pairs);
    t.true(loss > 0.6 * lost && loss < 1.6 * lost, `${noise}: ${loss} of ${lost}`);
    t.true(most > loss && most < 1.2 * loss && agreement < 1 && samples === 4000);
  }
  const same = judge(changedBy(0, 50, 4).pairs);
  t.like(same, {loss: 0, divergence: 0, agreement: 1});
});

test('few samples tell a range that is mostly wide enough, and wider than that of many', t => {
  const all = Array.from({length: 60}, (_, i) => judge(changedBy(0.7, 16, 10 + i).pairs));
  const {lost} = changedBy(0.7, 20000, 1);
  const covered = all.filter(({most}) => most >= lost).length;
  t.true(covered >= 45, `${covered} of 60`);
  const width = ({most, loss}: {readonly most: number; readonly loss: number}): number => most - loss;
  const middle = all.map(width).sort((a, b) => a - b)[30]!;
  t.true(middle > 3 * width(judge(changedBy(0.7, 800, 2).pairs)));
});
