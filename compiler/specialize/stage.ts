/** Variants as stages of a cascade: what each says of samples that none of them has seen, and what it costs. */
import type {Calibration} from '../../runtime/manifest.js';
import {answersAt} from '../fit/logistic.js';

export type Stage = {
  /** Of the variant. */
  readonly id: string;
  readonly kind: 'logits' | 'probabilities';
  readonly calibration: Pick<Calibration, 'temperature' | 'frequencies'>;
  readonly macs: number;
  /** Part of `macs` that the general network need not repeat. */
  readonly sharedMacs: number;
  /** Milliseconds; null where it was not measured. */
  readonly time: number | null;
  /** Output indices that its fit had no samples of. */
  readonly lacks: readonly number[];
};

/** Scores of a stage for labelled samples: [samples][classes]. Labels are output indices. */
export type Seen = {readonly scores: Float32Array; readonly labels: readonly number[]; readonly classes: number};

/** One answer for each sample, and how probable it is. */
export type Answers = {readonly answer: Int32Array; readonly sure: Float64Array};

/** What a stage answers where classes come as often as `frequencies` says; see `posterior`, which gives the same. */
export function answersUnder(
  {kind, calibration}: Stage,
  {scores, labels, classes}: Seen,
  frequencies: readonly number[],
): Answers {
  const {temperature, frequencies: training} = calibration;
  const shift = frequencies.map((frequency, c) => Math.log(frequency) - Math.log(training[c]!));
  const answer = new Int32Array(labels.length);
  const sure = new Float64Array(labels.length);
  const evidence = new Float64Array(classes);
  for (let i = 0; i < labels.length; i++) {
    let best = 0;
    for (let c = 0; c < classes; c++) {
      const score = scores[i * classes + c]!;
      evidence[c] = (kind === 'logits' ? score : Math.log(score)) / temperature + shift[c]!;
      if (evidence[c]! > evidence[best]!) best = c;
    }
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(evidence[c]! - evidence[best]!);
    answer[i] = best;
    sure[i] = 1 / sum;
  }
  return {answer, sure};
}

/** Answers of the scores as they are. */
export const rawAnswers = ({scores, classes}: Seen): Int32Array => answersAt(scores, classes);
