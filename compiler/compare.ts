/** How far two tensors are apart. */
import {numberAt, type Tensor} from '../ir/tensor.js';

export type Difference = {
  readonly maxAbsolute: number;
  /** Relative to the largest absolute value of the reference. */
  readonly maxRelative: number;
  /** Whether the largest element stands at the same place. */
  readonly sameLabel: boolean;
  /** How many elements were compared, and how many are equal. */
  readonly elements: number;
  readonly identical: number;
};

/** Of nothing: what `worse` starts from. */
export const noDifference: Difference = {maxAbsolute: 0, maxRelative: 0, sameLabel: true, elements: 0, identical: 0};

/** NaN equals NaN, and an infinity itself; where only one side has one, the difference is infinite. */
export function difference(got: Tensor, want: Tensor): Difference {
  let [worst, largest, gotBest, wantBest, identical] = [0, 0, 0, 0, 0];
  for (let i = 0; i < want.data.length; i++) {
    const [a, b] = [numberAt(got, i), numberAt(want, i)];
    if (Number.isFinite(b)) largest = Math.max(largest, Math.abs(b));
    if (Object.is(a, b) || a === b) identical++;
    else worst = Math.max(worst, Number.isFinite(a - b) ? Math.abs(a - b) : Number.POSITIVE_INFINITY);
    if (a > numberAt(got, gotBest)) gotBest = i;
    if (b > numberAt(want, wantBest)) wantBest = i;
  }
  const maxRelative = worst === 0 ? 0 : worst / Math.max(largest, 1e-30);
  return {maxAbsolute: worst, maxRelative, sameLabel: gotBest === wantBest, elements: want.data.length, identical};
}

/** The worse of two; over all elements of both. */
export const worse = (a: Difference, b: Difference): Difference => ({
  maxAbsolute: Math.max(a.maxAbsolute, b.maxAbsolute),
  maxRelative: Math.max(a.maxRelative, b.maxRelative),
  sameLabel: a.sameLabel && b.sameLabel,
  elements: a.elements + b.elements,
  identical: a.identical + b.identical,
});
