/**
 * Where memory cannot hold one variant per task, variants come and go. Then a use is charged its part of a load: how often the
 * variant that answered last is gone when the next request of its kind comes, as seen lately.
 */
import type {Problem} from '../problem.js';
import type {State} from '../state.js';

export type Paging = {
  /** A request of a kind arrives. */
  arrived(state: State, kind: number): void;
  /** It is answered by this option. */
  served(kind: number, option: number): void;
  /** Part of the uses of a kind that must load. */
  missRate(kind: number): number;
  /** Fills in energies with their part of loads, by option of all kinds. */
  charge(executions: Float64Array, into: Float64Array): void;
};

/** Before anything is seen, and how much each request changes it. */
const firstRate = 0.5;
const step = 0.02;

export function newPaging({kinds, segments}: Problem): Paging {
  const rates = new Float64Array(kinds.length).fill(firstRate);
  const lastOption = new Int32Array(kinds.length).fill(-1);
  const loads = kinds.map(({options}) =>
    options.map(option => option.segments.reduce((sum, s) => sum + segments[s]!.loadEnergy, 0)),
  );
  return {
    arrived({resident}, kind) {
      const option = kinds[kind]!.options[lastOption[kind]!];
      if (!option || option.segments.length === 0) return;
      const isGone = option.segments.some(s => resident[s] === 0);
      rates[kind]! += step * ((isGone ? 1 : 0) - rates[kind]!);
    },
    served(kind, option) {
      if (kinds[kind]!.options[option]!.segments.length > 0) lastOption[kind] = option;
    },
    missRate: kind => rates[kind]!,
    charge(executions, into) {
      let at = 0;
      for (let k = 0; k < kinds.length; k++)
        for (const load of loads[k]!) {
          into[at] = executions[at]! + rates[k]! * load;
          at++;
        }
    },
  };
}
