/** Accuracy of a bound variant on labelled data. */
import {fail} from '../ir/diagnostics.js';
import {elements} from '../ir/tensor.js';
import type {Entry} from '../runtime/index.js';
import type {Input, Quality, Task} from '../runtime/manifest.js';
import {hashOfSamples} from './data/archive.js';
import type {Dataset, Labelled} from './data/dataset.js';
import type {Peer} from './onnxruntime.js';
import {inputTensor} from './samples.js';
import {wilson} from './statistics.js';

export type Accuracy = {
  readonly n: number;
  readonly correct: number;
  readonly value: number;
  readonly interval: readonly [number, number];
};

/** The class of the largest score, per sample; the first of equals. Throws `input` errors that name the sample. */
export const answersOf = (entry: Entry, data: Dataset, progress?: (done: number) => void): readonly number[] =>
  scoresOf(entry, data, progress).map(largestOf);

/** How many samples are answered rightly. */
export function rightBy(entry: Entry, data: Dataset): number {
  const labels = labelsOf(entry.task, data);
  return answersOf(entry, data).filter((answer, i) => answer === labels[i]).length;
}

/** The first output, per sample. */
export function scoresOf(
  entry: Entry,
  data: Dataset,
  progress: (done: number) => void = () => {},
): readonly (readonly number[])[] {
  const input = scoredInput(entry, data);
  const outputs = entry.newOutputs();
  return Array.from({length: data.count}, (_, i) => {
    if (i % 64 === 0) progress(i);
    entry.call([inputTensor(data.sample(i), input, data.where(i)).data], outputs);
    return Array.from(outputs[0]!, Number);
  });
}

/** The same by onnxruntime, on the same prepared samples. */
export async function peerAnswersOf(
  peer: Peer,
  entry: Entry,
  data: Dataset,
  progress: (done: number) => void = () => {},
): Promise<readonly number[]> {
  const input = scoredInput(entry, data);
  const [scores] = entry.task.outputs;
  const answers: number[] = [];
  for (let i = 0; i < data.count; i++) {
    if (i % 64 === 0) progress(i);
    const theirs = await peer.run([inputTensor(data.sample(i), input, data.where(i))]);
    answers.push(largestOf((theirs.get(scores!.name) ?? [...theirs.values()][0]!).data));
  }
  return answers;
}

export function accuracyFrom(answers: readonly number[], data: Dataset, offset: number): Accuracy {
  return accuracyOfCount(answers.filter((answer, i) => answer === data.label(i) + offset).length, data.count);
}

export const accuracyOfCount = (correct: number, n: number): Accuracy => ({
  ...{n, correct},
  value: Number(((100 * correct) / n).toFixed(2)),
  interval: wilson(correct, n),
});

export function largestOf(scores: ArrayLike<number | bigint>): number {
  let best = 0;
  for (let c = 1; c < scores.length; c++) if (Number(scores[c]) > Number(scores[best])) best = c;
  return best;
}

/** The one input of an entry whose first output has a score for every label of the data. */
export function scoredInput(entry: Entry, data: Dataset): Input {
  const [input] = entry.task.inputs;
  const [output] = entry.task.outputs;
  if (!input || !output || entry.task.inputs.length !== 1)
    return fail(
      'usage',
      'evaluate.inputs',
      entry.variant.id,
      `has ${entry.task.inputs.length} inputs`,
      'only variants with one input can be evaluated',
    );
  labelsOf(entry.task, data);
  return input;
}

/** The output index of each sample's label. Throws `input` where one is outside the scores. */
export function labelsOf({outputs, labelOffset = 0}: Task, data: Dataset): readonly number[] {
  const classes = elements(outputs[0]?.shape ?? []);
  return Array.from({length: data.count}, (_, i) => {
    const wanted = data.label(i) + labelOffset;
    if (wanted >= 0 && wanted < classes) return wanted;
    return fail(
      'input',
      'evaluate.label',
      data.where(i),
      `label ${data.label(i)} is outside the ${classes} classes of the output`,
      'check labelsKey and labelOffset',
    );
  });
}

/** The manifest's form of an accuracy; the data is named by its hash. */
export const qualityOf = ({n, value, interval}: Accuracy, labelled: Labelled): Quality => ({
  metric: 'top1',
  value,
  interval,
  n,
  data: hashOfData(labelled),
});

const hashes = new WeakMap<Dataset, string>();

/** Names all that the samples are, labels and classes too: read once for all that is made of the data. */
export function hashOfData({path, data}: Labelled): string {
  const hash = hashes.get(data) ?? hashOfSamples(path);
  hashes.set(data, hash);
  return hash;
}
