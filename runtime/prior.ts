/**
 * Scores to probabilities under known class frequencies: a network that learned under other ones is corrected without
 * fitting anything (Saerens, Latinne, Decaestecker 2002, "Adjusting the outputs of a classifier to new a priori
 * probabilities"); the temperature makes its confidence honest first (Guo et al. 2017).
 */
import {DnncRuntimeError} from './errors.js';
import type {Task, Variant} from './manifest.js';
import {classesOf} from './tensors.js';

export type Correction = {
  /** What the scores are. */
  readonly scores: 'logits' | 'probabilities';
  /** Above 1 where the network is too sure of itself. */
  readonly temperature: number;
  /** log(frequency now / frequency in training) by class. -Infinity: the class cannot occur. */
  readonly shift: ArrayLike<number>;
};

/** Of classes that are expected `now`, by output index; `training` absent: all alike. They need not sum to 1. */
export function shiftOf(now: ArrayLike<number>, training: ArrayLike<number> | undefined): Float64Array {
  return Float64Array.from(now, (frequency, c) => Math.log(frequency) - Math.log(training?.[c] ?? 1));
}

/** Probabilities by class, which sum to 1; `weights` is where they go. Scores that are not numbers give NaN. */
export function posterior(
  scores: ArrayLike<number>,
  {scores: kind, temperature, shift}: Correction,
  weights = new Float64Array(scores.length),
): Float64Array {
  let most = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < weights.length; c++) {
    const score = scores[c]!;
    weights[c] = (kind === 'logits' ? score : Math.log(score)) / temperature + (shift[c] ?? 0);
    most = Math.max(most, weights[c]!);
  }
  let sum = 0;
  for (let c = 0; c < weights.length; c++) {
    weights[c] = Math.exp(weights[c]! - most);
    sum += weights[c]!;
  }
  for (let c = 0; c < weights.length; c++) weights[c]! /= sum;
  return weights;
}

/** Frequencies by output index or by label: they need not sum to 1. */
export type Frequencies = Readonly<Record<string, number | undefined>> | readonly number[];

/** How often each class is asked for, by output index: alike within a context that holds `share`, and alike outside. */
export function frequenciesIn(classes: readonly number[], share: number, count: number): readonly number[] {
  const inside = new Set(classes);
  return Array.from({length: count}, (_, c) =>
    inside.has(c) ? share / inside.size : (1 - share) / Math.max(1, count - inside.size),
  );
}

/** What a variant's scores need under frequencies by label or by output index. Throws `session.prior`. */
export function correctionOf(
  name: string,
  {labels, labelOffset = 0, outputs, scores}: Task,
  {calibration}: Variant,
  prior: Frequencies,
): Correction {
  const classes = classesOf(outputs[0]?.shape ?? []);
  const now = new Float64Array(classes);
  for (const [key, frequency = 0] of Object.entries(prior)) {
    const index = Array.isArray(prior) ? Number(key) : (labels?.indexOf(key) ?? -1) + labelOffset;
    const unknown = !Array.isArray(prior) && !labels?.includes(key);
    if (unknown || index >= classes)
      throw new DnncRuntimeError('session.prior', name, `"${key}" is no class`, known(labels, classes));
    if (!(frequency >= 0 && frequency < Number.POSITIVE_INFINITY))
      throw new DnncRuntimeError('session.prior', name, `"${key}" has frequency ${frequency}`, 'give numbers that are 0 or more');
    now[index] = frequency;
  }
  if (now.every(frequency => frequency === 0))
    throw new DnncRuntimeError('session.prior', name, 'expects no class at all', known(labels, classes));
  return {scores, temperature: calibration?.temperature ?? 1, shift: shiftOf(now, calibration?.frequencies)};
}

const known = (labels: readonly string[] | undefined, classes: number): string =>
  labels ? `use labels out of ${labels.join(', ')}` : `give an array of ${classes} frequencies`;
