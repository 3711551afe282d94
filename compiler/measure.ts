/** Latency of a bound entry on this machine, remembered per build so that building again gives the same manifest. */
import type {Entry, SegmentEntry} from '../runtime/index.js';
import type {Latency} from '../runtime/manifest.js';
import {keep, recall} from './cache.js';

export type Percentiles = {readonly p10: number; readonly p50: number; readonly p90: number};

/** Of a list of numbers, nearest rank. */
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return {p10: at(0.1), p50: at(0.5), p90: at(0.9)};
}

/** Milliseconds per call. */
export function timeEntry(entry: Entry | SegmentEntry, budgetMs: number): readonly number[] {
  const [inputs, outputs] = [entry.newInputs(), entry.newOutputs()];
  const [first = 0] = entry.bench(inputs, outputs, 1, 1);
  const iterations = Math.max(5, Math.min(1000, Math.floor((budgetMs * 1e6) / Math.max(first, 1))));
  return Array.from(entry.bench(inputs, outputs, iterations, 2), nanoseconds => nanoseconds / 1e6);
}

/** Milliseconds of a call whose weights are not in the process's memory, the median of several; null where they cannot be given back. */
function timeCold(entry: Entry | SegmentEntry, unload: () => number): number | null {
  const [inputs, outputs] = [entry.newInputs(), entry.newOutputs()];
  const times: number[] = [];
  for (let i = 0; i < 7; i++) {
    if (unload() === 0) return null;
    times.push((entry.bench(inputs, outputs, 1, 0)[0] ?? 0) / 1e6);
  }
  return percentiles(times).p50;
}

/**
 * `key` names the code that runs; machine and key together name the measurement. With `unload`, which gives back the memory of
 * the weights and tells how many bytes that was, also how long the first call takes afterwards.
 */
export function measureLatency(entry: Entry | SegmentEntry, host: string, key: string, unload: () => number = () => 0): Latency {
  const known = keptOf(recall('latency', `${host} ${key}`));
  const warm = known ?? rounded(percentiles(timeEntry(entry, 200)));
  const found = known?.cold ?? timeCold(entry, unload);
  const times = {...warm, ...(found !== null && {cold: digits(found)})};
  keep('latency', `${host} ${key}`, times);
  return {...times, threads: 1, host, measured: true};
}

const digits = (value: number): number => Number(value.toPrecision(4));
const rounded = ({p10, p50, p90}: Percentiles): Percentiles => ({p10: digits(p10), p50: digits(p50), p90: digits(p90)});

function keptOf(kept: unknown): (Percentiles & {readonly cold?: number}) | null {
  const {p10, p50, p90, cold} = (kept ?? {}) as Partial<Percentiles & {readonly cold: number}>;
  if (typeof p10 !== 'number' || typeof p50 !== 'number' || typeof p90 !== 'number') return null;
  return {p10, p50, p90, ...(typeof cold === 'number' && {cold})};
}
