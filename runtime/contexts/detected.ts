/**
 * For comparison: a detector before the same decayed sums. It adds up how much better these explain answers than usual frequencies
 * do (a plug-in CUSUM, Page 1954); past the threshold they are the prior, until the sum has come back to 0.
 */
import type {Rule} from './contexts.js';
import {type LatelyOptions, lately} from './lately.js';
import {explains, likelihoods} from './likelihood.js';

export type DetectedOptions = Partial<LatelyOptions> & {
  /** In nats. Default 6.5: on unskewed streams of 10 to 43 classes about one false alarm in 14,000 answers. */
  readonly threshold?: number;
};

/** `halfLife` is 60 answers and `mass` 10 unless said. */
export const detected =
  ({halfLife = 60, mass = 10, threshold = 6.5}: DetectedOptions = {}): Rule =>
  ({frequencies: usual}) => {
    const recent = lately(usual, {halfLife, mass});
    const likelihood = new Float64Array(usual.length);
    let expected = recent.each();
    let sum = 0;
    let isOn = false;
    let prior = usual;
    return {
      prior: () => prior,
      observe(probabilities, under) {
        likelihoods(probabilities, under, likelihood);
        const gain = Math.log(explains(expected, likelihood) / explains(usual, likelihood));
        // Bounded above, so that the end of a long context is noticed as soon as that of a short one.
        if (Number.isFinite(gain)) sum = Math.min(2 * threshold, Math.max(0, sum + gain));
        isOn = isOn ? sum > 0 : sum >= threshold;
        recent.add(probabilities);
        expected = recent.each();
        prior = isOn ? Array.from(expected) : usual;
      },
    };
  };
