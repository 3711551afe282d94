/** Channels, resize, normalization and layout: from a sample to what the network reads. */
import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {openDataset} from '../compiler/data/dataset.js';
import {type InputPreparation, prepare} from '../compiler/data/prepare.js';
import {numbersOf, tensorFrom} from '../ir/tensor.js';
import {refuses} from './support/onnx-bytes.js';

/** Two pixels in a row: (1, 2, 3) and (4, 5, 6). */
const image = tensorFrom('u8', [1, 2, 3], [1, 2, 3, 4, 5, 6]);
const prepared = (preparation: InputPreparation, shape: readonly number[], sample = image, layout?: 'NHWC' | 'NCHW') => [
  ...prepare(sample, preparation, shape, layout),
];

test('pixels become planes, or stay pixels', t => {
  t.deepEqual(prepared({}, [1, 3, 1, 2]), [1, 4, 2, 5, 3, 6]);
  t.deepEqual(prepared({}, [3, 1, 2]), [1, 4, 2, 5, 3, 6], 'without a batch');
  t.deepEqual(prepared({}, [1, 1, 2, 3], image, 'NHWC'), [1, 2, 3, 4, 5, 6]);
  t.deepEqual(prepared({}, [1, 6]), [1, 4, 2, 5, 3, 6], 'flattened as the network would');
  t.deepEqual(prepared({}, [1, 6], image, 'NHWC'), [1, 2, 3, 4, 5, 6]);
  const planes = tensorFrom('u8', [3, 1, 2], [1, 4, 2, 5, 3, 6]);
  t.deepEqual(prepared({dataLayout: 'NCHW'}, [1, 3, 1, 2], planes), [1, 4, 2, 5, 3, 6]);
  t.deepEqual(prepared({}, [1, 3, 1, 2], planes), [1, 4, 2, 5, 3, 6], 'seen by its shape');
  t.deepEqual(prepared({dataLayout: 'NCHW'}, [1, 1, 2, 3], planes, 'NHWC'), [1, 2, 3, 4, 5, 6]);
});

test('features keep their order', t => {
  const features = tensorFrom('f32', [2, 3], [1, 2, 3, 4, 5, 6]);
  for (const shape of [[6], [1, 6], [1, 2, 3], [1, 1, 2, 3]]) t.deepEqual(prepared({}, shape, features), [1, 2, 3, 4, 5, 6]);
  for (const shape of [[1, 2, 3], [2, 3], [6], [1, 6]])
    t.deepEqual(prepared({}, [1, 2, 3], {...features, shape}), [1, 2, 3, 4, 5, 6], `${shape}`);
  t.deepEqual(prepared({}, [1, 1, 2, 3], {...features, shape: [1, 1, 2, 3]}), [1, 2, 3, 4, 5, 6]);
  t.deepEqual(
    prepared({}, [1, 3, 1, 2], {...features, shape: [6]}),
    [1, 2, 3, 4, 5, 6],
    'what has no shape is as the network reads it',
  );
  t.deepEqual(prepared({mean: [1, 2], std: [1, 2]}, [1, 2], tensorFrom('f32', [1, 2], [5, 6])), [4, 2], 'one mean per feature');
});

test('normalization is in float32, for all or per channel', t => {
  t.deepEqual(prepared({mean: 1, std: 2}, [1, 3, 1, 2]), [0, 1.5, 0.5, 2, 1, 2.5]);
  t.deepEqual(prepared({mean: [1, 2, 3], std: [1, 10, 2]}, [1, 3, 1, 2]), [0, 3, 0, Math.fround(0.3), 0, 1.5]);
  const mean = 0.485 * 255;
  const std = 0.229 * 255;
  const exact = Math.fround(Math.fround(4 - Math.fround(mean)) / Math.fround(std));
  t.is(prepared({mean, std}, [1, 3, 1, 2])[1], exact);
  t.deepEqual(prepared({mean: 83, std: 1 / 0.5847029}, [1], tensorFrom('i8', [1], [84])), [
    Math.fround(1 / Math.fround(1 / 0.5847029)),
  ]);
});

test('channels', t => {
  t.deepEqual(prepared({channels: 'rgb'}, [1, 3, 1, 2]), [1, 4, 2, 5, 3, 6]);
  t.deepEqual(
    prepared({channels: 'bgr', mean: [3, 2, 1]}, [1, 3, 1, 2]),
    [0, 3, 0, 3, 0, 3],
    'the mean is of the swapped channels',
  );
  t.deepEqual(prepared({channels: 'grey'}, [1, 1, 1, 2]), [2, 5]);
  t.deepEqual(prepared({channels: 'grey'}, [1, 3, 1, 2]), [2, 5, 2, 5, 2, 5]);
  const real = tensorFrom('f32', [1, 1, 3], [1, 0, 0]);
  t.deepEqual(prepared({channels: 'grey'}, [1, 1, 1, 1], real), [Math.fround(0.299)], 'real numbers are not rounded');
  t.deepEqual(
    prepared({}, [1, 3, 1, 2], tensorFrom('u8', [1, 2, 1], [7, 8])),
    [7, 8, 7, 8, 7, 8],
    'a grey picture among coloured ones',
  );
  refuses(t, 'input', 'prepare.channels', () => prepared({}, [1, 1, 1, 2]));
  refuses(t, 'input', 'prepare.channels', () => prepared({channels: 'rgb'}, [1, 4], tensorFrom('u8', [1, 1, 4], [1, 2, 3, 4])));
});

test('resize', t => {
  const row = tensorFrom('u8', [1, 2], [0, 100]);
  t.deepEqual(prepared({}, [1, 1, 1, 4], row), [0, 25, 75, 100], 'bilinear, where nothing is said');
  t.deepEqual(prepared({resize: 'nearest'}, [1, 1, 2, 4], row), [0, 0, 100, 100, 0, 0, 100, 100]);
  t.deepEqual(prepared({}, [1, 1, 1, 3], tensorFrom('u8', [1, 2], [0, 5])), [0, 3, 5], 'whole numbers stay whole');
  t.deepEqual(prepared({}, [1, 1, 1, 3], tensorFrom('f32', [1, 2], [0, 5])), [0, 2.5, 5]);
  const square = tensorFrom(
    'f32',
    [4, 4],
    Array.from({length: 16}, (_, i) => i),
  );
  t.deepEqual(prepared({}, [1, 1, 2, 2], square), [2.5, 4.5, 10.5, 12.5]);
  refuses(t, 'input', 'prepare.size', () => prepared({resize: 'none'}, [1, 1, 1, 4], row));
  t.deepEqual(prepared({resize: 'none'}, [1, 1, 1, 2], row), [0, 100]);
});

test('what cannot be prepared', t => {
  refuses(t, 'input', 'prepare.batch', () => prepared({}, [4, 3, 1, 2]));
  refuses(t, 'input', 'prepare.shape', () => prepared({}, [1, 7]));
  refuses(t, 'input', 'prepare.shape', () => prepared({}, [1, 3, 1, 2], tensorFrom('u8', [2, 1, 2, 3], new Array(12).fill(0))));
  refuses(t, 'input', 'prepare.mean', () => prepared({mean: [1, 2]}, [1, 3, 1, 2]));
  refuses(t, 'input', 'prepare.mean', () => prepared({mean: Number.NaN}, [1, 3, 1, 2]));
  refuses(t, 'input', 'prepare.std', () => prepared({std: 0}, [1, 3, 1, 2]));
  refuses(t, 'input', 'prepare.std', () => prepared({std: []}, [1, 3, 1, 2]));
});

/** The nearest folder above this file with a package.json. */
function projectRoot(): string {
  let at = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(at, 'package.json'))) at = dirname(at);
  return at;
}
const shared = join(projectRoot(), '..', 'shared', 'data');
const withData = existsSync(shared) ? test : test.skip;

withData('real labelled data is read and prepared', t => {
  const signs = openDataset(join(shared, 'gtsrb32.tune.npz'), {labelsKey: 'y_sign'});
  t.is(signs.count, 1000);
  const x = prepare(signs.sample(999), {mean: 127.5, std: 127.5}, [1, 3, 32, 32]);
  const pixels = numbersOf(signs.sample(999));
  t.is(x[1024 + 33], Math.fround((pixels[3 * 33 + 1]! - 127.5) / 127.5), 'green of the pixel in row 1, column 1');
  const words = openDataset(join(shared, 'kws.evaluate.npz'));
  t.deepEqual(words.sample(0).shape, [49, 10, 1]);
  t.is(prepare(words.sample(0), {mean: 83, std: 1 / 0.5847029}, [1, 1, 49, 10]).length, 490);
  const digits = openDataset(join(shared, 'mnist.evaluate.npz'));
  t.deepEqual([...prepare(digits.sample(3), {}, [784])], numbersOf(digits.sample(3)));
});
