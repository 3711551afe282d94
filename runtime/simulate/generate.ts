/** Traces that are made while they are walked: arrivals of every kind, and spells of connection. Times are in seconds. */
import {type Random, random} from './random.js';
import type {Trace, TraceEvent} from './trace.js';

/** How the rate of a kind differs from its average, by the time of the day: a factor from 0. */
export type Shape = {
  /** The largest factor that `at` gives. */
  readonly most: number;
  /** Begins anew for every walk over a trace; asked for times in rising order. */
  readonly start: (dice: Random) => (time: number) => number;
};

export const steady: Shape = {most: 1, start: () => () => 1};

/** `before` until `when`, then `after`. */
export const step = (before: number, after: number, when: number): Shape => ({
  most: Math.max(before, after),
  start: () => time => (time < when ? before : after),
});

/** Quiet and busy spells of exponential length, with their factors and mean lengths. */
export const bursts = (quiet: number, quietLength: number, busy: number, busyLength: number): Shape => ({
  most: Math.max(quiet, busy),
  start: dice => {
    let isBusy = dice.unit() < busyLength / (quietLength + busyLength);
    let until = dice.gap(1 / (isBusy ? busyLength : quietLength));
    return time => {
      while (time >= until) {
        isBusy = !isBusy;
        until += dice.gap(1 / (isBusy ? busyLength : quietLength));
      }
      return isBusy ? busy : quiet;
    };
  },
});

/** One factor per part of the day, all parts equally long. */
export const profile = (factors: readonly number[], day: number): Shape => ({
  most: Math.max(...factors),
  start: () => time => factors[Math.min(factors.length - 1, Math.floor((time / day) * factors.length))] ?? 0,
});

/** Classes of requests: uniform over `count`, but in a spell `targets` of them hold `share` (MCDNN's evaluation, section 6). */
export type Skew = {
  readonly count: number;
  readonly targets: number;
  readonly share: number;
  /** Seconds that a spell lasts. */
  readonly length: number;
  /** Probability that a request outside of a spell begins one. */
  readonly chance: number;
};

export type Arrivals = {readonly kind: number; readonly rate: number; readonly shape?: Shape; readonly skew?: Skew};

/** A connection is up but in these spells: [from, to). */
export type Outages = readonly (readonly [from: number, to: number])[];

export type Day = {
  readonly length: number;
  readonly seed: number;
  readonly arrivals: readonly Arrivals[];
  readonly outages?: Outages;
};

export function generate({length, seed, arrivals, outages = []}: Day): Trace {
  return {
    *[Symbol.iterator]() {
      const streams: Iterator<TraceEvent>[] = arrivals.map((one, i) => arriving(one, length, random(seed, i)));
      streams.push(linkChanges(outages, length));
      yield* merged(streams);
    },
  };
}

/** Poisson arrivals of a varying rate: those of the largest rate, thinned (Lewis, Shedler 1979). */
function* arriving({kind, rate, shape = steady, skew}: Arrivals, length: number, dice: Random): Generator<TraceEvent> {
  const factor = shape.start(dice);
  const labels = skew && labelled(skew);
  if (!(rate * shape.most > 0)) return;
  for (let time = dice.gap(rate * shape.most); time < length; time += dice.gap(rate * shape.most)) {
    if (dice.unit() * shape.most >= factor(time)) continue;
    yield labels ? {time, kind, up: false, label: labels(time, dice)} : {time, kind, up: false};
  }
}

function labelled({count, targets, share, length, chance}: Skew): (time: number, dice: Random) => number {
  let until = -1;
  return (time, dice) => {
    if (time >= until && dice.unit() < chance) until = time + length;
    return time < until && dice.unit() < share ? dice.below(targets) : dice.below(count);
  };
}

function* linkChanges(outages: Outages, length: number): Generator<TraceEvent> {
  for (const [from, to] of outages) {
    if (from < length) yield {time: from, kind: -1, up: false};
    if (to < length) yield {time: to, kind: -1, up: true};
  }
}

/** Several streams in order of time; of equal times the stream that was named first. */
function* merged(streams: readonly Iterator<TraceEvent>[]): Generator<TraceEvent> {
  const heads = streams.map(stream => stream.next());
  for (;;) {
    let first = -1;
    let time = Infinity;
    for (let i = 0; i < heads.length; i++) {
      const head = heads[i]!;
      if (!head.done && head.value.time < time) [first, time] = [i, head.value.time];
    }
    const head = heads[first];
    if (!head || head.done) return;
    yield head.value;
    heads[first] = streams[first]!.next();
  }
}

/** Spells of connection and outage in turn, each of a length between `least` and `most` seconds; `up`: how the day begins. */
export function alternating(seed: number, length: number, least: number, most: number, up = true): Outages {
  const dice = random(seed, 0x117);
  const outages: (readonly [number, number])[] = [];
  let [time, isUp] = [0, up];
  while (time < length) {
    const end = time + least + (most - least) * dice.unit();
    if (!isUp) outages.push([time, end]);
    [time, isUp] = [end, !isUp];
  }
  return outages;
}
