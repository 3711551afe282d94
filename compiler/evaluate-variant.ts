/** Accuracy of a bound variant on labelled data. */
import {createHash} from 'node:crypto';
import {readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {fail} from '../ir/diagnostics.js';
import {elements} from '../ir/tensor.js';
import type {Entry} from '../runtime/index.js';
import type {Quality} from '../runtime/manifest.js';
import type {Dataset} from './data/dataset.js';
import {inputTensor} from './samples.js';
import {wilson} from './statistics.js';

export type Accuracy = {
  readonly n: number;
  readonly correct: number;
  readonly value: number;
  readonly interval: readonly [number, number];
};

/** Top-1 over all samples. The first output holds the scores. Throws `input` errors that name the sample. */
export function accuracyOf(entry: Entry, data: Dataset, progress: (done: number) => void = () => {}): Accuracy {
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
  const classes = elements(output.shape);
  const offset = entry.task.labelOffset ?? 0;
  const outputs = entry.newOutputs();
  const scores = outputs[0]!;
  let correct = 0;
  for (let i = 0; i < data.count; i++) {
    const sample = inputTensor(data.sample(i), input, data.where(i));
    entry.call([sample.data], outputs);
    const wanted = data.label(i) + offset;
    if (wanted < 0 || wanted >= classes)
      fail(
        'input',
        'evaluate.label',
        data.where(i),
        `label ${data.label(i)} is outside the ${classes} classes of the output`,
        'check labelsKey and labelOffset',
      );
    let best = 0;
    for (let c = 1; c < classes; c++) if (Number(scores[c]) > Number(scores[best])) best = c;
    if (best === wanted) correct++;
    if (i % 64 === 0) progress(i);
  }
  return {
    n: data.count,
    correct,
    value: Number(((100 * correct) / data.count).toFixed(2)),
    interval: wilson(correct, data.count),
  };
}

/** The manifest's form of an accuracy; the data is named by its hash. */
export const qualityOf = ({n, value, interval}: Accuracy, path: string): Quality => ({
  metric: 'top1',
  value,
  interval,
  n,
  data: hashOfData(path),
});

/** sha256 of an .npz, or of names and bytes of every file of a folder. */
function hashOfData(path: string): string {
  const digest = createHash('sha256');
  if (!statSync(path).isDirectory()) return digest.update(readFileSync(path)).digest('hex');
  for (const file of readdirSync(path, {recursive: true, encoding: 'utf8'}).sort())
    if (statSync(join(path, file)).isFile()) digest.update(`${file}\0`).update(readFileSync(join(path, file)));
  return digest.digest('hex');
}
