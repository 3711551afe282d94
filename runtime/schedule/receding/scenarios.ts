/**
 * A forecast by scenarios: parts of the time with a connection, times how busy the rest of the day may be.
 */
import type {Setting} from '../policy.js';
import type {Problem} from '../problem.js';
import type {State} from '../state.js';
import {newArrivals} from './arrivals.js';
import type {Forecast, Scenario} from './forecast.js';
import {newLink} from './link.js';

const parts = 7;
export const knobs: Record<string, number> = {floor: 3600, surge: 3, surgeWeight: 0.1, lull: 0.3, lullWeight: 0.1, declaredWeight: 0.3, recentWeight: 0.2};
for (const [k, v] of Object.entries(JSON.parse(process.env['KNOBS'] ?? '{}'))) knobs[k] = v as number;

export function scenarioForecast(problem: Problem, {day}: Setting): Forecast {
  const {kinds} = problem;
  const arrivals = newArrivals(problem);
  const link = newLink();
  const weights = new Float64Array(parts);
  const scenarios: readonly Scenario[] = Array.from({length: 5 * parts}, () => ({
    weight: 0,
    counts: new Float64Array(2 * kinds.length),
  }));
  const rates = new Float64Array(kinds.length);
  const remaining = ({time}: State): number => Math.max(day - time, knobs['floor']!);

  return {
    arrived: ({time}, kind) => arrivals.arrived(time, kind),
    linkChanged: state => link.linkChanged(state),
    remaining,
    scenarios(state) {
      const horizon = remaining(state);
      link.weights(state, horizon, weights);
      let mean = 0;
      for (let k = 0; k < kinds.length; k++) {
        rates[k] = arrivals.rate(state.time, k, horizon);
        mean += Math.abs(Math.log(arrivals.average(state.time, k) / Math.max(1e-9, kinds[k]!.rate))) / kinds.length;
      }
      const plausible = Math.exp(-((Math.max(0, mean - Math.log(2)) / 0.3) ** 2));
      const late = Math.min(1, Math.max(0, day - state.time) / (0.2 * day));
      const busy = 1 + (knobs['surge']! - 1) * late;
      const w = [0, knobs['surgeWeight']!, knobs['lullWeight']!, knobs['declaredWeight']! * plausible, knobs['recentWeight']!];
      w[0] = 1 - w.reduce((a, b) => a + b, 0);
      for (let s = 0; s < scenarios.length; s++) {
        const scenario = scenarios[s]!;
        const way = Math.floor(s / parts);
        const part = ((s % parts) + 0.5) / parts;
        scenario.weight = weights[s % parts]! * w[way]!;
        for (let k = 0; k < kinds.length; k++) {
          const average = arrivals.average(state.time, k);
          const rate = way === 0 ? rates[k]! : way === 1 ? Math.max(rates[k]!, busy * average) : way === 2 ? knobs['lull']! * rates[k]! : way === 3 ? Math.max(0.1 * kinds[k]!.rate, (kinds[k]!.rate * day - arrivals.seen(k)) / Math.max(day - state.time, 1800)) : arrivals.recently(state.time, k);
          const count = Math.max(rate * horizon, 1e-3);
          scenario.counts[2 * k] = count * (1 - part);
          scenario.counts[2 * k + 1] = count * part;
        }
      }
      return scenarios.filter(({weight}) => weight > 1e-6);
    },
    details: () => Object.fromEntries(kinds.map(({name}, k) => [`${name} per second`, rates[k]!])),
  };
}
