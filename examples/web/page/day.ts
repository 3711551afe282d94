/** A day in a minute: a budget of energy that the scheduler makes last. */
import {beginDay as begin, type Problem, policies, problemOf, readCatalog, type State} from 'dnnc/schedule';
import type {Manifest} from 'dnnc/wasm';

/** Seconds in the page, and how many seconds of the scheduler's day each of them is: it plans for ten hours. */
export const length = 60;
const lapse = 600;

/** A phone's core at work. A model: pages cannot measure energy. */
const watts = 2;

export const joulesOf = (milliseconds: number): number => (milliseconds / 1000) * watts;

export type Day = {
  /** Joules at its beginning. */
  readonly energy: number;
  readonly state: State;
  /** The variant for a task at a time in seconds of the page, whose energy is gone then; null where that is better kept. */
  choose(task: string, time: number): string | null;
};

/** Every task asks about every picture, `rate` times per second. What variants take was measured here; there is no cloud. */
export function problemHere({name, tasks, variants}: Manifest, times: ReadonlyMap<string, number>, rate: number): Problem {
  const requests = Object.keys(tasks).map(task => ({
    ...{name: task, tasks: [{name: task}], rate: rate / lapse},
    variants: variants
      .filter(variant => variant.task === task && variant.quality)
      .map(({id, quality}) => {
        const latency = times.get(id)!;
        return {id, accuracy: [quality!.value], device: {energy: joulesOf(latency), latency, segments: []}};
      }),
  }));
  return problemOf(readCatalog({schema: 1, name, segments: [], requests}));
}

/** Joules of a day in which the best variants answer everything. */
export const mostEnergy = ({kinds}: Problem): number => {
  const bestOf = ({options}: Problem['kinds'][number]) =>
    options.reduce((best, option) => (option.value > best.value ? option : best));
  return length * lapse * kinds.reduce((sum, kind) => sum + kind.rate * bestOf(kind).energy, 0);
};

export function beginDay(problem: Problem, energy: number): Day {
  const limits = {energy, money: 0, data: 0, memory: Number.POSITIVE_INFINITY};
  const day = begin(problem, {limits, day: length * lapse, idle: 0}, policies.dnnc);
  day.link(0, false);
  return {
    energy,
    state: day.state,
    choose(task, time) {
      const kind = problem.kinds.findIndex(({name}) => name === task);
      const decision = day.request(time * lapse, kind);
      const option = problem.kinds[kind]?.options[decision.option];
      if (!option) return null;
      day.pay(decision, {energy: option.energy});
      return option.variant;
    },
  };
}
