/** Decayed sums of answers: how often each class came lately. */
import {fewOf} from './few.js';

export type Lately = {
  /** `probabilities` of one answer. */
  add(probabilities: ArrayLike<number>): void;
  /** Each class by its own sum; they sum to 1. */
  each(): Float64Array;
  /** A few classes alike, and the rest as usual among themselves; they sum to 1. */
  few(): Float64Array;
};

export type LatelyOptions = {
  /** In answers: one that lies so far back counts half. */
  readonly halfLife: number;
  /** The usual frequencies count as much as so many answers (a Dirichlet prior). */
  readonly mass: number;
};

/**
 * A class that was seen less than so often lately says nothing of its own: such classes share what they hold together as usual.
 * Without it a rare class whose inputs look like one that is asked for would keep what it once got by mistake.
 */
const rare = 2;

export function lately(usual: readonly number[], {halfLife, mass}: LatelyOptions): Lately {
  const keep = 2 ** (-1 / halfLife);
  const sums = new Float64Array(usual.length);
  let total = 0;

  /** Gives `held` to some classes in their usual proportions. */
  function asUsual(frequencies: Float64Array, held: number, classes: readonly number[]): void {
    const usually = classes.reduce((sum, c) => sum + usual[c]!, 0);
    for (const c of classes) frequencies[c] = usually > 0 ? (held * usual[c]!) / usually : held / classes.length;
  }

  return {
    add(probabilities) {
      for (let c = 0; c < sums.length; c++) sums[c] = keep * sums[c]! + probabilities[c]!;
      total = keep * total + 1;
    },
    each() {
      const frequencies = sums.map((sum, c) => (sum + mass * usual[c]!) / (total + mass));
      const seldom = usual.flatMap((_, c) => (sums[c]! < rare ? [c] : []));
      asUsual(
        frequencies,
        seldom.reduce((sum, c) => sum + frequencies[c]!, 0),
        seldom,
      );
      return frequencies;
    },
    few() {
      const {classes, share} = fewOf(sums);
      const held = (share * total) / (total + 1);
      const inside = new Set(classes);
      const frequencies = new Float64Array(sums.length).fill(held / classes.length);
      asUsual(
        frequencies,
        1 - held,
        usual.flatMap((_, c) => (inside.has(c) ? [] : [c])),
      );
      return frequencies;
    },
  };
}
