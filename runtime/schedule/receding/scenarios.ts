/**
 * A forecast by scenarios: parts of the rest of the day that have a connection, times how busy the rest may be. A request is served
 * by mean prices over them, so what is kept for busy times and long days is weighed against what quiet and short ones would waste.
 */
import type {Setting} from '../policy.js';
import type {Problem} from '../problem.js';
import type {State} from '../state.js';
import {newArrivals} from './arrivals.js';
import type {Forecast, Scenario} from './forecast.js';
import {newLink} from './link.js';

/** Probabilities of a busier and of a quieter rest of the day, and by which factors. */
const surge = {chance: 0.1, factor: 2};
const lull = {chance: 0.1, factor: 0.3};
/** How much of what is left is given to the declared average of the day, as long as it is believed. */
const declaredPart = 0.85;
/** Probability of an early and of a late end, for a doubt of a factor of 2 or more. */
const otherEnd = 0.25;
/** A day that should have ended by now may go on for this part of the planned rest. */
const overdue = 0.1;
/** Seconds of the day that are always taken to be left, and at most so much of a short one. */
const longestLeast = 3600;
const leastPart = 0.1;

/** How busy the rest of the day is: `seen` as it was, `declared` so that the day's average comes out as declared. */
const ways = ['seen', 'declared', 'surge', 'lull', 'short', 'long'] as const;

export function scenarioForecast(problem: Problem, {day, dayDoubt = 1}: Setting): Forecast {
  const {kinds} = problem;
  const leastHorizon = Math.min(longestLeast, leastPart * day);
  const arrivals = newArrivals(problem);
  const link = newLink();
  const scenarios: Scenario[] = [];
  const rows = ways.map(way => {
    const parts = way === 'seen' || way === 'declared' ? 7 : 4;
    const row = Array.from({length: parts}, (): Scenario => ({weight: 0, counts: new Float64Array(2 * kinds.length)}));
    scenarios.push(...row);
    return {way, row, weights: new Float64Array(parts)};
  });
  const rates = new Float64Array(kinds.length);
  const remaining = ({time}: State): number => Math.max(day - time, leastHorizon);
  const doubt = Math.min(1, Math.log2(dayDoubt));

  /** Probability of each way. A declared average that is far from what is seen is not believed. */
  const weightOf = (time: number): Readonly<Record<(typeof ways)[number], number>> => {
    let off = 0;
    for (let k = 0; k < kinds.length; k++)
      if (kinds[k]!.rate > 0) off = Math.max(off, Math.abs(Math.log(arrivals.average(time, k) / kinds[k]!.rate)));
    const belief = Math.exp(-((Math.max(0, off - Math.LN2) / 0.3) ** 2));
    const short = otherEnd * doubt;
    const rest = 1 - 2 * short - surge.chance - lull.chance;
    const declared = declaredPart * belief * rest;
    return {short, long: short, surge: surge.chance, lull: lull.chance, declared, seen: rest - declared};
  };

  /** Requests of a kind until the end of the day. */
  const countOf = (way: (typeof ways)[number], k: number, time: number, horizon: number): number => {
    const rate = rates[k]!;
    switch (way) {
      case 'seen':
        return rate * horizon;
      case 'declared': {
        const {rate: declared} = kinds[k]!;
        const left = (declared * day - arrivals.seen(k)) / Math.max(day - time, leastHorizon / 2);
        return Math.max(0.1 * declared, left) * horizon;
      }
      case 'surge': {
        const late = Math.min(1, Math.max(0, day - time) / (0.2 * day));
        return Math.max(rate, (1 + (surge.factor - 1) * late) * arrivals.average(time, k)) * horizon;
      }
      case 'lull':
        return lull.factor * rate * horizon;
      case 'short':
        return rate * Math.max(day / dayDoubt - time, overdue * horizon);
      case 'long':
        return rate * Math.max(dayDoubt * day - time, horizon);
      default:
        return way satisfies never;
    }
  };

  return {
    arrived: ({time}, kind) => arrivals.arrived(time, kind),
    linkChanged: state => link.linkChanged(state),
    remaining,
    scenarios(state) {
      const {time} = state;
      const horizon = remaining(state);
      for (let k = 0; k < kinds.length; k++) rates[k] = arrivals.rate(time, k, horizon);
      const weight = weightOf(time);
      for (const {way, row, weights} of rows) {
        if (weight[way] <= 0) {
          for (const scenario of row) scenario.weight = 0;
          continue;
        }
        link.weights(state, horizon, weights);
        for (let i = 0; i < row.length; i++) row[i]!.weight = weight[way] * weights[i]!;
        for (let k = 0; k < kinds.length; k++) {
          const count = Math.max(countOf(way, k, time, horizon), 1e-3);
          for (let i = 0; i < row.length; i++) {
            const part = (i + 0.5) / row.length;
            row[i]!.counts[2 * k] = count * (1 - part);
            row[i]!.counts[2 * k + 1] = count * part;
          }
        }
      }
      return scenarios.filter(({weight}) => weight > 1e-6);
    },
    details: () => Object.fromEntries(kinds.map(({name}, k) => [`${name} per second`, rates[k]!])),
  };
}
