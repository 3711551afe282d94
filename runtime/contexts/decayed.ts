/** For comparison: what came lately, never doubted. Noise of the sums costs a little accuracy where there is no context. */
import type {Rule} from './contexts.js';
import {type LatelyOptions, lately} from './lately.js';

/** `halfLife` is 60 answers and `mass` 10 unless said. */
export const decayed =
  ({halfLife = 60, mass = 10}: Partial<LatelyOptions> = {}): Rule =>
  ({frequencies: usual}) => {
    const recent = lately(usual, {halfLife, mass});
    let prior = usual;
    return {
      prior: () => prior,
      observe(probabilities) {
        recent.add(probabilities);
        prior = Array.from(recent.each());
      },
    };
  };
