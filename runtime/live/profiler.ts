/** What a stream is like, as seen: how often requests come, what they are answered with, how long they wait. Newer ones count more. */
import type {Problem} from '../schedule/problem.js';

/** Milliseconds from a request to its last answer, of the last of them. */
export type Waits = {readonly n: number; readonly p50: number; readonly p95: number; readonly most: number};

export type Profiled = {
  /** Requests per second, by request. */
  readonly rates: Readonly<Record<string, number>>;
  /** Answers by task and label (or index): how many, the older ones for less. */
  readonly classes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly waits: Waits | null;
};

export type Profiler = {
  arrived(time: number, kind: number): void;
  answered(time: number, task: string, answer: string): void;
  waited(milliseconds: number): void;
  profiled(time: number): Profiled;
};

/** Seconds until a request or an answer counts half. */
const halfLife = 300;
const mostWaits = 512;

/** A count that fades. */
type Count = {amount: number; at: number};

export function newProfiler({kinds}: Problem): Profiler {
  const decay = Math.LN2 / halfLife;
  const arrivals = kinds.map((): Count => ({amount: 0, at: 0}));
  const answers = new Map<string, Map<string, Count>>();
  const waits: number[] = [];
  let waited = 0;
  let began = Number.NaN;
  const faded = ({amount, at}: Count, time: number): number => amount * Math.exp(-decay * (time - at));
  const add = (count: Count, time: number): void => {
    count.amount = faded(count, time) + 1;
    count.at = time;
  };
  /** Seconds since the first request, older ones for less. */
  const length = (time: number): number => (1 - Math.exp(-decay * (time - began))) / decay;

  return {
    arrived(time, kind) {
      if (Number.isNaN(began)) began = time;
      add(arrivals[kind]!, time);
    },
    answered(time, task, answer) {
      const counts = answers.get(task) ?? new Map<string, Count>();
      answers.set(task, counts);
      const count = counts.get(answer) ?? {amount: 0, at: time};
      counts.set(answer, count);
      add(count, time);
    },
    waited(milliseconds) {
      waits[waited++ % mostWaits] = milliseconds;
    },
    profiled: time => ({
      rates: Object.fromEntries(
        kinds.map(({name}, kind) => [name, length(time) > 0 ? faded(arrivals[kind]!, time) / length(time) : 0]),
      ),
      classes: Object.fromEntries(
        [...answers].map(([task, counts]) => [
          task,
          Object.fromEntries(
            [...counts].map(([answer, count]) => [answer, faded(count, time)] as const).sort(([, a], [, b]) => b - a),
          ),
        ]),
      ),
      waits: waitsOf(waits),
    }),
  };
}

function waitsOf(waits: readonly number[]): Waits | null {
  if (waits.length === 0) return null;
  const sorted = Float64Array.from(waits).sort();
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;
  return {n: sorted.length, p50: at(0.5), p95: at(0.95), most: sorted.at(-1)!};
}
