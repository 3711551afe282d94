/** Loops over axes of several operands at once: fewer and longer where all of them step evenly. */

/** `steps`: the stride of each operand. */
export type FoldedAxis = {readonly size: number; readonly steps: readonly number[]};

/**
 * Drops axes of size 1, sorts the others so that the first operand's smallest step comes last, merges neighbours where
 * every operand allows, and fills up to `count` axes with axes of size 1 in front. More than `count` is a bug of the caller.
 */
export function foldAxes(
  sizes: readonly number[],
  operands: readonly (readonly number[])[],
  count: number,
): readonly FoldedAxis[] {
  const axes = sizes
    .map((size, i) => ({size, steps: operands.map(strides => strides[i]!)}))
    .filter(({size}) => size !== 1)
    .sort((a, b) => Math.abs(b.steps[0]!) - Math.abs(a.steps[0]!));
  const folded: FoldedAxis[] = [];
  for (const {size, steps} of axes) {
    const outer = folded.at(-1);
    if (outer?.steps.every((step, at) => step === steps[at]! * size))
      folded[folded.length - 1] = {size: outer.size * size, steps};
    else folded.push({size, steps});
  }
  while (folded.length < count) folded.unshift({size: 1, steps: operands.map(() => 0)});
  if (folded.length > count) throw new RangeError(`${folded.length} loops do not fit into ${count}`);
  return folded;
}
