/** The samples that recipes look at: spread evenly over the data, each once, in the order of the data. */
import {fail} from '../../ir/diagnostics.js';
import type {Entry, TypedArray} from '../../runtime/index.js';
import type {Input} from '../../runtime/manifest.js';
import type {Dataset} from '../data/dataset.js';
import {inputTensor} from '../samples.js';

/** Fewer do not tell a range. */
const fewest = 8;

/** Errors: input calibrate.few. */
export function spread({count, path}: Dataset, wanted: number): readonly number[] {
  if (count < fewest) fail('input', 'calibrate.few', path, `has ${count} samples`, `give at least ${fewest}; 64 are usual`);
  const chosen = Math.min(count, Math.max(wanted, fewest));
  return Array.from({length: chosen}, (_, i) => Math.floor(((i + 0.5) * count) / chosen));
}

/**
 * Runs the entry on samples, one after the other; `see` gets the outputs, which the next sample overwrites, and the input.
 * Errors: usage calibrate.inputs; input calibrate.constant, and those of `inputTensor`, which name the sample.
 */
export function forEachSample(
  entry: Entry,
  data: Dataset,
  indices: readonly number[],
  see: (outputs: readonly TypedArray[], input: TypedArray) => void,
  progress: (done: number) => void,
): void {
  const input = onlyInput(entry);
  const outputs = entry.newOutputs();
  indices.forEach((index, done) => {
    progress(done);
    const where = data.where(index);
    const {data: values} = inputTensor(data.sample(index), input, where);
    refuseConstant(values, where);
    entry.call([values], outputs);
    see(outputs, values);
  });
}

function onlyInput({task: {inputs}, variant}: Entry): Input {
  const [input, another] = inputs;
  return input && !another
    ? input
    : fail('usage', 'calibrate.inputs', variant.task, `has ${inputs.length} inputs`, 'quantize networks of one input');
}

function refuseConstant(values: ArrayLike<number | bigint>, where: string): void {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return;
  fail('input', 'calibrate.constant', where, `every element is ${values[0]}`, 'remove or repair the sample');
}
