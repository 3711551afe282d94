/** A day in equal slices, for pictures: sums per slice, however long the trace is. */
import type {Decision} from '../schedule/decision.js';
import type {Problem} from '../schedule/problem.js';
import type {Limits} from '../schedule/state.js';

export type Slice = {
  requests: number;
  /** Answers that were asked for, and the sum of their accuracies in percent. */
  results: number;
  accuracy: number;
  device: number;
  cloud: number;
  split: number;
  /** Requests that came while there was a connection. */
  connected: number;
  /** Parts of the budgets that are left at its end, from 0 to 1. */
  energyLeft: number;
  moneyLeft: number;
  dataLeft: number;
  /** By kind and variant: how many requests it answered. */
  readonly variants: Map<string, number>;
};

export type Timeline = {readonly slices: readonly Slice[]; see(decision: Decision): void};

export function timeline({kinds}: Problem, limits: Limits, length: number, count: number): Timeline {
  const slices = Array.from(
    {length: count},
    (): Slice => ({
      ...{requests: 0, results: 0, accuracy: 0, device: 0, cloud: 0, split: 0, connected: 0},
      ...{energyLeft: Number.NaN, moneyLeft: Number.NaN, dataLeft: Number.NaN, variants: new Map()},
    }),
  );
  const part = (left: number, limit: number): number => (limit === Infinity || limit === 0 ? 1 : left / limit);
  return {
    slices,
    see({time, kind, option: chosen, state}) {
      const slice = slices[Math.min(count - 1, Math.floor((time / length) * count))]!;
      const {results, options} = kinds[kind]!;
      const option = options[chosen];
      slice.requests++;
      slice.results += results;
      if (state.connected) slice.connected++;
      if (option) {
        slice.accuracy += option.accuracy;
        slice[option.place]++;
        const key = `${option.variant} (${option.place})`;
        slice.variants.set(key, (slice.variants.get(key) ?? 0) + 1);
      }
      slice.energyLeft = part(state.left.energy, limits.energy);
      slice.moneyLeft = part(state.left.money, limits.money);
      slice.dataLeft = part(state.left.data, limits.data);
    },
  };
}
