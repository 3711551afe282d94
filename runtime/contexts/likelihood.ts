/** What an answer alone says, without the prior that it was given under. */

/**
 * How well each class would explain the input, up to a factor: probability over prior. Classes that the prior ruled out say
 * nothing. Written to `into`.
 */
export function likelihoods(probabilities: ArrayLike<number>, under: ArrayLike<number>, into: Float64Array): Float64Array {
  for (let c = 0; c < into.length; c++) into[c] = under[c]! > 0 ? probabilities[c]! / under[c]! : 0;
  return into;
}

/** How well frequencies explain an input: the mean of its likelihoods. */
export function explains(frequencies: ArrayLike<number>, likelihood: Float64Array): number {
  let sum = 0;
  for (let c = 0; c < likelihood.length; c++) sum += frequencies[c]! * likelihood[c]!;
  return sum;
}

/** The first of the largest. */
export function largestAt(values: ArrayLike<number>): number {
  let best = 0;
  for (let c = 1; c < values.length; c++) if (values[c]! > values[best]!) best = c;
  return best;
}
