/**
 * The default rule. Three views of what comes next, the usual frequencies, those of late, and a few classes that hold most of late,
 * are each believed as far as they have explained answers (Herbster and Warmuth 1998, "Tracking the best expert", fixed share): the
 * prior is their mean. So there is no threshold, a context is noticed within some ten answers, and where there is none the prior
 * is as usual.
 */
import type {Rule} from './contexts.js';
import {type LatelyOptions, lately} from './lately.js';
import {explains, likelihoods} from './likelihood.js';

export type AdaptiveOptions = Partial<LatelyOptions> & {
  /** How probable it is with each answer that a context begins or ends. Default 0.01. */
  readonly change?: number;
};

/** `halfLife` is 60 answers and `mass` 10 unless said. */
export const adaptive =
  ({halfLife = 60, mass = 10, change = 0.01}: AdaptiveOptions = {}): Rule =>
  ({frequencies: usual}) => {
    const recent = lately(usual, {halfLife, mass});
    const likelihood = new Float64Array(usual.length);
    let [each, few]: readonly ArrayLike<number>[] = [usual, usual];
    const trust = [1 / 3, 1 / 3, 1 / 3] as [number, number, number];
    let prior = usual;

    /** Bayes' rule over the views, which may change places. */
    function judge(): void {
      const earned = [usual, each!, few!].map((view, v) => trust[v]! * explains(view, likelihood));
      const total = earned[0]! + earned[1]! + earned[2]!;
      if (total > 0) for (let v = 0; v < 3; v++) trust[v] = change / 3 + ((1 - change) * earned[v]!) / total;
    }

    return {
      prior: () => prior,
      observe(probabilities, under) {
        likelihoods(probabilities, under, likelihood);
        judge();
        recent.add(probabilities);
        [each, few] = [recent.each(), recent.few()];
        const next = new Array<number>(usual.length);
        for (let c = 0; c < next.length; c++) next[c] = trust[0] * usual[c]! + trust[1] * each[c]! + trust[2] * few[c]!;
        prior = next;
      },
    };
  };
