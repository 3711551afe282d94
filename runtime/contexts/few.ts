/** The few classes that hold most answers, if there are such: counts told most briefly by two frequencies, one inside and one outside. */

export type Few = {
  /** Output indices, those that came most often first. */
  readonly classes: readonly number[];
  /** Of the answers, from 0 to 1. */
  readonly share: number;
};

/**
 * The n classes for which the likelihood of the counts, alike inside and alike outside, less the nats that it takes to say which
 * they are, log(N over n), is largest. Any n from 1 to N - 1. Counts of nothing give one class with a share of 0.
 */
export function fewOf(counts: ArrayLike<number>): Few {
  const order = Int32Array.from(counts, (_, c) => c);
  const {size, share} = fewAmong(counts, order);
  return {classes: Array.from(order.subarray(0, size)), share};
}

/** The same for every answer anew: `order`, all classes, is sorted in place, quickly where it nearly is, and the first `size` are they. */
export function fewAmong(counts: ArrayLike<number>, order: Int32Array): {readonly size: number; readonly share: number} {
  const all = order.length;
  sortByCount(counts, order);
  let total = 0;
  for (let c = 0; c < all; c++) total += counts[c]!;
  let [size, share, most] = [1, 0, Number.NEGATIVE_INFINITY];
  let [held, choices] = [0, 0];
  for (let n = 1; n < all; n++) {
    held += counts[order[n - 1]!]!;
    choices += Math.log((all - n + 1) / n);
    const rest = total - held;
    let value = -choices;
    if (held > 0) value += held * Math.log(held / (total * n));
    if (rest > 0) value += rest * Math.log(rest / (total * (all - n)));
    if (value > most) {
      size = n;
      share = total > 0 ? held / total : 0;
      most = value;
    }
  }
  return {size, share};
}

/** Most first; of equals the first class. By insertion. */
function sortByCount(counts: ArrayLike<number>, order: Int32Array): void {
  for (let i = 1; i < order.length; i++) {
    const c = order[i]!;
    let at = i;
    for (; at > 0; at--) {
      const before = order[at - 1]!;
      if (counts[before]! > counts[c]! || (counts[before]! === counts[c]! && before < c)) break;
      order[at] = before;
    }
    order[at] = c;
  }
}
