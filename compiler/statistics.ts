/** Intervals and comparisons of measured shares. */

/** 95% interval of a share of k in n, in percent (Wilson 1927): right also near 0 and 100. */
export function wilson(k: number, n: number): readonly [low: number, high: number] {
  const z = 1.959964;
  const share = k / n;
  const middle = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  const percent = (x: number): number => Number((100 * Math.min(1, Math.max(0, x))).toFixed(2));
  return [percent(middle - half), percent(middle + half)];
}
