/** The arithmetic of cascades on outputs that are made up: re-weighting, thresholds, and who may serve a context. */
import test from 'ava';
import {bothUnder, chooseThreshold, macsOf, poolOf, speedOf, tradeAt} from '../compiler/specialize/cascade.js';
import type {Seen, Stage} from '../compiler/specialize/stage.js';
import {answersUnder} from '../compiler/specialize/stage.js';
import {classesToDraw, drawContexts, planner, winnow} from '../compiler/specialize/winnow.js';
import {frequenciesIn, posterior} from '../runtime/index.js';
import {randomOf} from './support/tensors.js';

const classes = 5;
const flat = {temperature: 1, frequencies: new Array<number>(classes).fill(1 / classes)};
const stage = (id: string, macs: number, more: Partial<Stage> = {}): Stage => ({
  ...{id, kind: 'logits' as const, calibration: flat, macs, sharedMacs: 0, time: null, lacks: []},
  ...more,
});

/** Logits that point at the label, more or less. */
function seen(count: number, clearness: number, seed: number): Seen {
  const random = randomOf(seed);
  const labels = Array.from({length: count}, (_, i) => (i * 3) % classes);
  const scores = Float32Array.from({length: count * classes}, (_, i) => {
    const isLabel = i % classes === labels[Math.floor(i / classes)];
    return (isLabel ? clearness : 0) + 4 * random.unit();
  });
  return {scores, labels, classes};
}

const weak = seen(500, 2, 1);
const strong = seen(500, 4, 2);
const [first, last] = [stage('weak', 10), stage('strong', 100)];
const context = {classes: [1, 3], share: 0.9};
const frequencies = frequenciesIn(context.classes, context.share, classes);

test('answers under a prior are those of the posterior', t => {
  const halved = stage('weak', 1, {calibration: {temperature: 2, frequencies: [0.1, 0.2, 0.3, 0.2, 0.2]}});
  const {answer, sure} = answersUnder(halved, weak, frequencies);
  const shift = frequencies.map((frequency, c) => Math.log(frequency / halved.calibration.frequencies[c]!));
  for (let i = 0; i < 50; i++) {
    const sample = weak.scores.subarray(i * classes, (i + 1) * classes);
    const probabilities = posterior(sample, {scores: 'logits', temperature: 2, shift});
    t.true(Math.abs(probabilities[answer[i]!]! - sure[i]!) < 1e-6);
    t.is(Math.max(...probabilities), probabilities[answer[i]!]!);
  }
});

test('a trade is what a stream drawn from the samples would give', t => {
  const both = bothUnder(frequencies, [first, weak], [last, strong], 'raw');
  const trade = tradeAt(0.8, both, frequencies);
  const totals = {right: 0, alone: 0, reference: 0};
  for (let c = 0; c < classes; c++) {
    const its = both.labels.flatMap((label, i) => (label === c ? [i] : []));
    const mean = (of: (i: number) => boolean): number => its.filter(of).length / its.length;
    const isSure = (i: number): boolean => both.first.sure[i]! >= 0.8;
    totals.right += frequencies[c]! * mean(i => (isSure(i) ? both.first : both.last).answer[i] === c);
    totals.alone += frequencies[c]! * mean(isSure);
    totals.reference += frequencies[c]! * mean(i => both.reference[i] === c);
  }
  t.true(Math.abs(trade.accuracy - totals.right) < 1e-9);
  t.true(Math.abs(trade.alone - totals.alone) < 1e-9);
  t.true(Math.abs(trade.reference - totals.reference) < 1e-9);
  t.true(Math.abs(macsOf(first, last, trade.alone) - (10 + (1 - trade.alone) * 100)) < 1e-9);
  t.is(speedOf(stage('a', 10, {time: 1}), stage('b', 100, {time: 4}), 0.5), 4 / 3);
});

test('a class without samples takes what random contexts say', t => {
  const pool = poolOf(drawContexts([0, 1, 2, 3], 2, 0.9, 8, 'pool'), [first, weak], [last, strong], 'corrected');
  const without = {...weak, labels: weak.labels.map(label => (label === 1 ? 2 : label))};
  const both = bothUnder(frequencies, [first, without], [last, {...strong, labels: without.labels}], 'corrected');
  const {alone} = tradeAt(0.8, both, frequencies, {of: pool, context});
  const onlyThree = tradeAt(0.8, both, [0, 0, 0, 1, 0], {of: pool, context}).alone;
  const onlyOne = tradeAt(0.8, both, [0, 1, 0, 0, 0], {of: pool, context}).alone;
  t.true(Math.abs(onlyOne - pool.get(0.8)!.inside.alone) < 1e-9);
  t.true(Math.min(onlyOne, onlyThree) - 0.1 < alone);
});

test('thresholds: the least that keeps a loss, or the most accurate of the fast', t => {
  const trades = new Map([0.3, 0.5, 0.8, 0.9].map((threshold, i) => [threshold, [0.7, 0.92, 0.89, 0.9][i]!]));
  const trade = (threshold: number) => ({
    ...{threshold, alone: 1 - threshold, reference: 0.9, error: 0.001},
    accuracy: trades.get(threshold) ?? (threshold < 0.5 ? 0.7 : 0.9),
  });
  t.is(chooseThreshold(trade, {loss: 0.005}, () => 1)?.threshold, 0.85);
  t.is(chooseThreshold(trade, {loss: 0.02}, () => 1)?.threshold, 0.5);
  t.is(
    chooseThreshold(trade, {loss: 0}, () => 1),
    null,
  );
  t.is(chooseThreshold(trade, {speed: 2}, ({alone}) => 1 + 2 * alone)?.threshold, 0.5);
  t.is(
    chooseThreshold(trade, {speed: 9}, ({alone}) => 1 + 2 * alone),
    null,
  );
});

test('the fastest stage that meets the goal is chosen; one that lacks classes serves nobody who needs them', t => {
  const candidates = (lacks: readonly number[]) => [
    {stage: stage('weak', 10, {lacks}), tune: weak, evaluate: weak},
    {stage: stage('slow', 90), tune: strong, evaluate: strong},
  ];
  const general = {stage: last, tune: strong, evaluate: strong};
  const goal = {reference: 'corrected', wanted: {loss: 0.05}} as const;
  const {best, measured, corrected} = planner(general, candidates([]), goal).plan(context);
  t.is(best?.first.id, 'weak');
  t.true(measured!.accuracy >= corrected - 0.06 && measured!.speed > 2);
  t.not(planner(general, candidates([1]), goal).plan(context).best?.first.id, 'weak');
  t.not(planner(general, candidates([0]), goal).plan(context).best?.first.id, 'weak');
  t.is(planner(general, candidates([0]), goal).plan({...context, share: 0.97}).best?.first.id, 'weak');
  const cells = winnow(planner(general, candidates([]), goal), strong.labels, 3);
  t.deepEqual(
    cells.map(cell => `${cell.classes} ${cell.share}`),
    [2, 3].flatMap(n => [0.6, 0.7, 0.8, 0.9, 0.95].map(share => `${n} ${share}`)),
  );
  const speeds = cells.map(({draws}) => draws.reduce((sum, {best: plan}) => sum + (plan?.speed ?? 1), 0));
  t.true(speeds[4]! > speeds[0]!);
});

test('contexts are drawn alike in every run, from classes that have samples', t => {
  const draws = drawContexts([1, 2, 3, 4, 5, 6], 3, 0.8, 20, 'grid');
  t.deepEqual(draws, drawContexts([1, 2, 3, 4, 5, 6], 3, 0.8, 20, 'grid'));
  for (const {classes: drawn} of draws) t.is(new Set(drawn).size, 3);
  t.true(new Set(draws.map(({classes: drawn}) => String([...drawn].sort()))).size > 10);
  const labels = [0, 1, 2, 3].flatMap(c => new Array<number>(c === 3 ? 2 : 12).fill(c));
  t.deepEqual(classesToDraw(labels), [0, 1, 2]);
});
