/** Which variants of several tasks go together: those of one recipe, and mixtures that no others beat. */

/** Of one task: a recipe, its value (weight times accuracy) and what it takes. */
export type Combined<P> = {readonly parts: readonly P[]; readonly value: number; readonly cost: number};

/** More combinations than this are not looked at. */
const most = 20_000;

/**
 * The upper concave hull of all mixtures in (cost, value): what a linear program would choose from. Empty where there are too many.
 * `judge` gives value and cost of one part per task.
 */
export function bestMixtures<P>(
  tasks: readonly (readonly P[])[],
  judge: (parts: readonly P[]) => {readonly value: number; readonly cost: number},
): readonly Combined<P>[] {
  if (tasks.reduce((count, parts) => count * parts.length, 1) > most) return [];
  let all: readonly (readonly P[])[] = [[]];
  for (const parts of tasks) all = all.flatMap(begun => parts.map(part => [...begun, part]));
  const points = all.map(parts => ({parts, ...judge(parts)})).sort((a, b) => a.cost - b.cost || b.value - a.value);
  const hull: Combined<P>[] = [];
  for (const point of points) {
    if (hull.length > 0 && point.value <= hull.at(-1)!.value) continue;
    while (hull.length > 1 && !isBelow(hull.at(-2)!, hull.at(-1)!, point)) hull.pop();
    hull.push(point);
  }
  return hull;
}

/** Whether the step to the middle one is steeper than the step from it. */
const isBelow = <P>(a: Combined<P>, middle: Combined<P>, b: Combined<P>): boolean =>
  (middle.value - a.value) * (b.cost - middle.cost) > (b.value - middle.value) * (middle.cost - a.cost);
