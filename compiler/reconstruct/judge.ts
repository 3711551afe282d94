/** How far a changed network is from the float one, on samples without labels. */
import {largestOf} from '../evaluate-variant.js';
import type {Network} from './network.js';
import type {Sample} from './samples.js';

export type Judgement = {
  /** Mean divergence of the classes' probabilities, in nats: KL(float || changed). */
  readonly divergence: number;
  /** The part of the samples whose label is the same, from 0 to 1. */
  readonly agreement: number;
  /** Percentage points of right answers that are lost, if the float network is right as often as it thinks. */
  readonly loss: number;
};

/** Of the network with the weights that it has now, against probabilities that the float network gave. */
export function judge(network: Network, samples: readonly Sample[], float: readonly Float64Array[]): Judgement {
  let [divergence, agreement, loss] = [0, 0, 0];
  samples.forEach(({input}, i) => {
    const [p, q] = [float[i]!, network.probabilities(input)];
    const [own, other] = [largestOf(p), largestOf(q)];
    p.forEach((probability, c) => {
      if (probability > 0) divergence += probability * Math.log(probability / Math.max(q[c]!, 1e-30));
    });
    agreement += own === other ? 1 : 0;
    loss += p[own]! - p[other]!;
  });
  const n = Math.max(1, samples.length);
  return {divergence: Math.max(0, divergence / n), agreement: agreement / n, loss: (100 * loss) / n};
}

/** Rounded, for reports: points, percent, nats. */
export const estimateOf = ({loss, agreement, divergence}: Judgement): Judgement => ({
  loss: Number(loss.toFixed(2)),
  agreement: Number((100 * agreement).toFixed(2)),
  divergence: Number(divergence.toPrecision(3)),
});
