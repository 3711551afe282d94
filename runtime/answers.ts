/** From what a network gives to an answer: the largest score and its label, corrected by a prior where there is one. */
import {DnncRuntimeError} from './errors.js';
import type {Task, Variant} from './manifest.js';
import {correctionOf, posterior} from './prior.js';
import type {Given, Staged} from './stages.js';
import {batchOf, classesOf, largest, type TypedArray} from './tensors.js';

export type Plain = {readonly label: string | undefined; readonly index: number; readonly scores: TypedArray};

/** Label and index of sample i. */
export function sampleOf(name: string, task: Task, outputs: readonly TypedArray[], i: number): Plain {
  const output = task.outputs[0];
  const all = outputs[0];
  if (!output || !all) throw new DnncRuntimeError('session.scores', name, 'has no output');
  const classes = classesOf(output.shape);
  const index = largest(output.dtype, all, i * classes, (i + 1) * classes);
  if (index < 0) {
    throw new DnncRuntimeError(
      'session.scores',
      `${name}, output "${output.name}"`,
      'a score is not a number',
      'look at the input, and at raw outputs with entry().call',
    );
  }
  const scores = batchOf(output.shape) === 1 ? all : all.subarray(i * classes, (i + 1) * classes);
  return {label: task.labels?.[index - (task.labelOffset ?? 0)], index, scores};
}

export function answerOf(name: string, task: Task, outputs: readonly TypedArray[]): Plain & {readonly outputs: object} {
  return {
    ...sampleOf(name, task, outputs, 0),
    outputs: Object.fromEntries(task.outputs.map((output, i) => [output.name, outputs[i]])),
  };
}

/** The answer under a prior; as it is where none is given. */
export function corrected<A extends Plain>(
  name: string,
  {task, variant}: {readonly task: Task; readonly variant: Variant},
  answer: A,
  prior: Given,
): A {
  if (!prior) return answer;
  const {scores} = answer;
  const numbers = scores instanceof Float32Array ? scores : Array.from(scores, Number);
  const probabilities = posterior(numbers, correctionOf(name, task, variant, prior));
  return {...answer, ...mostProbable(task, probabilities)};
}

/** The class of the largest probability, the first of equals. */
function mostProbable({labels, labelOffset = 0}: Task, probabilities: Float64Array) {
  let index = 0;
  for (let c = 1; c < probabilities.length; c++) if (probabilities[c]! > probabilities[index]!) index = c;
  return {index, label: labels?.[index - labelOffset], probabilities};
}

/** A cascade's answer; its scores are the probabilities. */
export function stagedAnswer(
  task: Task,
  {probabilities, answeredBy}: Staged,
): Plain & {readonly outputs: object; readonly probabilities: Float64Array; readonly answeredBy: string} {
  const own = new ArrayBuffer(12 * probabilities.length);
  const kept = new Float64Array(own, 0, probabilities.length);
  const scores = new Float32Array(own, 8 * probabilities.length);
  kept.set(probabilities);
  scores.set(probabilities);
  return {...mostProbable(task, kept), scores, outputs: {[task.outputs[0]!.name]: scores}, answeredBy};
}
