/** How far a changed network is from the float one, on samples without labels that no fit has seen. */
import {largestOf} from '../evaluate-variant.js';
import type {Network} from './network.js';
import type {Sample} from './samples.js';

export type Judgement = {
  /** Mean divergence of the classes' probabilities, in nats: KL(float || changed). */
  readonly divergence: number;
  /** The part of the samples whose label is the same, from 0 to 1. */
  readonly agreement: number;
  /** Percentage points of right answers that are lost. */
  readonly loss: number;
  /** As much is not exceeded, in 19 of 20 draws of samples. */
  readonly most: number;
  readonly samples: number;
};

/** Probabilities of the classes: of the float network and of the changed one. */
export type Compared = {readonly float: Float64Array; readonly changed: Float64Array};

/** Of the network with the weights that it has now; `float`: what the float network gave, by the samples' numbers. */
export const compared = (network: Network, samples: readonly Sample[], float: readonly Float64Array[]): readonly Compared[] =>
  samples.map(({input, number}) => ({float: float[number]!, changed: network.probabilities(input)}));

/**
 * What a sample loses, from 0 to 1. Few samples, or none, get another label, and counting these tells nothing of the rest; divergence
 * tells something of each. Where the gap between the two largest scores is as often small as very small, and changes of it are
 * small with variance v, the mean divergence is f v / 4 nats, where f is how dense gaps are at zero, and f v / 8 of all answers
 * are lost, if the float network is right as often as it thinks: half of the nats. No sample loses more than itself.
 */
const lossOf = (nats: number): number => 1 - Math.exp(-nats / 2);

export const divergenceOfScores = (pairs: readonly Compared[]): number => meanOf(pairs.map(divergence));

export function judge(pairs: readonly Compared[]): Judgement {
  const n = pairs.length;
  const same = pairs.filter(({float, changed}) => largestOf(float) === largestOf(changed)).length;
  const each = pairs.map(divergence);
  const losses = each.map(lossOf);
  const loss = meanOf(losses);
  const error = Math.sqrt(meanOf(losses.map(value => (value - loss) ** 2)) / Math.max(1, n - 1));
  return {
    ...{divergence: meanOf(each), agreement: n > 0 ? same / n : 1, samples: n},
    ...{loss: 100 * loss, most: 100 * Math.min(1, loss + studentOf(n - 1) * error)},
  };
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
