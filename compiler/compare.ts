/** How far two tensors are apart. */
import {numberAt, type Tensor} from '../ir/tensor.js';

export type Difference = {
  readonly maxAbsolute: number;
  /** Relative to the largest absolute value of the reference. */
  readonly maxRelative: number;
  /** Whether the largest element stands at the same place. */
  readonly sameLabel: boolean;
};

/** NaN equals NaN, and an infinity itself; where only one side has one, the difference is infinite. */
export function difference(got: Tensor, want: Tensor): Difference {
  let [worst, largest, gotBest, wantBest] = [0, 0, 0, 0];
  for (let i = 0; i < want.data.length; i++) {
    const [a, b] = [numberAt(got, i), numberAt(want, i)];
    if (Number.isFinite(b)) largest = Math.max(largest, Math.abs(b));
    if (!Object.is(a, b) && a !== b) worst = Math.max(worst, Number.isFinite(a - b) ? Math.abs(a - b) : Number.POSITIVE_INFINITY);
    if (a > numberAt(got, gotBest)) gotBest = i;
    if (b > numberAt(want, wantBest)) wantBest = i;
  }
  return {maxAbsolute: worst, maxRelative: worst === 0 ? 0 : worst / Math.max(largest, 1e-30), sameLabel: gotBest === wantBest};
}

/** The worse of two. */
export const worse = (a: Difference, b: Difference): Difference => ({
  maxAbsolute: Math.max(a.maxAbsolute, b.maxAbsolute),
  maxRelative: Math.max(a.maxRelative, b.maxRelative),
  sameLabel: a.sameLabel && b.sameLabel,
});
