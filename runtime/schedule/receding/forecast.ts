/** What may still come: a few weighted scenarios, each with a count of requests per class (see `Filled` in hulls.ts). */
import {countsOf} from '../bounds.js';
import type {Future} from '../policy.js';
import type {State} from '../state.js';

export type Scenario = {weight: number; readonly counts: Float64Array};

export type Forecast = {
  arrived(state: State, kind: number): void;
  linkChanged(state: State): void;
  /** Overwritten by the next call. Weights sum to 1. */
  scenarios(state: State): readonly Scenario[];
  /** Seconds for which idle energy is to be kept. */
  remaining(state: State): number;
  details(): {readonly [name: string]: number};
};

/** The future as it is: for the oracle. */
export function knownForecast(future: Future, day: number): Forecast {
  const counts = countsOf(future);
  const scenarios = [{weight: 1, counts}];
  // The request that has just arrived is part of what is to be served, until the next one.
  let current = -1;
  return {
    arrived({connected}, kind) {
      if (current >= 0) counts[current]! -= 1;
      current = 2 * kind + (connected ? 1 : 0);
    },
    linkChanged() {},
    scenarios: () => scenarios,
    remaining: ({time}) => Math.max(0, day - time),
    details: () => ({}),
  };
}
