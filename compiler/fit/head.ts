/** A head whose strength of L2 is chosen on samples that it was not fitted to. */
import {classesOf, type FitOptions, fitting, gather, type Linear, type Samples} from './logistic.js';

export type FittedHead = {
  readonly linear: Linear;
  readonly lambda: number;
  /** Percent of right answers on the fifth of the samples that lambda was chosen on, before the last fit to all of them. */
  readonly heldOut: number;
  readonly seconds: number;
};

/** L2 that is tried; the best on held-out samples is taken. */
const lambdas = [1e-1, 1e-2, 1e-3] as const;

export type HeadOptions = Pick<FitOptions, 'loss'> & {
  /** Classes count alike, however many samples each has. Default: samples do. */
  readonly balance?: boolean;
};

export function fitHead(samples: Samples, classes: number, {loss, balance = false}: HeadOptions = {}): FittedHead {
  const started = performance.now();
  const options = (labels: readonly number[]): FitOptions => ({
    ...(loss && {loss}),
    ...(balance && {classWeights: balancedWeights(labels, classes)}),
  });
  const {labels} = samples;
  // One sample in five, whatever their order.
  const held = labels.map((_, i) => Math.imul(i, 0x9e3779b1) >>> 0 < 0x33333333);
  const [inside, unseen] = [rowsOf(samples, i => !held[i]), rowsOf(samples, i => held[i] === true)];
  const trial = fitting(inside, classes, options(inside.labels));
  const tried = lambdas.map(lambda => {
    const answers = classesOf(trial.fit(lambda), unseen);
    return {lambda, correct: answers.filter((answer, i) => answer === unseen.labels[i]).length};
  });
  const {lambda, correct} = tried.reduce((best, each) => (each.correct > best.correct ? each : best));
  return {
    linear: fitting(samples, classes, options(labels)).fit(lambda),
    lambda,
    heldOut: Number(((100 * correct) / Math.max(1, unseen.labels.length)).toFixed(2)),
    seconds: Number(((performance.now() - started) / 1000).toFixed(3)),
  };
}

function balancedWeights(labels: readonly number[], classes: number): readonly number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]! += 1;
  return counts.map(count => 1 / Math.max(1, count));
}

function rowsOf({features, width, labels}: Samples, keep: (i: number) => boolean): Samples {
  const rows = labels.flatMap((_, i) => (keep(i) ? [i] : []));
  return {features: gather(features, width, rows), width, labels: rows.map(i => labels[i]!)};
}

/** Classes that no label names: a head that is fitted to these hardly ever answers with them. */
export function classesWithout(labels: readonly number[], classes: number): readonly number[] {
  const seen = new Set(labels);
  return Array.from({length: classes}, (_, c) => c).filter(c => !seen.has(c));
}

/** Those of heads, from shallow to deep, that are better than all shallower ones. */
export const worthTheirDepth = <T>(heads: readonly T[], heldOut: (head: T) => number): readonly T[] =>
  heads.filter((head, i) => heads.slice(0, i).every(shallower => heldOut(shallower) < heldOut(head)));
