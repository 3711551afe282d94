/** How far a changed network is from the float one, on samples without labels that no fit has seen. */
import {largestOf} from '../evaluate-variant.js';
import {type Compared, expectedLoss} from './expected-loss.js';
import type {Network} from './network.js';
import type {Sample} from './samples.js';

export type Judgement = {
  /** Mean divergence of the classes' probabilities, in nats: KL(float || changed). */
  readonly divergence: number;
  /** The part of the samples whose label is the same, from 0 to 1. */
  readonly agreement: number;
  /** Percentage points of right answers that are expected to be lost. */
  readonly loss: number;
  /** As much is not exceeded, in 19 of 20 draws of samples. */
  readonly most: number;
  readonly samples: number;
};

/** Of the network with the weights that it has now; `float`: what the float network gave, by the samples' numbers. */
export const compared = (network: Network, samples: readonly Sample[], float: readonly Float64Array[]): readonly Compared[] =>
  samples.map(({input, number}) => ({float: float[number]!, changed: network.probabilities(input)}));

export const divergenceOfScores = (pairs: readonly Compared[]): number => meanOf(pairs.map(divergence));

/** In so many parts, if there are as many samples, each of which is left out once. */
const mostParts = 10;

/** `float`: probabilities that the float network gives these samples and those that were fitted to. */
export function judge(pairs: readonly Compared[], float: readonly Float64Array[]): Judgement {
  const n = pairs.length;
  const same = pairs.filter(pair => largestOf(pair.float) === largestOf(pair.changed)).length;
  const loss = expectedLoss(pairs, float);
  const parts = Math.min(mostParts, n);
  const error = jackknife(parts, part => expectedLoss(without(pairs, part, parts), without(float, part, parts)));
  return {
    ...{divergence: divergenceOfScores(pairs), agreement: n > 0 ? same / n : 1, samples: n},
    ...{loss: 100 * loss, most: 100 * Math.min(1, loss + studentOf(parts - 1) * error)},
  };
}

const without = <T>(all: readonly T[], part: number, parts: number): readonly T[] => all.filter((_, i) => i % parts !== part);

/** The standard error of what is found out from all samples, by what is found out without a part of them (Tukey 1958). */
function jackknife(parts: number, lossWithout: (part: number) => number): number {
  const losses = Array.from({length: parts}, (_, part) => lossWithout(part));
  const mean = meanOf(losses);
  return Math.sqrt((parts - 1) * meanOf(losses.map(loss => (loss - mean) ** 2)));
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

function divergence({float, changed}: Compared): number {
  let sum = 0;
  float.forEach((p, c) => {
    if (p > 0) sum += p * Math.log(p / Math.max(changed[c]!, 1e-30));
  });
  return Math.max(0, sum);
}

/** The 95th percentile of Student's t: exact to a percent from 3 degrees of freedom on (Cornish and Fisher's expansion). */
function studentOf(freedom: number): number {
  const [z, f] = [1.6449, Math.max(1, freedom)];
  return z + (z ** 3 + z) / (4 * f) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * f ** 2);
}

/** Rounded, for reports: points, percent, nats. */
export const estimateOf = ({loss, agreement, divergence, most}: Judgement) => ({
  loss: Number(loss.toFixed(2)),
  most: Number(most.toFixed(2)),
  agreement: Number((100 * agreement).toFixed(2)),
  divergence: Number(divergence.toPrecision(3)),
});
