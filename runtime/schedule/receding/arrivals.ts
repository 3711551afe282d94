/** How many requests per second are expected from now on, by kind: what was declared, corrected by what is seen. */
import type {Problem} from '../problem.js';

export type Arrivals = {
  arrived(time: number, kind: number): void;
  /** Mean over the next `horizon` seconds. */
  rate(time: number, kind: number, horizon: number): number;
  /** The declared rate corrected by all requests so far. */
  average(time: number, kind: number): number;
  /** Requests so far. */
  seen(kind: number): number;
};

/** Seconds for which the declared rate counts like requests that were seen; half-life of what is seen; how fast a rate that differs returns to the average. */
const trust = 1800;
const halfLife = 1800;
const returning = 14_400;

export function newArrivals({kinds}: Problem): Arrivals {
  const counts = new Float64Array(kinds.length);
  const recent = Float64Array.from(kinds, ({rate}) => rate * trust);
  const seenAt = new Float64Array(kinds.length);
  const decay = Math.LN2 / halfLife;
  const average = (time: number, kind: number): number => (kinds[kind]!.rate * trust + counts[kind]!) / (trust + time);
  /** Of decayed counts over decayed time; both begin with the declared rate. */
  const recently = (time: number, kind: number): number => {
    const faded = Math.exp(-decay * time);
    const length = trust * faded + (1 - faded) / decay;
    return (recent[kind]! * Math.exp(-decay * (time - seenAt[kind]!))) / length;
  };
  return {
    arrived(time, kind) {
      counts[kind]! += 1;
      recent[kind] = recent[kind]! * Math.exp(-decay * (time - seenAt[kind]!)) + 1;
      seenAt[kind] = time;
    },
    average,
    seen: kind => counts[kind]!,
    rate(time, kind, horizon) {
      const base = average(time, kind);
      const part = horizon / returning;
      return base + (recently(time, kind) - base) * (part > 1e-6 ? (1 - Math.exp(-part)) / part : 1);
    },
  };
}
