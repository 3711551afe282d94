/** Which variants are worth keeping: those that no other one beats in accuracy and every cost (the Pareto front). */

export type Point = {
  /** Higher is better. */
  readonly accuracy: number;
  /** By name; lower is better. What one of two points lacks is not compared. */
  readonly costs: Readonly<Record<string, number>>;
};

/** Costs that differ by less are the same: a catalog needs no two variants that nobody can tell apart. */
export const same = 0.03;

/** Whether `a` is at least as good as `b` everywhere, and better somewhere. */
function beats(a: Point, b: Point): boolean {
  const shared = Object.keys(a.costs).filter(name => b.costs[name] !== undefined);
  const notDearer = shared.every(name => a.costs[name]! <= b.costs[name]! * (1 + same));
  const better = a.accuracy > b.accuracy || shared.some(name => a.costs[name]! < b.costs[name]! * (1 - same));
  return a.accuracy >= b.accuracy && notDearer && better;
}

/** The first point that beats each one; null for those on the front. Of points that are the same, one is on it. */
export function frontOf(points: readonly Point[]): readonly (number | null)[] {
  // Who beats another comes before it. What is beaten does not beat others, or near-equal points would remove each other in a row.
  const order = points
    .map((_, i) => i)
    .sort((a, b) => points[b]!.accuracy - points[a]!.accuracy || size(points[a]!) - size(points[b]!) || a - b);
  const front: number[] = [];
  const by = new Array<number | null>(points.length).fill(null);
  for (const i of order) {
    const winner = front.find(j => beats(points[j]!, points[i]!) || isSame(points[j]!, points[i]!));
    if (winner === undefined) front.push(i);
    else by[i] = winner;
  }
  return by;
}

/** Of two points with the same accuracy, one that is cheaper in every cost is smaller. */
const size = ({costs}: Point): number =>
  Object.values(costs).reduce((sum, cost) => sum + Math.log(Math.max(cost, Number.MIN_VALUE)), 0);

const isSame = (a: Point, b: Point): boolean =>
  a.accuracy === b.accuracy &&
  Object.keys(a.costs).every(name => Math.abs(a.costs[name]! - (b.costs[name] ?? Number.NaN)) <= same * a.costs[name]!);
