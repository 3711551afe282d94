/** In which order samples are looked at, and when enough have been seen: successive halving on data. */

/** Every 16th sample, then every 4th, then the rest: each part is spread over data that is sorted by class. */
const strides = [16, 4, 1];

/** A part with fewer samples decides nothing. */
const fewest = 48;

/** Indices of samples, part by part. */
export function evaluationOrder(count: number): readonly (readonly number[])[] {
  const seen = new Set<number>();
  const parts: number[][] = [];
  for (const stride of strides) {
    const part: number[] = [];
    for (let i = 0; i < count; i += stride) if (!seen.has(i)) part.push(i);
    // Parts that are too small become one with the next.
    if (parts.length > 0 && seen.size < fewest) parts.at(-1)!.push(...part);
    else parts.push(part);
    for (const i of part) seen.add(i);
  }
  return parts;
}

/** Percentage points lost on the samples that both have seen, and the standard error of that. */
export function lossOf(full: string, right: string): {readonly loss: number; readonly error: number} {
  const n = right.length;
  let [sum, squares] = [0, 0];
  for (let i = 0; i < n; i++) {
    const difference = Number(full[i]) - Number(right[i]);
    sum += difference;
    squares += difference * difference;
  }
  const mean = sum / n;
  const variance = Math.max(0, squares / n - mean * mean);
  return {loss: 100 * mean, error: 100 * Math.sqrt(variance / n)};
}

/** Of a normal distribution: one variant in 200 that would hold is given up too early. */
const certain = 2.58;

/** Whether more is lost than may be, whatever the samples not yet seen say. */
export function isHopeless(full: string, right: string, points: number): boolean {
  const {loss, error} = lossOf(full, right);
  return loss - certain * error > points;
}
