/**
 * What a changed network loses, without labels. Few samples get another label, and a few make most of the divergence, so neither tells
 * much when samples are few. But how far scores move is seen in each sample that was held out, and how near labels are to others in
 * each sample, held out or not, for that takes the float network alone.
 *
 * The gap between a sample's largest score and the next one becomes a multiple of what it was, and normal noise. Below zero another
 * label is given, and with a gap g the first of the two is right more often by tanh(g / 2), by the float network's own probabilities.
 * Gaps are taken to be half of a normal distribution, with the mean square that they have: those near zero, where labels change, are
 * too few to count, and of samples that a network was trained on there are fewer than of others, while large ones are much the same.
 */

/** Probabilities of the classes: of the float network and of the changed one. */
export type Compared = {readonly float: Float64Array; readonly changed: Float64Array};

/**
 * Networks are mostly surer than they are right (Guo et al. 2017): gaps are divided by so much. Without labels it is one number for
 * all: more would suit ResNets, less networks that were trained to be less sure.
 */
const surer = 1.25;

/** Part of right answers, from 0 to 1. `pairs`: samples that were not fitted to; `float`: probabilities of these and others. */
export function expectedLoss(pairs: readonly Compared[], float: readonly Float64Array[]): number {
  const width = Math.sqrt(meanOf(float.map(probabilities => gapOf(probabilities, ...firstTwo(probabilities)) ** 2)));
  const noise = Math.min(noiseOf(pairs), mostNoise * width);
  if (!(width > 0) || !(noise > 0)) return 0;
  let [lost, within] = [0, 0];
  for (let z = step / 2; z < farthest; z += step) {
    // Noise of -z takes the label of samples whose gaps are within it.
    const gap = noise * z;
    const next = (step * noise * 2 * normal(gap / width) * Math.tanh(gap / (2 * surer))) / width;
    lost += step * normal(z) * (within + next / 2);
    within += next;
  }
  return lost;
}

const [step, farthest] = [0.01, 6];

/** In widths of gaps: a network with more of it has nothing to do with what it was. */
const mostNoise = 10;

const normal = (z: number): number => Math.exp(-0.5 * z ** 2) / Math.sqrt(2 * Math.PI);

/** Standard deviation of the noise, in what gaps were before. */
function noiseOf(pairs: readonly Compared[]): number {
  const gaps = pairs.map(({float, changed}) => {
    const both = firstTwo(float);
    return {was: gapOf(float, ...both), is: gapOf(changed, ...both)};
  });
  // One sample tells of no multiple.
  const scale = gaps.length > 1 ? meanOf(gaps.map(({was, is}) => was * is)) / meanOf(gaps.map(({was}) => was ** 2)) : 1;
  const noise = Math.sqrt(meanOf(gaps.map(({was, is}) => (is - scale * was) ** 2)));
  return scale > 0 ? noise / scale : Number.POSITIVE_INFINITY;
}

/** The classes with the largest score and the next one. */
function firstTwo(probabilities: Float64Array): readonly [number, number] {
  let [first, second] = [0, 0];
  probabilities.forEach((probability, c) => {
    if (c === 0) return;
    if (probability > probabilities[first]!) [first, second] = [c, first];
    else if (second === first || probability > probabilities[second]!) second = c;
  });
  return [first, second];
}

const gapOf = (probabilities: Float64Array, first: number, second: number): number =>
  logOf(probabilities[first]!) - logOf(probabilities[second]!);

const logOf = (probability: number): number => Math.log(Math.max(probability, 1e-12));

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
