/**
 * When to believe the cheap stage of a cascade. Outputs for samples that no stage has seen are re-weighted to the context's
 * class frequencies. A context has few samples of its own, so what it says of each class is drawn towards what random contexts
 * of the same size say of theirs (a beta prior): alone, it would choose thresholds by chance.
 */
import {frequenciesIn} from '../../runtime/index.js';
import type {Context} from '../context.js';
import {type Answers, answersUnder, rawAnswers, type Seen, type Stage} from './stage.js';

/** What a cascade is chosen for. */
export type Goal = {
  /** What it is compared with: the general network corrected by the same prior, or as it is. */
  readonly reference: 'corrected' | 'raw';
  /**
   * The cheapest that loses at most so much accuracy (from 0 to 1); or, of those that are at least so many times cheaper, the
   * most accurate.
   */
  readonly wanted: {readonly loss: number} | {readonly speed: number};
};

/** What a cascade does at one threshold: parts of the requests, from 0 to 1. */
export type Trade = {
  readonly threshold: number;
  readonly accuracy: number;
  /** Answered by the first stage. */
  readonly alone: number;
  /** Accuracy of the general network that it is compared with. */
  readonly reference: number;
  /** Standard error of what the first stage changes in accuracy. */
  readonly error: number;
};

/** Thresholds that are tried. */
const thresholds = [...Array.from({length: 13}, (_, i) => 0.3 + 0.05 * i), 0.92, 0.94, 0.96, 0.97, 0.98, 0.99, 0.995, 0.998].map(
  value => Number(value.toFixed(3)),
);

/** So many samples of its own make a class count as much as the classes of random contexts. */
const strength = 10;

/** Of each class: how many samples, and of how many of them each holds. */
type Counts = {n: number; right: number; alone: number; reference: number; differ: number};
type Rates = {readonly [part in Exclude<keyof Counts, 'n'>]: number};
/** What holds of a class inside and outside of random contexts, by threshold. */
export type Pool = ReadonlyMap<number, {readonly inside: Rates; readonly outside: Rates}>;

/** Both stages on the same samples, and the answers that they are compared with. */
export type Both = {
  readonly first: Answers;
  readonly last: Answers;
  readonly reference: Int32Array;
  readonly labels: readonly number[];
  readonly classes: number;
};

export function bothUnder(
  frequencies: readonly number[],
  [first, ofFirst]: readonly [Stage, Seen],
  [last, ofLast]: readonly [Stage, Seen],
  reference: Goal['reference'],
): Both {
  const general = answersUnder(last, ofLast, frequencies);
  return {
    first: answersUnder(first, ofFirst, frequencies),
    last: general,
    reference: reference === 'raw' ? rawAnswers(ofLast) : general.answer,
    labels: ofLast.labels,
    classes: ofLast.classes,
  };
}

function countsAt(threshold: number, {first, last, reference, labels, classes}: Both): readonly Readonly<Counts>[] {
  const counts = Array.from({length: classes}, (): Counts => ({n: 0, right: 0, alone: 0, reference: 0, differ: 0}));
  for (const [i, label] of labels.entries()) {
    const its = counts[label]!;
    const isSure = first.sure[i]! >= threshold;
    its.n++;
    if (isSure) its.alone++;
    const isRight = (isSure ? first : last).answer[i] === label;
    if (isRight) its.right++;
    if (isRight !== (last.answer[i] === label)) its.differ++;
    if (reference[i] === label) its.reference++;
  }
  return counts;
}

/** Where classes come as often as `frequencies` says; without a pool from these samples alone. */
export function tradeAt(
  threshold: number,
  both: Both,
  frequencies: readonly number[],
  pool?: {readonly of: Pool; readonly context: Context},
): Trade {
  const prior = pool?.of.get(threshold);
  const inside = new Set(pool?.context.classes);
  const sum = {accuracy: 0, alone: 0, reference: 0, variance: 0, weight: 0};
  for (const [c, counts] of countsAt(threshold, both).entries()) {
    const rates = prior && (inside.has(c) ? prior.inside : prior.outside);
    const total = counts.n + (rates ? strength : 0);
    if (total === 0) continue;
    const rate = (part: keyof Rates): number => (counts[part] + (rates ? strength * rates[part] : 0)) / total;
    const weight = frequencies[c]!;
    sum.accuracy += weight * rate('right');
    sum.alone += weight * rate('alone');
    sum.reference += weight * rate('reference');
    sum.variance += (weight ** 2 * rate('differ')) / total;
    sum.weight += weight;
  }
  const {accuracy, alone, reference, variance, weight} = sum;
  return {
    ...{threshold, accuracy: accuracy / weight, alone: alone / weight, reference: reference / weight},
    error: Math.sqrt(variance) / weight,
  };
}

/** Means over classes inside, and outside, of contexts that have samples. */
export function poolOf(
  contexts: readonly Context[],
  first: readonly [Stage, Seen],
  last: readonly [Stage, Seen],
  reference: Goal['reference'],
): Pool {
  const each = contexts.map(({classes, share}) => ({
    classes,
    both: bothUnder(frequenciesIn(classes, share, last[1].classes), first, last, reference),
  }));
  return new Map(
    thresholds.map(threshold => {
      const counted = each.map(({classes, both}) => ({classes, counts: countsAt(threshold, both)}));
      const [inside, outside] = [true, false].map((wanted): Rates => {
        const all = counted.flatMap(({classes, counts}) => counts.filter(({n}, c) => n > 0 && classes.includes(c) === wanted));
        const mean = (part: keyof Rates): number =>
          all.reduce((total, counts) => total + counts[part] / counts.n, 0) / Math.max(1, all.length);
        return {right: mean('right'), alone: mean('alone'), reference: mean('reference'), differ: mean('differ')};
      });
      return [threshold, {inside: inside!, outside: outside!}];
    }),
  );
}

/**
 * The least threshold from which on the cascade loses no more than `loss` against the reference, even where the first stage is
 * a standard error worse than it looks; or the most accurate one among those that are fast enough. null where there is none.
 */
export function chooseThreshold(
  trade: (threshold: number) => Trade,
  wanted: Goal['wanted'],
  speed: (trade: Trade) => number,
): Trade | null {
  const trades = thresholds.map(trade);
  if ('speed' in wanted)
    return trades
      .filter(each => speed(each) >= wanted.speed)
      .reduce<Trade | null>((best, each) => (best && best.accuracy >= each.accuracy ? best : each), null);
  const loses = ({accuracy, error, reference}: Trade): boolean => accuracy - error < reference - wanted.loss;
  return trades[trades.findLastIndex(loses) + 1] ?? null;
}

/** Multiply-accumulates per request, where the first stage answers a part of them alone. */
export const macsOf = (first: Stage, last: Stage, alone: number): number =>
  first.macs + (1 - alone) * (last.macs - first.sharedMacs);

/** How many times less a cascade costs than its last stage: in time where that is known, else in multiply-accumulates. */
export function speedOf(first: Stage, last: Stage, alone: number): number {
  if (first.time === null || last.time === null) return last.macs / macsOf(first, last, alone);
  return last.time / (first.time + (1 - alone) * last.time * (1 - first.sharedMacs / last.macs));
}
