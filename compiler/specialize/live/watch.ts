/** Which context requests are in, and for how long, read from the prior alone. */
import {fewOf} from '../../../runtime/index.js';
import type {Context} from '../../context.js';

/**
 * Shares that contexts are told apart by: thresholds are chosen for the one below. While a context begins its share grows in the
 * prior, so there may be one for each: the prior that answers are given under is what a threshold must fit.
 */
const shares = [0.6, 0.7, 0.8, 0.9, 0.95] as const;

/** A prior is as certain as so many answers: those that half-lives of 60 amount to. */
const certainty = 87;

/** null: no few classes hold most. */
export function contextIn(prior: readonly number[]): Context | null {
  const {classes, share} = fewOf(prior.map(part => part * certainty));
  const floor = shares.findLast(each => share >= each);
  if (floor === undefined || classes.length > prior.length / 2) return null;
  return {classes: classes.toSorted((a, b) => a - b), share: floor};
}

/** Whether what was chosen for one context serves the other: a class in three may differ, two at most. */
export function isLike(one: Context, other: Context): boolean {
  const apart = (a: Context, b: Context): number => a.classes.filter(c => !b.classes.includes(c)).length;
  const most = Math.min(2, Math.floor(Math.min(one.classes.length, other.classes.length) / 3));
  return one.share === other.share && apart(one, other) + apart(other, one) <= most;
}
