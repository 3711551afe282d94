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
  const all = counts.length;
  const order = Array.from(counts, (_, c) => c).sort((a, b) => counts[b]! - counts[a]! || a - b);
  const total = order.reduce((sum, c) => sum + counts[c]!, 0);
  const told = (held: number, classes: number): number => (held > 0 ? held * Math.log(held / (total * classes)) : 0);
  let [size, share, most] = [1, 0, Number.NEGATIVE_INFINITY];
  let [held, choices] = [0, 0];
  for (let n = 1; n < all; n++) {
    held += counts[order[n - 1]!]!;
    choices += Math.log((all - n + 1) / n);
    const value = told(held, n) + told(total - held, all - n) - choices;
    if (value > most) [size, share, most] = [n, total > 0 ? held / total : 0, value];
  }
  return {classes: order.slice(0, size), share};
}
