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

/** `key` names the code that runs; machine and key together name the measurement. */
export function measureLatency(entry: Entry | SegmentEntry, host: string, key: string): Latency {
  const known = percentilesOf(recall('latency', `${host} ${key}`));
  if (known) return {...known, threads: 1, host, measured: true};
  const {p10, p50, p90} = percentiles(timeEntry(entry, 200));
  const rounded = {p10: Number(p10.toPrecision(4)), p50: Number(p50.toPrecision(4)), p90: Number(p90.toPrecision(4))};
  keep('latency', `${host} ${key}`, rounded);
  return {...rounded, threads: 1, host, measured: true};
}

function percentilesOf(kept: unknown): Percentiles | null {
  const {p10, p50, p90} = (kept ?? {}) as Partial<Percentiles>;
  return typeof p10 === 'number' && typeof p50 === 'number' && typeof p90 === 'number' ? {p10, p50, p90} : null;
}
