/** Decayed sums of answers: how often each class came lately. Part of every request, so loops and rooms are used again. */
import {fewAmong} from './few.js';

export type Lately = {
  /** `probabilities` of one answer. */
  add(probabilities: ArrayLike<number>): void;
  /** Each class by its own sum; they sum to 1. Overwritten by the next call. */
  each(): Float64Array;
  /** A few classes alike, and the rest as usual among themselves; they sum to 1. Overwritten by the next call. */
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
  const classes = usual.length;
  const keep = 2 ** (-1 / halfLife);
  const sums = new Float64Array(classes);
  const order = Int32Array.from(usual, (_, c) => c);
  const [each, few] = [new Float64Array(classes), new Float64Array(classes)];
  let total = 0;
  return {
    add(probabilities) {
      for (let c = 0; c < classes; c++) sums[c] = keep * sums[c]! + probabilities[c]!;
      total = keep * total + 1;
    },
    each() {
      let [held, usually] = [0, 0];
      for (let c = 0; c < classes; c++) {
        each[c] = (sums[c]! + mass * usual[c]!) / (total + mass);
        if (sums[c]! >= rare) continue;
        held += each[c]!;
        usually += usual[c]!;
      }
      if (usually > 0) for (let c = 0; c < classes; c++) if (sums[c]! < rare) each[c] = (held * usual[c]!) / usually;
      return each;
    },
    few() {
      const {size, share} = fewAmong(sums, order);
      const held = (share * total) / (total + 1);
      let usually = 0;
      for (let at = size; at < classes; at++) usually += usual[order[at]!]!;
      for (let at = 0; at < classes; at++) {
        const c = order[at]!;
        if (at < size) few[c] = held / size;
        else few[c] = usually > 0 ? ((1 - held) * usual[c]!) / usually : (1 - held) / (classes - size);
      }
      return few;
    },
  };
}
