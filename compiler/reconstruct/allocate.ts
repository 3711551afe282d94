/**
 * Ranks for all layers together: the least harm for a given cost, be it time, multiply-adds or bytes. Choosing one option per
 * layer is a multiple-choice knapsack; on the lower hull of each layer's options, steps of the best harm per unit of cost, in
 * order, are the optimum of its linear relaxation (Sinha and Zoltners 1979), and of the knapsack at every cost that they stop at.
 */

/** What a layer may become, or what may become of several together. The first option is to stay, without harm. */
export type Option = {readonly cost: number; readonly harm: number};

/** An option for each, such that together they save so much, if that can be without more harm than `mostHarm`. */
export function allocate<O extends Option>(layers: readonly (readonly O[])[], saving: number, mostHarm: number): readonly O[] {
  const hulls = layers.map(hullOf);
  const steps = hulls
    .flatMap((hull, layer) =>
      hull.slice(1).map((option, i) => ({
        layer,
        option,
        saved: hull[i]!.cost - option.cost,
        added: option.harm - hull[i]!.harm,
        price: (option.harm - hull[i]!.harm) / (hull[i]!.cost - option.cost),
      })),
    )
    // Within a layer prices rise, so its steps stay in order.
    .sort((a, b) => a.price - b.price);
  const chosen = hulls.map(([whole]) => whole!);
  let [harm, gained] = [0, 0];
  for (const {layer, option, saved, added} of steps) {
    if (gained >= saving || harm + added > mostHarm) break;
    chosen[layer] = option;
    gained += saved;
    harm += added;
  }
  return chosen;
}

/** The options that are best for some price, from the dearest to the cheapest: the first is the whole layer. */
function hullOf<O extends Option>([whole, ...options]: readonly O[]): readonly O[] {
  const hull = [whole!];
  const rest = options.filter(({cost}) => cost < whole!.cost);
  for (;;) {
    const from = hull.at(-1)!;
    let best: O | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const option of rest) {
      if (option.cost >= from.cost) continue;
      const price = (option.harm - from.harm) / (from.cost - option.cost);
      if (price < least || (price === least && best && option.cost < best.cost)) [best, least] = [option, price];
    }
    if (!best) return hull;
    hull.push(best);
  }
}
