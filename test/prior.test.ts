/** Class frequencies and temperatures: what they do to scores, and how they are found. */
import test from 'ava';
import {frequenciesOf, temperatureOf} from '../compiler/calibrate.js';
import {accuracyUnder, parseContext} from '../compiler/context.js';
import {DnncError} from '../ir/diagnostics.js';
import {DnncRuntimeError, type Manifest, posterior} from '../runtime/index.js';
import {correctionOf, frequenciesIn, shiftOf} from '../runtime/prior.js';

const close = (t: {true(x: boolean, says?: string): unknown}, got: ArrayLike<number>, wanted: readonly number[]): void => {
  t.true(
    wanted.every((value, i) => Math.abs(got[i]! - value) < 1e-9),
    `${Array.from(got)}`,
  );
};

test('a prior multiplies probabilities by how much likelier each class has become', t => {
  const shift = shiftOf([0.8, 0.1, 0.1], [0.5, 0.25, 0.25]);
  const correction = {scores: 'probabilities' as const, temperature: 1, shift};
  const weights = [0.2 * 1.6, 0.5 * 0.4, 0.3 * 0.4];
  const sum = weights.reduce((a, b) => a + b, 0);
  close(
    t,
    posterior([0.2, 0.5, 0.3], correction),
    weights.map(weight => weight / sum),
  );
  // The same from logits, whatever is added to all of them.
  const logits = [0.2, 0.5, 0.3].map(p => Math.log(p) + 7);
  close(
    t,
    posterior(logits, {...correction, scores: 'logits'}),
    weights.map(weight => weight / sum),
  );
});

test('a temperature flattens or sharpens; classes that cannot occur get nothing; extreme scores stay finite', t => {
  const shift = [0, 0, 0];
  const [hot, cold] = [2, 0.5].map(temperature => posterior([2, 1, 0], {scores: 'logits', temperature, shift})[0]!);
  const plain = posterior([2, 1, 0], {scores: 'logits', temperature: 1, shift})[0]!;
  t.true(hot! < plain && plain < cold!);
  close(t, posterior([5, 1, 0], {scores: 'logits', temperature: 1, shift: [Number.NEGATIVE_INFINITY, 0, 0]}).slice(0, 1), [0]);
  close(t, posterior([1e4, -1e4], {scores: 'logits', temperature: 1, shift: [0, 0]}), [1, 0]);
});

test('the temperature of least loss is found: scores that were scaled come back', t => {
  // Probabilities .7 and .3 are right 7 and 3 times of 10.
  const samples = Array.from({length: 100}, () => [Math.log(0.7), Math.log(0.3)]);
  const labels = samples.map((_, i) => (i % 10 < 7 ? 0 : 1));
  for (const scale of [1, 3, 0.4]) {
    const scores = samples.map(sample => sample.map(value => value * scale));
    t.true(Math.abs(temperatureOf(scores, labels, 'logits') / scale - 1) < 0.01);
  }
});

test('frequencies count each class once more than it occurs', t => {
  t.deepEqual(frequenciesOf([0, 0, 0, 1], 3), [
    Number((4 / 7).toPrecision(6)),
    Number((2 / 7).toPrecision(6)),
    Number((1 / 7).toPrecision(6)),
  ]);
});

type Task = Manifest['tasks'][string];
const task: Task = {
  labels: ['cup', 'hat', 'bag'],
  labelOffset: 1,
  inputs: [],
  outputs: [{name: 'y', dtype: 'f32', shape: [1, 4]}],
  scores: 'logits',
  variants: ['t/full'],
};

test('contexts by label and by index, and what is wrong with others', t => {
  t.deepEqual(parseContext('hat,cup@0.9', task), {classes: [2, 1], share: 0.9});
  t.deepEqual(parseContext('0,3@1', task), {classes: [0, 3], share: 1});
  for (const [text, code] of [
    ['hat', 'context.form'],
    ['hat@1.5', 'context.form'],
    ['hat@0', 'context.form'],
    ['spoon@0.5', 'context.class'],
    ['4@0.5', 'context.class'],
    ['hat,2@0.5', 'context.twice'],
    ['0,1,2,3@0.5', 'context.all'],
  ] as const)
    t.true(t.throws(() => parseContext(text, task), {instanceOf: DnncError}, text)?.message.startsWith(code), text);
});

test('accuracy where classes come otherwise than in the samples', t => {
  const frequencies = frequenciesIn([0], 0.8, 3);
  t.deepEqual(frequencies, [0.8, 0.09999999999999998, 0.09999999999999998]);
  // Class 0: 1 of 2 right; class 1: 3 of 3. Class 2 has no sample.
  t.is(accuracyUnder([0.8, 0.1, 0.1], [0, 1, 1, 1, 1], [0, 0, 1, 1, 1]), Number(((100 * (0.8 * 0.5 + 0.1)) / 0.9).toFixed(2)));
});

test('priors by label and by index, and what is wrong with others', t => {
  const variant = {
    calibration: {temperature: 2, frequencies: [0.1, 0.2, 0.3, 0.4], n: 1, data: ''},
  } as unknown as Manifest['variants'][number];
  const {temperature, shift} = correctionOf('t', task, variant, {hat: 3, bag: 1});
  t.is(temperature, 2);
  close(t, Array.from(shift).slice(2), [Math.log(3 / 0.3), Math.log(1 / 0.4)]);
  t.deepEqual(Array.from(shift).slice(0, 2), [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  t.deepEqual(correctionOf('t', task, variant, [0, 0, 3, 1]), correctionOf('t', task, variant, {hat: 3, bag: 1}));
  for (const prior of [{spoon: 1}, {hat: -1}, {hat: Number.NaN}, {}, [0, 0, 0, 0], [1, 1, 1, 1, 1]] as const)
    t.is(t.throws(() => correctionOf('t', task, variant, prior), {instanceOf: DnncRuntimeError})?.code, 'session.prior');
});
