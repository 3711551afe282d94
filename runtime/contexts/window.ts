/**
 * For comparison: the paper's rule (MCDNN, section 5.2.1). Where the n classes that came most often hold at least a part p of the
 * last answers, they are expected to hold that part from now on ((n, p)-dominance).
 */
import {frequenciesIn} from '../prior.js';
import type {Rule} from './contexts.js';
import {largestAt} from './likelihood.js';

export type WindowOptions = {
  /** Answers that count: 60 are the paper's 300 seconds at an answer in 5 seconds. */
  readonly length?: number;
  /** How many classes may dominate, from few to many; those that leave no class out do not count. */
  readonly sizes?: readonly number[];
  /** What they may hold, in ascending order. */
  readonly shares?: readonly number[];
};

/** 60 answers, n of 7, 14 and 21, p of 0.6 to 0.95, as in the paper, unless said. */
export const slidingWindow =
  ({length = 60, sizes = [7, 14, 21], shares = [0.6, 0.7, 0.8, 0.9, 0.95]}: WindowOptions = {}): Rule =>
  ({frequencies: usual}) => {
    const answers: number[] = [];
    const counts = new Array<number>(usual.length).fill(0);
    let prior = usual;

    function dominance(): readonly number[] {
      const order = counts.map((_, c) => c).sort((a, b) => counts[b]! - counts[a]! || a - b);
      for (const size of sizes.filter(each => each < usual.length)) {
        const classes = order.slice(0, size);
        const held = classes.reduce((sum, c) => sum + counts[c]!, 0) / length;
        const share = shares.findLast(each => held >= each);
        if (share !== undefined) return frequenciesIn(classes, share, usual.length);
      }
      return usual;
    }

    return {
      prior: () => prior,
      observe(probabilities) {
        const answer = largestAt(probabilities);
        answers.push(answer);
        counts[answer]!++;
        if (answers.length > length) counts[answers.shift()!]!--;
        if (answers.length === length) prior = dominance();
      },
    };
  };
