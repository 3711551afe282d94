/** The front of Pareto: nobody else is as cheap and as accurate, and better in one of the two. */
export type Placed = {readonly cost: number; readonly accuracy: number};

/** Cheapest first. */
export function frontOf<P extends Placed>(points: readonly P[]): readonly P[] {
  const front: P[] = [];
  for (const point of points.toSorted((a, b) => a.cost - b.cost || b.accuracy - a.accuracy))
    if (point.accuracy > (front.at(-1)?.accuracy ?? -Infinity)) front.push(point);
  return front;
}
