/**
 * When contexts are noticed (MCDNN, sections 5.2.1 and 6.2): streams of faces as the authors' generator makes them, 200 people, a
 * face in 5 seconds, spells in which a few of them make most of it, and a network that is right 73.7% of the time.
 */
import {adaptive, fewOf, type Rule, slidingWindow} from 'dnnc/runtime';
import {random} from 'dnnc/simulate';

const people = 200;
const accuracy = 0.737;

/** `targets` hold `share` of the faces for `lasts` seconds; a spell begins with each face with probability 0.001. */
export const streams = {
  's1, 7 people at 65% for an hour': {targets: 7, share: 0.65, lasts: 3600},
  's2, 4 people at 90% for two hours': {targets: 4, share: 0.9, lasts: 7200},
  's3, no spells': {targets: 0, share: 0, lasts: 0},
} as const;

export const rules: Readonly<Record<string, Rule>> = {adaptive: adaptive(), window: slidingWindow()};

/** Percent of the faces that came while a few people were taken for most: in spells, and more than five minutes after one. */
export type Noticed = {readonly inside: number; readonly outside: number};

/** A day of 36,000 s. The network errs towards everybody alike, and knows how often. */
export function noticed({targets, share, lasts}: (typeof streams)[keyof typeof streams], rule: Rule, seed: number): Noticed {
  const {unit, gap, below} = random(seed, 36_000);
  const usual = new Array<number>(people).fill(1 / people);
  const follower = rule({frequencies: usual, accuracy});
  const counts = {inside: 0, outside: 0, noticedInside: 0, noticedOutside: 0};
  let until = Number.NEGATIVE_INFINITY;
  for (let time = gap(0.2); time < 36_000; time += gap(0.2)) {
    if (time >= until && targets > 0 && unit() < 0.001) until = time + lasts;
    const isInside = time < until;
    const person = isInside && unit() < share ? below(targets) : below(people);
    const seen = unit() < accuracy ? person : (person + 1 + below(people - 1)) % people;
    const prior = follower.prior();
    const weights = prior.map((part, c) => part * (c === seen ? accuracy : (1 - accuracy) / (people - 1)));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const few = fewOf(prior.map(part => 87 * part));
    const isNoticed = few.share >= 0.6 && few.classes.length <= 21;
    if (isInside) {
      counts.inside++;
      if (isNoticed) counts.noticedInside++;
    } else if (time > until + 300) {
      counts.outside++;
      if (isNoticed) counts.noticedOutside++;
    }
    follower.observe(
      weights.map(weight => weight / total),
      prior,
    );
  }
  return {
    inside: (100 * counts.noticedInside) / Math.max(1, counts.inside),
    outside: (100 * counts.noticedOutside) / Math.max(1, counts.outside),
  };
}
