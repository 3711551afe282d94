/**
 * How long executions really take, by option: percentiles of the last ones. An option that is too slow for its request by what was
 * measured is not used for a while, then tried again: the machine may have been busy.
 */
import type {Problem} from './problem.js';

export type Percentiles = {readonly n: number; readonly p50: number; readonly p90: number; readonly p95: number};

export type Latencies = {
  /** Takes an execution of so many milliseconds; true when an option has become too slow. */
  observe(time: number, at: number, milliseconds: number): boolean;
  /** True when an option may be tried again. */
  passed(time: number): boolean;
  /** Of the last executions, in milliseconds; undefined where there was none. */
  of(at: number): Percentiles | undefined;
};

/** Executions that are looked at, and that must be there before they count. */
const kept = 64;
const enough = 8;
/** Part of the executions that must be within the limit. */
const judged = 0.95;
/** Seconds without use: the first time, and at most. Each time in a row is twice as long. */
const firstRest = 60;
const longestRest = 3600;

type Seen = {readonly times: Float64Array; count: number; rest: number; until: number};

/** Keeps `slow` of a state, and the times of options by their `at`. */
export function newLatencies({kinds}: Problem, slow: Uint8Array): Latencies {
  const limits = kinds.flatMap(({options, latencyLimit}) => options.map(() => latencyLimit));
  const all = limits.map((): Seen => ({times: new Float64Array(kept), count: 0, rest: firstRest, until: Infinity}));
  const sorted = new Float64Array(kept);
  let nextTry = Infinity;

  const sort = ({times, count}: Seen): number => {
    const n = Math.min(count, kept);
    sorted.set(times);
    sorted.subarray(0, n).sort();
    return n;
  };
  const percentile = (n: number, part: number): number => sorted[Math.min(n - 1, Math.floor(part * n))]!;

  return {
    observe(time, at, milliseconds) {
      const seen = all[at]!;
      seen.times[seen.count % kept] = milliseconds;
      seen.count++;
      const limit = limits[at]!;
      if (limit === Infinity || slow[at] === 1 || seen.count < enough) return false;
      if (percentile(sort(seen), judged) <= limit) {
        if (seen.count >= kept) seen.rest = firstRest;
        return false;
      }
      slow[at] = 1;
      seen.until = time + seen.rest;
      seen.rest = Math.min(longestRest, 2 * seen.rest);
      nextTry = Math.min(nextTry, seen.until);
      return true;
    },
    passed(time) {
      if (time < nextTry) return false;
      nextTry = Infinity;
      for (const [at, seen] of all.entries()) {
        if (slow[at] === 1 && time >= seen.until) {
          slow[at] = 0;
          seen.count = 0;
        } else if (slow[at] === 1) nextTry = Math.min(nextTry, seen.until);
      }
      return true;
    },
    of(at) {
      const n = sort(all[at]!);
      return n === 0 ? undefined : {n, p50: percentile(n, 0.5), p90: percentile(n, 0.9), p95: percentile(n, judged)};
    },
  };
}
