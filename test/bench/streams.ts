/** Streams of requests with spells in which a few classes hold most of them, and what networks answer on them: arithmetic on scores. */
import type {Seen, Stage} from '../../compiler/specialize/stage.js';
import type {Rule} from '../../runtime/index.js';
import {posterior, shiftOf} from '../../runtime/prior.js';
import {random} from '../../runtime/simulate/random.js';

export type Spells = {
  /** Output indices that are asked for; outside of spells all alike. */
  readonly classes: readonly number[];
  /** So many of them hold `share` of the requests in a spell; the rest hold the rest, alike. */
  readonly size: number;
  readonly share: number;
  /** How the few share theirs: alike, or the k-th most frequent as 1 / k. */
  readonly inside: 'alike' | 'by rank';
  /** Each class comes so many times in a row. */
  readonly repeats: number;
};

export type Request = {
  readonly sample: number;
  readonly isInside: boolean;
  /** The frequencies that it was drawn with, by output index. */
  readonly truth: readonly number[];
};

/** Outside of a spell, one begins with each request with probability 1/1000; it lasts for 720. */
const [starts, lasts] = [0.001, 720];

export function streamOf(
  {classes, size, share, inside: shape, repeats}: Spells,
  labels: readonly number[],
  count: number,
  seed: number,
) {
  const {unit, below} = random(seed, 720);
  const outputs = Math.max(...labels, ...classes) + 1;
  const samples = Array.from({length: outputs}, (): number[] => []);
  for (const [i, label] of labels.entries()) samples[label]!.push(i);
  const drawFrom = (truth: readonly number[]): number => {
    let left = unit();
    return truth.findIndex(part => {
      left -= part;
      return left < 0;
    });
  };
  const harmonic = Array.from({length: size}, (_, k) => 1 / (k + 1)).reduce((sum, part) => sum + part, 0);
  const spread = (inside: readonly number[], held: number): readonly number[] =>
    Array.from({length: outputs}, (_, c) => {
      if (!classes.includes(c)) return 0;
      const rank = inside.indexOf(c);
      if (rank < 0) return (1 - held) / (classes.length - inside.length);
      return shape === 'alike' ? held / inside.length : held / (rank + 1) / harmonic;
    });
  const usual = spread([], 0);
  const requests: Request[] = [];
  let truth = usual;
  let left = 0;
  let label = -1;
  for (let at = 0; at < count; at++) {
    if (left > 0) left--;
    else truth = usual;
    if (left === 0 && unit() < starts) {
      const pool = [...classes];
      truth = spread(
        Array.from({length: size}, () => pool.splice(below(pool.length), 1)[0]!),
        share,
      );
      left = lasts;
    }
    if (at % repeats === 0) label = drawFrom(truth);
    const own = samples[label]!;
    requests.push({sample: own[below(own.length)]!, isInside: left > 0, truth});
  }
  return requests;
}

/** A network and its scores for all samples. */
export type Network = {readonly stage: Stage; readonly seen: Seen};

/** Parts of the requests, in spells or outside. `cost` is in multiply-accumulates per request. */
export type Reached = {readonly requests: number; readonly right: number; readonly cost: number};

export type Way = {
  /** 'truth': told the frequencies that requests are drawn with. null: scores as they are. */
  readonly rule: Rule | 'truth' | null;
  /** Answers where it is so sure, before the network. */
  readonly first?: Network & {readonly threshold: number};
};

/** Answers a stream: what is reached in spells, and outside. */
export function answer(requests: readonly Request[], last: Network, {rule, first}: Way): readonly [Reached, Reached] {
  const {frequencies} = last.stage.calibration;
  const accuracy = rightShare(last);
  const follower = typeof rule === 'function' ? rule({frequencies: normalized(frequencies), accuracy}) : null;
  const room = new Float64Array(last.seen.classes);
  const under = ({stage: {kind, calibration}, seen}: Network, i: number, prior: readonly number[] | null): Float64Array => {
    const scores = seen.scores.subarray(i * seen.classes, (i + 1) * seen.classes);
    const shift = prior ? shiftOf(prior, calibration.frequencies) : new Float64Array(seen.classes);
    return posterior(scores, {scores: kind, temperature: calibration.temperature, shift}, room);
  };
  const counts = [true, false].map(() => ({requests: 0, right: 0, cost: 0}));
  for (const {sample, isInside, truth} of requests) {
    const prior = rule === 'truth' ? truth : (follower?.prior() ?? null);
    const its = counts[isInside ? 0 : 1]!;
    its.requests++;
    let probabilities = under(first ?? last, sample, prior);
    its.cost += (first ?? last).stage.macs;
    if (first && Math.max(...probabilities) < first.threshold) {
      probabilities = under(last, sample, prior);
      its.cost += last.stage.macs - first.stage.sharedMacs;
    }
    if (probabilities.indexOf(Math.max(...probabilities)) === last.seen.labels[sample]) its.right++;
    if (follower) follower.observe(probabilities, follower.prior());
  }
  return [counts[0]!, counts[1]!];
}

const rightShare = ({seen: {scores, labels, classes}}: Network): number =>
  labels.filter((label, i) => {
    const its = scores.subarray(i * classes, (i + 1) * classes);
    return its.indexOf(Math.max(...its)) === label;
  }).length / labels.length;

function normalized(frequencies: readonly number[]): readonly number[] {
  const total = frequencies.reduce((sum, frequency) => sum + frequency, 0);
  return frequencies.map(frequency => frequency / total);
}
