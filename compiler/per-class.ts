/** The confusion matrix of a variant on labelled data, row by row. */
import type {ConfusionRow, Task} from '../runtime/manifest.js';
import type {Dataset} from './data/dataset.js';
import {labelsOf} from './evaluate-variant.js';

export type ClassAccuracy = {
  /** The class's label, or its output index. */
  readonly label: string;
  readonly n: number;
  readonly correct: number;
  /** In percent. */
  readonly value: number;
  /** What its samples were answered with, most often first. */
  readonly answers: readonly {readonly label: string; readonly n: number}[];
};

/** What samples of each class are answered with; answers and labels are output indices. */
export function confusionOf(answers: ArrayLike<number>, labels: readonly number[]): readonly ConfusionRow[] {
  const rows = new Map<number, Map<number, number>>();
  for (const [i, wanted] of labels.entries()) {
    const answer = answers[i]!;
    const row = rows.get(wanted) ?? new Map<number, number>();
    rows.set(wanted, row.set(answer, (row.get(answer) ?? 0) + 1));
  }
  return [...rows]
    .sort(([a], [b]) => a - b)
    .map(([wanted, row]) => ({class: wanted, answers: [...row].sort(([a, x], [b, y]) => y - x || a - b)}));
}

/** Classes that have samples, by output index. */
export function perClass(task: Task, answers: readonly number[], data: Dataset): readonly ClassAccuracy[] {
  const {labels, labelOffset = 0} = task;
  const named = (index: number): string => labels?.[index - labelOffset] ?? `${index}`;
  return confusionOf(answers, labelsOf(task, data)).map(({class: wanted, answers: given}) => {
    const n = given.reduce((sum, [, count]) => sum + count, 0);
    const correct = given.find(([answer]) => answer === wanted)?.[1] ?? 0;
    return {
      ...{label: named(wanted), n, correct, value: Number(((100 * correct) / n).toFixed(2))},
      answers: given.map(([answer, count]) => ({label: named(answer), n: count})),
    };
  });
}
