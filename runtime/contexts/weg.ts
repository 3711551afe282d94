/**
 * For comparison: windowed epsilon-greedy, by the paper's authors (Shen, Han, Philipose, Krishnamurthy 2017, "Fast Video
 * Classification via Adaptive Cascading of Deep Models"). It explores for a window with the network as it is, exploits the classes
 * that it saw repeatedly, asks the network as it is now and then, and explores again once these no longer hold the answers.
 */
import {frequenciesIn} from '../prior.js';
import type {Rule} from './contexts.js';
import {largestAt, likelihoods} from './likelihood.js';

export type WegOptions = {
  /** Least answers of a window. Default 30. */
  readonly length?: number;
  /** One answer in so many asks the network as it is. Default 100, which is epsilon = 0.01. */
  readonly asks?: number;
  /** Least part of the answers that a context holds. Default 0.6. */
  readonly share?: number;
  /** Most classes of a context, as a part of all. Default 0.5. */
  readonly most?: number;
};

/** Of the last such questions, so many are held against the context at most. */
const [questions, disagreements] = [4, 0.5];

export const weg =
  ({length = 30, asks = 100, share = 0.6, most = 0.5}: WegOptions = {}): Rule =>
  ({frequencies: usual, accuracy}) => {
    const classes = usual.length;
    let seen: number[] = [];
    let context: ReadonlySet<number> | null = null;
    let shared = usual;
    let since = 0;
    let wrong: boolean[] = [];
    const likelihood = new Float64Array(classes);

    const isQuestion = (): boolean => context !== null && since % asks === asks - 1;

    /** What n classes hold, less what wrong answers of a network of this accuracy add and take. */
    function heldBy(n: number, observed: number): number {
      const right = accuracy ?? 1;
      const stray = (1 - right) / Math.max(1, classes - 1);
      return (observed - stray * n) / Math.max(1e-9, right + stray * (n - 1) - stray * n);
    }

    function explore(): void {
      if (seen.length < length) return;
      const least = seen.length < 90 ? 2 : 3;
      const counts = new Map<number, number>();
      for (const answer of seen) counts.set(answer, (counts.get(answer) ?? 0) + 1);
      const dominant = [...counts].filter(([, count]) => count >= least).map(([c]) => c);
      const held = heldBy(dominant.length, dominant.reduce((sum, c) => sum + counts.get(c)!, 0) / seen.length);
      if (dominant.length === 0 || dominant.length > most * classes || held < share) {
        if (seen.length >= 3 * length) seen = seen.slice(-2 * length);
        return;
      }
      context = new Set(dominant);
      shared = frequenciesIn(dominant, Math.min(held, 0.99), classes);
      [since, wrong, seen] = [0, [], []];
    }

    function exploit(inside: ReadonlySet<number>, answer: number, disagrees: boolean | null): void {
      seen.push(answer);
      if (seen.length > length) seen.shift();
      if (disagrees !== null) wrong = [...wrong, disagrees].slice(-questions);
      const observed = seen.filter(c => inside.has(c)).length / seen.length;
      const isOver = seen.length === length && heldBy(inside.size, observed) < share;
      const isWrong = wrong.length === questions && wrong.filter(Boolean).length > disagreements * questions;
      if (isOver || isWrong) [context, seen] = [null, []];
    }

    return {
      prior: () => (context === null || isQuestion() ? usual : shared),
      observe(probabilities, under) {
        const answer = largestAt(probabilities);
        if (context === null) {
          seen.push(answer);
          explore();
          return;
        }
        const disagrees = isQuestion()
          ? answer !== largestAt(likelihoods(probabilities, under, likelihood).map((value, c) => value * shared[c]!))
          : null;
        since++;
        exploit(context, answer, disagrees);
      },
    };
  };
