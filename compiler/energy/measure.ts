/** Energy of a bound entry on this machine, by a meter of the whole machine: what it takes more while the entry runs than before and after. */
import type {Entry} from '../../runtime/index.js';
import type {Energy} from '../../runtime/manifest.js';
import {keep, recall} from '../cache.js';
import {percentiles} from '../measure.js';
import type {Meter} from './rapl.js';

/** The name of the meter, among profiles and in manifests. */
export const meterName = 'rapl';

/** What a measurement needs of the world: seconds so far, and to let some pass. */
export type Clock = {now(): number; wait(seconds: number): void};

const busySeconds = 1;
const idleSeconds = 0.4;
const repeats = 3;

const machine: Clock = {
  now: () => performance.now() / 1000,
  wait: seconds => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1000),
};

export type Joules = {readonly median: number; readonly low: number; readonly high: number};

/** Joules per call; `run` makes some calls and tells how many. Below 0 where the machine's other work outweighs them. */
export function joulesPerCall(meter: Meter, run: () => number, {now, wait}: Clock = machine): Joules {
  run();
  const spanOf = (action: () => void): Span => {
    const [start, before] = [now(), meter.joules()];
    action();
    const after = meter.joules();
    return {seconds: now() - start, joules: after - before};
  };
  const idle = (): Span => spanOf(() => wait(idleSeconds));
  const found = Array.from({length: repeats}, () => {
    let calls = 0;
    const before = idle();
    const busy = spanOf(() => {
      const start = now();
      while (now() - start < busySeconds) calls += run();
    });
    const after = idle();
    const watts = (before.joules + after.joules) / (before.seconds + after.seconds);
    return (busy.joules - watts * busy.seconds) / calls;
  });
  return {median: percentiles(found).p50, low: Math.min(...found), high: Math.max(...found)};
}

type Span = {readonly seconds: number; readonly joules: number};

/**
 * `key` names the code that runs; machine and key together name the measurement, which is remembered. Null where the machine's
 * other work drowns it.
 */
export function measureEnergy(meter: Meter, entry: Entry, host: string, key: string): Energy | null {
  const known = keptOf(recall('energy', `${host} ${key}`));
  const found = known ?? joulesPerCall(meter, callsOf(entry));
  if (!(found.low > 0)) return null;
  keep('energy', `${host} ${key}`, found);
  const millijoules = (joules: number): number => Number((1000 * joules).toPrecision(4));
  const interval = [millijoules(found.low), millijoules(found.high)] as const;
  return {millijoules: millijoules(found.median), source: 'measured', profile: meterName, interval, host};
}

/** A twentieth of a second of calls at a time, so that looking at the clock takes nothing. */
function callsOf(entry: Entry): () => number {
  const [inputs, outputs] = [entry.newInputs(), entry.newOutputs()];
  const [nanoseconds = 0] = entry.bench(inputs, outputs, 1, 1);
  const calls = Math.max(1, Math.round(5e7 / Math.max(nanoseconds, 1)));
  return () => entry.bench(inputs, outputs, calls, 0).length;
}

function keptOf(kept: unknown): Joules | null {
  const {median, low, high} = (kept ?? {}) as Partial<Joules>;
  return typeof median === 'number' && typeof low === 'number' && typeof high === 'number' ? {median, low, high} : null;
}
