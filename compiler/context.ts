/** A context: a few classes that hold most requests for a while (MCDNN, section 5.2.1), and what accuracy is worth in it. */
import {fail} from '../ir/diagnostics.js';
import {elements} from '../ir/tensor.js';
import type {Task} from '../runtime/manifest.js';

export type Context = {
  /** Output indices. */
  readonly classes: readonly number[];
  /** Of the requests, from 0 to 1. */
  readonly share: number;
};

/** `stop,yield@0.9`: labels or output indices, and their share of the requests. Throws `usage`. */
export function parseContext(text: string, task: Task): Context {
  const at = text.lastIndexOf('@');
  const share = Number(text.slice(at + 1));
  if (at < 1 || !(share > 0 && share <= 1))
    return fail(
      'usage',
      'context.form',
      text,
      'is not CLASS,CLASS,...@SHARE with a share above 0 and at most 1',
      'stop,yield@0.9',
    );
  const count = elements(task.outputs[0]?.shape ?? []);
  const classes = text
    .slice(0, at)
    .split(',')
    .map(name => classOf(name.trim(), task, count));
  const twice = classes.find((each, i) => classes.indexOf(each) !== i);
  if (twice !== undefined) return fail('usage', 'context.twice', text, `names class ${twice} twice`, 'name each class once');
  if (classes.length >= count && share < 1)
    return fail('usage', 'context.all', text, 'names every class, which leaves none for the rest', 'name fewer, or a share of 1');
  return {classes, share};
}

function classOf(name: string, {labels, labelOffset = 0}: Task, count: number): number {
  const labelled = labels?.indexOf(name) ?? -1;
  const index = labelled >= 0 ? labelled + labelOffset : /^\d+$/.test(name) ? Number(name) : -1;
  if (index >= 0 && index < count) return index;
  return fail('usage', 'context.class', name, 'is no class of this task', `one of ${labels?.join(', ') ?? `0 to ${count - 1}`}`);
}

/** Percent of right answers where classes come this often, from samples in which they come otherwise. */
export function accuracyUnder(frequencies: readonly number[], answers: readonly number[], labels: readonly number[]): number {
  const all = new Map<number, {count: number; correct: number}>();
  for (const [i, label] of labels.entries()) {
    const known = all.get(label) ?? {count: 0, correct: 0};
    all.set(label, {count: known.count + 1, correct: known.correct + (answers[i] === label ? 1 : 0)});
  }
  const classes = [...all];
  const weight = classes.reduce((sum, [label]) => sum + frequencies[label]!, 0);
  const right = classes.reduce((sum, [label, {count, correct}]) => sum + (frequencies[label]! * correct) / count, 0);
  return Number(((100 * right) / weight).toFixed(2));
}
