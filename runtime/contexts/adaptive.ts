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
    let views: readonly ArrayLike<number>[] = [usual, usual, usual];
    let trust: readonly number[] = views.map(() => 1 / views.length);
    let prior = usual;
    return {
      prior: () => prior,
      observe(probabilities, under) {
        likelihoods(probabilities, under, likelihood);
        const earned = views.map((view, v) => trust[v]! * explains(view, likelihood));
        const total = earned.reduce((sum, value) => sum + value, 0);
        if (total > 0) trust = earned.map(value => change / views.length + ((1 - change) * value) / total);
        recent.add(probabilities);
        views = [usual, recent.each(), recent.few()];
        prior = Object.freeze(usual.map((_, c) => views.reduce((sum, view, v) => sum + trust[v]! * view[c]!, 0)));
      },
    };
  };
