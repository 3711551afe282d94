/** Smooth minimization without second derivatives: L-BFGS (Liu and Nocedal 1989) with a backtracking line search. */

/** Value at `x`; writes its gradient. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

export type MinimizeOptions = {
  /** Pairs that stand for the curvature. Default 10. */
  readonly memory?: number;
  /** Default 100. */
  readonly iterations?: number;
  /** Stops where the gradient's norm is this part of its first one. Default 1e-3. */
  readonly tolerance?: number;
};

type Pair = {readonly step: Float64Array; readonly change: Float64Array; readonly rho: number};

/** The place of least value that was found from `start`, which is not changed. */
export function minimize(objective: Objective, start: Float64Array, options: MinimizeOptions = {}): Float64Array {
  const {memory = 10, iterations = 100, tolerance = 1e-3} = options;
  let x = start.slice();
  let gradient = new Float64Array(x.length);
  let value = objective(x, gradient);
  const first = Math.sqrt(dot(gradient, gradient));
  const pairs: Pair[] = [];
  for (let k = 0; k < iterations && Math.sqrt(dot(gradient, gradient)) > tolerance * first; k++) {
    const direction = descent(gradient, pairs);
    const slope = dot(direction, gradient);
    let length = pairs.length === 0 ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1;
    const next = new Float64Array(x.length);
    const nextGradient = new Float64Array(x.length);
    let nextValue = Number.POSITIVE_INFINITY;
    for (let halvings = 0; halvings < 30; halvings++, length /= 2) {
      for (let i = 0; i < x.length; i++) next[i] = x[i]! + length * direction[i]!;
      nextValue = objective(next, nextGradient);
      if (nextValue <= value + 1e-4 * length * slope) break;
    }
    if (!(nextValue < value)) break;
    const step = next.map((at, i) => at - x[i]!);
    const change = nextGradient.map((at, i) => at - gradient[i]!);
    const curvature = dot(step, change);
    // A pair without positive curvature would spoil the directions to come.
    if (curvature > 1e-12) pairs.push({step, change, rho: 1 / curvature});
    if (pairs.length > memory) pairs.shift();
    [x, gradient, value] = [next, nextGradient, nextValue];
  }
  return x;
}

/** Minus the inverse curvature times the gradient: the two loops over the pairs. */
function descent(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const direction = gradient.map(value => -value);
  const factors: number[] = [];
  for (const {step, change, rho} of pairs.toReversed()) {
    const factor = rho * dot(step, direction);
    factors.push(factor);
    for (let i = 0; i < direction.length; i++) direction[i]! -= factor * change[i]!;
  }
  const last = pairs.at(-1);
  if (last) {
    const scale = 1 / (last.rho * dot(last.change, last.change));
    for (let i = 0; i < direction.length; i++) direction[i]! *= scale;
  }
  for (const {step, change, rho} of pairs) {
    const factor = factors.pop()! - rho * dot(change, direction);
    for (let i = 0; i < direction.length; i++) direction[i]! += factor * step[i]!;
  }
  return direction;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
