/** What options of a layer do to the scores: measured for a few of them, read off in between. */

/**
 * Relative errors near which effects are measured. Divergence and squared error grow alike while both are small; what a layer can bear beyond that is
 * its own, and last layers bear little.
 */
const probed: readonly number[] = [0.005, 0.02, 0.08, 0.25];

/** Zero has no logarithm. */
const smallest = 1e-12;

/** Expected divergence, in nats, of each option, in their order. `measure`: of one, alone in the network. */
export function harmsOf<O extends {readonly error: number}>(
  options: readonly O[],
  measure: (option: O) => number,
): readonly number[] {
  const nearest = (error: number): O =>
    options.reduce((best, option) => (distance(option, error) < distance(best, error) ? option : best));
  const chosen = options.length === 0 ? [] : [...new Set(probed.map(nearest))];
  const points = chosen.map((option): Point => [Math.max(option.error, smallest), measure(option)]).toSorted(([a], [b]) => a - b);
  return options.map(({error}) => readOff(points, Math.max(error, smallest)));
}

const distance = ({error}: {readonly error: number}, from: number): number =>
  Math.abs(Math.log(Math.max(error, smallest) / from));

/** Error and divergence. */
type Point = readonly [number, number];

/** Between two points by a power of the error, outside in proportion to it. */
function readOff(points: readonly Point[], error: number): number {
  const after = points.findIndex(([own]) => own >= error);
  const [high, low] = [points[after], points[after < 0 ? points.length - 1 : after - 1]];
  if (!high || !low || high[0] === error) {
    const [own, nats] = (high ?? low)!;
    return (nats * error) / own;
  }
  const part = Math.log(error / low[0]) / Math.log(high[0] / low[0]);
  return low[1] * (high[1] / low[1]) ** part;
}
