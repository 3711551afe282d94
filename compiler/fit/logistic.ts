/** Multinomial logistic regression with L2 on standardized features: a head for a trunk that stays as it is. */
import type {NativeLoader} from '../../runtime/index.js';
import {largestOf} from '../evaluate-variant.js';
import {minimize} from './lbfgs.js';

/** `count` rows of `width` features, one after the other, with a class for each. */
export type Samples = {
  readonly features: Float32Array;
  readonly width: number;
  readonly labels: readonly number[];
};

/** Scores are weights * features + bias: of the features as they are, standardization folded in. */
export type Linear = {
  /** [classes][width] */
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  readonly classes: number;
};

export type FitOptions = {
  /** How much samples of each class count. Default: all alike. */
  readonly classWeights?: readonly number[];
  /** Computes loss and gradient: that of a build's addon is fast. Default: in TypeScript, on any machine. */
  readonly loss?: NativeLoader['logistic'];
};

/** A fit that can be repeated: each one starts where the one before ended. */
export type Fitting = {
  /** Least mean loss + lambda/2 |W|^2. */
  fit(lambda: number): Linear;
};

export function fitting({features, width, labels}: Samples, classes: number, options: FitOptions = {}): Fitting {
  const {classWeights, loss = portableLoss} = options;
  const count = labels.length;
  const {mean, deviation} = momentsOf(features, width);
  const stride = Math.ceil(width / 16) * 16;
  const x = new Float32Array(count * stride);
  for (let i = 0; i < count; i++)
    for (let k = 0; k < width; k++) x[i * stride + k] = (features[i * width + k]! - mean[k]!) / deviation[k]!;
  const total = labels.reduce((sum, label) => sum + (classWeights?.[label] ?? 1), 0);
  const shares = Float32Array.from(labels, label => (classWeights?.[label] ?? 1) / total);
  const wanted = Int32Array.from(labels);
  const biases = classes * stride;
  let at: Float64Array = new Float64Array(biases + classes);

  const objective = (lambda: number) => (place: Float64Array, gradient: Float64Array) => {
    let value = loss(x, wanted, shares, place, gradient);
    for (let i = 0; i < biases; i++) {
      value += (lambda / 2) * place[i]! ** 2;
      gradient[i]! += lambda * place[i]!;
    }
    return value;
  };

  return {
    fit(lambda) {
      at = minimize(objective(lambda), at);
      const weights = new Float32Array(classes * width);
      const bias = Float32Array.from({length: classes}, (_, c) => {
        let sum = at[biases + c]!;
        for (let k = 0; k < width; k++) {
          const folded = at[c * stride + k]! / deviation[k]!;
          weights[c * width + k] = folded;
          sum -= folded * mean[k]!;
        }
        return sum;
      });
      return {weights, bias, classes};
    },
  };
}

/** See `logistic` of NativeLoader. */
export const portableLoss: NativeLoader['logistic'] = (features, labels, shares, at, gradient) => {
  const stride = features.length / labels.length;
  const classes = at.length / (stride + 1);
  const biases = classes * stride;
  const scores = new Float64Array(classes);
  gradient.fill(0);
  let loss = 0;
  for (let i = 0; i < labels.length; i++) {
    const row = i * stride;
    const share = shares[i]!;
    for (let c = 0; c < classes; c++) scores[c] = at[biases + c]! + product(features, row, at, c * stride, stride);
    loss += share * softmaxLoss(scores, labels[i]!);
    for (let c = 0; c < classes; c++) {
      const residual = share * scores[c]!;
      gradient[biases + c]! += residual;
      // Most classes are nearly ruled out in most samples.
      if (Math.abs(residual) < 1e-9 * share) continue;
      for (let k = 0, w = c * stride; k < stride; k++, w++) gradient[w]! += residual * features[row + k]!;
    }
  }
  return loss;
};

/** Of `length` numbers from two places: four sums, since one would wait for itself. */
function product(a: Float32Array, at: number, b: Float64Array, bt: number, length: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let k = 0;
  for (; k + 4 <= length; k += 4) {
    s0 += a[at + k]! * b[bt + k]!;
    s1 += a[at + k + 1]! * b[bt + k + 1]!;
    s2 += a[at + k + 2]! * b[bt + k + 2]!;
    s3 += a[at + k + 3]! * b[bt + k + 3]!;
  }
  for (; k < length; k++) s0 += a[at + k]! * b[bt + k]!;
  return s0 + s1 + s2 + s3;
}

/** -log of the label's probability; `scores` become probabilities, less 1 at the label. */
function softmaxLoss(scores: Float64Array, label: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const score of scores) most = Math.max(most, score);
  let sum = 0;
  for (let c = 0; c < scores.length; c++) {
    scores[c] = Math.exp(scores[c]! - most);
    sum += scores[c]!;
  }
  for (let c = 0; c < scores.length; c++) scores[c]! /= sum;
  const loss = -Math.log(Math.max(scores[label]!, 1e-300));
  scores[label]! -= 1;
  return loss;
}

/** Features that do not vary keep their scale. */
function momentsOf(features: Float32Array, width: number): {mean: Float64Array; deviation: Float64Array} {
  const count = features.length / width;
  const [mean, deviation] = [new Float64Array(width), new Float64Array(width)];
  for (let i = 0; i < features.length; i++) mean[i % width]! += features[i]! / count;
  for (let i = 0; i < features.length; i++) deviation[i % width]! += (features[i]! - mean[i % width]!) ** 2 / count;
  return {mean, deviation: deviation.map(variance => (variance > 1e-12 ? Math.sqrt(variance) : 1))};
}

/** Scores of all samples: [samples][classes]. */
export function scoresAt({weights, bias, classes}: Linear, {features, width}: Omit<Samples, 'labels'>): Float32Array {
  const count = features.length / width;
  const scores = new Float32Array(count * classes);
  for (let i = 0; i < count; i++)
    for (let c = 0; c < classes; c++) {
      let sum = bias[c]!;
      for (let k = 0; k < width; k++) sum += weights[c * width + k]! * features[i * width + k]!;
      scores[i * classes + c] = sum;
    }
  return scores;
}

/** The class of the largest of each sample's scores, [samples][classes]; the first of equals. */
export const answersAt = (scores: Float32Array, classes: number): Int32Array =>
  Int32Array.from({length: scores.length / classes}, (_, i) => largestOf(scores.subarray(i * classes, (i + 1) * classes)));

/** The class of the largest score, per sample. */
export const classesOf = (linear: Linear, samples: Omit<Samples, 'labels'>): Int32Array =>
  answersAt(scoresAt(linear, samples), linear.classes);

/** Some rows of a matrix of so many columns. */
export function gather(matrix: Float32Array, width: number, rows: readonly number[]): Float32Array {
  const chosen = new Float32Array(rows.length * width);
  for (const [to, i] of rows.entries()) chosen.set(matrix.subarray(i * width, (i + 1) * width), to * width);
  return chosen;
}
