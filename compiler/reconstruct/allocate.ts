/**
 * Ranks for all layers together: the least harm for a given time. Choosing one option per layer is a multiple-choice knapsack;
 * on the lower hull of each layer's options, steps of the best harm per microsecond, in order, are the optimum of its linear
 * relaxation (Sinha and Zoltners 1979), and of the knapsack at every time that they stop at.
 */

/** What a layer may become, or what may become of several together. The first option is to stay, without harm. */
export type Option = {readonly microseconds: number; readonly harm: number};

/** An option for each, such that together they save so much time, if that can be without more harm than `mostHarm`. */
export function allocate<O extends Option>(
  layers: readonly (readonly O[])[],
  microseconds: number,
  mostHarm: number,
): readonly O[] {
  const hulls = layers.map(hullOf);
  const steps = hulls
    .flatMap((hull, layer) =>
      hull.slice(1).map((option, i) => ({
        layer,
        option,
        saved: hull[i]!.microseconds - option.microseconds,
        added: option.harm - hull[i]!.harm,
        price: (option.harm - hull[i]!.harm) / (hull[i]!.microseconds - option.microseconds),
      })),
    )
    // Within a layer prices rise, so its steps stay in order.
    .sort((a, b) => a.price - b.price);
  const chosen = hulls.map(([whole]) => whole!);
  let [harm, gained] = [0, 0];
  for (const {layer, option, saved, added} of steps) {
    if (gained >= microseconds || harm + added > mostHarm) break;
    chosen[layer] = option;
    gained += saved;
    harm += added;
  }
  return chosen;
}

/** The options that are best for some price, from the slowest to the fastest: the first is the whole layer. */
function hullOf<O extends Option>([whole, ...options]: readonly O[]): readonly O[] {
  const hull = [whole!];
  const rest = options.filter(({microseconds}) => microseconds < whole!.microseconds);
  for (;;) {
    const from = hull.at(-1)!;
    let best: O | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const option of rest) {
      if (option.microseconds >= from.microseconds) continue;
      const price = (option.harm - from.harm) / (from.microseconds - option.microseconds);
      if (price < least || (price === least && best && option.microseconds < best.microseconds)) [best, least] = [option, price];
    }
    if (!best) return hull;
    hull.push(best);
  }
}
