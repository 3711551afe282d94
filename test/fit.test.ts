/** Minimization and logistic regression, where the answer is known. */
import test from 'ava';
import {fitHead} from '../compiler/fit/head.js';
import {minimize} from '../compiler/fit/lbfgs.js';
import {classesOf, fitting, portableLoss} from '../compiler/fit/logistic.js';
import {writeLoader} from '../compiler/loader.js';
import {openLoader} from '../runtime/index.js';
import {temporaryFolder} from './support/temporary.js';
import {randomOf} from './support/tensors.js';
import {hasCompiler} from './tiny-build.js';

const compiled = hasCompiler ? test : test.skip;

test('L-BFGS finds the valley of Rosenbrock, and the middle of a bowl', t => {
  const rosenbrock = minimize(
    ([x = 0, y = 0], gradient) => {
      gradient[0] = -400 * x * (y - x * x) - 2 * (1 - x);
      gradient[1] = 200 * (y - x * x);
      return 100 * (y - x * x) ** 2 + (1 - x) ** 2;
    },
    Float64Array.of(-1.2, 1),
    {tolerance: 1e-9, iterations: 200},
  );
  for (const value of rosenbrock) t.true(Math.abs(value - 1) < 1e-5, `${value}`);
  const bowl = minimize((x, gradient) => {
    x.forEach((value, i) => {
      gradient[i] = 2 * (i + 1) * (value - i);
    });
    return x.reduce((sum, value, i) => sum + (i + 1) * (value - i) ** 2, 0);
  }, new Float64Array(5));
  bowl.forEach((value, i) => {
    t.true(Math.abs(value - i) < 0.02);
  });
});

const random = randomOf(5);
const noise = (): number => random.unit() + random.unit() + random.unit() - 1.5;
/** Three clouds on a line, with a feature that says nothing and one that is constant. */
function clouds(count: number, apart: number) {
  const labels = Array.from({length: count}, (_, i) => i % 3);
  const features = Float32Array.from(labels.flatMap(label => [1000 + 100 * (apart * label + noise()), noise(), 7]));
  return {features, width: 3, labels};
}

test('clouds that are apart are told apart, whatever the scale of the features', t => {
  const fit = fitting(clouds(300, 4), 3).fit(1e-3);
  const unseen = clouds(300, 4);
  const right = classesOf(fit, unseen).filter((answer, i) => answer === unseen.labels[i]).length;
  t.true(right >= 297, `${right} of 300`);
});

test('at the optimum the gradient is zero: mean residuals are the penalty on the weights', t => {
  const samples = clouds(90, 0.7);
  const lambda = 0.05;
  const {weights, bias} = fitting(samples, 3).fit(lambda);
  // Without a penalty on the bias, classes are predicted as often as they occur.
  const sums = [0, 0, 0];
  for (let i = 0; i < 90; i++) {
    const scores = [0, 1, 2].map(c =>
      [0, 1, 2].reduce((sum, k) => sum + weights[3 * c + k]! * samples.features[3 * i + k]!, bias[c]!),
    );
    const most = Math.max(...scores);
    const parts = scores.map(score => Math.exp(score - most));
    const all = parts.reduce((a, b) => a + b, 0);
    parts.forEach((part, c) => {
      sums[c]! += part / all;
    });
  }
  for (const sum of sums) t.true(Math.abs(sum - 30) < 0.2, `${sums}`);
});

test('class weights move the boundary', t => {
  const samples = clouds(300, 1);
  const share = (classWeights: readonly number[]): number =>
    classesOf(fitting(samples, 3, {classWeights}).fit(1e-3), samples).filter(answer => answer === 1).length;
  t.true(share([1, 5, 1]) > share([1, 1, 1]) + 20);
});

test('the strength of L2 is chosen on samples that were left out', t => {
  const {linear, lambda, heldOut} = fitHead(clouds(300, 1.5), 3);
  t.true([1e-1, 1e-2, 1e-3].includes(lambda));
  const unseen = clouds(3000, 1.5);
  const right = classesOf(linear, unseen).filter((answer, i) => answer === unseen.labels[i]).length;
  t.true(Math.abs(right / 30 - heldOut) < 8, `${right / 30} beside ${heldOut}`);
});

compiled('the loss in C is the portable one, for every remainder of samples, classes and features', async t => {
  const folder = temporaryFolder();
  await writeLoader(folder);
  const {logistic} = openLoader(folder);
  for (const [count, stride, classes] of [
    [1, 16, 2],
    [33, 48, 5],
    [70, 80, 43],
    [64, 128, 4],
  ] as const) {
    const features = Float32Array.from({length: count * stride}, noise);
    const labels = Int32Array.from({length: count}, (_, i) => (i * 7) % classes);
    const shares = Float32Array.from({length: count}, (_, i) => (1 + (i % 3)) / count);
    const at = Float64Array.from({length: classes * (stride + 1)}, () => noise() / 4);
    const [wanted, found] = [new Float64Array(at.length), new Float64Array(at.length)];
    const loss = portableLoss(features, labels, shares, at, wanted);
    t.true(Math.abs(logistic(features, labels, shares, at, found) - loss) < 1e-5 * loss);
    const most = wanted.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    found.forEach((value, i) => {
      t.true(Math.abs(value - wanted[i]!) < 1e-5 * most, `${count} x ${stride}, ${classes} classes: ${i}`);
    });
  }
  const wrong = [
    new Float32Array(32),
    Int32Array.of(0, 2),
    Float32Array.of(1, 1),
    new Float64Array(34),
    new Float64Array(34),
  ] as const;
  t.throws(() => logistic(...wrong), {instanceOf: RangeError, message: /label 2/});
  t.throws(() => logistic(wrong[0], Int32Array.of(0, 1, 1), wrong[2], wrong[3], wrong[4]), {
    instanceOf: RangeError,
    message: /sizes/,
  });
});
