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
  const shift = new Float64Array(now.length);
  for (let c = 0; c < shift.length; c++) shift[c] = Math.log(now[c]! / (training?.[c] ?? 1));
  return shift;
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
export function correctionOf(name: string, task: Task, {calibration}: Variant, prior: Frequencies): Correction {
  const now = isByIndex(prior) ? byIndex(name, task, prior) : byLabel(name, task, prior);
  return {scores: task.scores, temperature: calibration?.temperature ?? 1, shift: shiftOf(now, calibration?.frequencies)};
}

const isByIndex = (prior: Frequencies): prior is readonly number[] => Array.isArray(prior);

/** This is part of every request, so nothing is made but the result. */
function byIndex(name: string, {labels, outputs}: Task, prior: readonly number[]): Float64Array {
  const now = new Float64Array(classesOf(outputs[0]?.shape ?? []));
  if (prior.length > now.length)
    throw new DnncRuntimeError('session.prior', name, `"${now.length}" is no class`, known(labels, now.length));
  let expected = false;
  for (let c = 0; c < prior.length; c++) {
    now[c] = checked(name, c, prior[c]!);
    expected ||= now[c]! > 0;
  }
  return expected ? now : expectsNothing(name, labels, now.length);
}

function byLabel(name: string, {labels, labelOffset = 0, outputs}: Task, prior: Readonly<Record<string, number | undefined>>) {
  const now = new Float64Array(classesOf(outputs[0]?.shape ?? []));
  for (const [label, frequency = 0] of Object.entries(prior)) {
    const index = (labels?.indexOf(label) ?? -1) + labelOffset;
    if (!labels?.includes(label) || index >= now.length)
      throw new DnncRuntimeError('session.prior', name, `"${label}" is no class`, known(labels, now.length));
    now[index] = checked(name, label, frequency);
  }
  return now.some(frequency => frequency > 0) ? now : expectsNothing(name, labels, now.length);
}

function checked(name: string, what: string | number, frequency: number): number {
  if (frequency >= 0 && frequency < Number.POSITIVE_INFINITY) return frequency;
  throw new DnncRuntimeError('session.prior', name, `"${what}" has frequency ${frequency}`, 'give numbers that are 0 or more');
}

function expectsNothing(name: string, labels: readonly string[] | undefined, classes: number): never {
  throw new DnncRuntimeError('session.prior', name, 'expects no class at all', known(labels, classes));
}

const known = (labels: readonly string[] | undefined, classes: number): string =>
  labels ? `use labels out of ${labels.join(', ')}` : `give an array of ${classes} frequencies`;
