/** Honest probabilities from labelled samples that a network was not trained on: a temperature, and the classes' frequencies. */
import {type Entry, posterior} from '../runtime/index.js';
import type {Calibration} from '../runtime/manifest.js';

import type {Labelled} from './data/dataset.js';
import {hashOfData, labelsOf, scoresOf} from './evaluate-variant.js';

type Kind = 'logits' | 'probabilities';

/** Runs the entry on all samples. Errors: those of `scoresOf`. */
export function calibrationOf(entry: Entry, labelled: Labelled, progress?: (done: number) => void): Calibration {
  const {data} = labelled;
  const scores = scoresOf(entry, data, progress);
  const labels = labelsOf(entry.task, data);
  const classes = scores[0]?.length ?? 0;
  return {
    temperature: Number(temperatureOf(scores, labels, entry.task.scores).toPrecision(4)),
    frequencies: frequenciesOf(labels, classes),
    n: data.count,
    data: hashOfData(labelled),
  };
}

/** The temperature of least mean negative log-likelihood (Guo et al. 2017), by golden sections of its logarithm. */
export function temperatureOf(scores: readonly (readonly number[])[], labels: readonly number[], kind: Kind): number {
  const shift = (scores[0] ?? []).map(() => 0);
  const loss = (logarithm: number): number =>
    scores.reduce((sum, sample, i) => {
      const probabilities = posterior(sample, {scores: kind, temperature: Math.exp(logarithm), shift});
      return sum - Math.log(Math.max(probabilities[labels[i]!]!, 1e-12));
    }, 0);
  const golden = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [Math.log(0.05), Math.log(20)];
  let [left, right] = [high - golden * (high - low), low + golden * (high - low)];
  let [atLeft, atRight] = [loss(left), loss(right)];
  while (high - low > 1e-3)
    if (atLeft < atRight) {
      [high, right, atRight] = [right, left, atLeft];
      left = high - golden * (high - low);
      atLeft = loss(left);
    } else {
      [low, left, atLeft] = [left, right, atRight];
      right = low + golden * (high - low);
      atRight = loss(right);
    }
  return Math.exp((low + high) / 2);
}

/** Shares of the classes; each counts once more than it occurs, so that none is impossible. */
export function frequenciesOf(labels: readonly number[], classes: number): readonly number[] {
  const counts = new Array<number>(classes).fill(1);
  for (const label of labels) counts[label]! += 1;
  return counts.map(count => Number((count / (labels.length + classes)).toPrecision(6)));
}
