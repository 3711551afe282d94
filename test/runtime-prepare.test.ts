/** The runtime prepares an image as the compiler prepared the data on which it measured accuracy: number for number. */
import test from 'ava';
import {prepare as compilerPrepare, type InputPreparation} from '../compiler/data/prepare.js';
import type {Preparation} from '../runtime/index.js';
import {type Image, prepare} from '../runtime/prepare.js';

/** Mulberry32: the same pixels on every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const sizes = [
  [8, 6],
  [5, 7],
  [16, 3],
] as const;
const preparations: readonly Preparation[] = [
  {},
  {channels: 'rgb', mean: [127.5], std: [127.5]},
  {channels: 'bgr', mean: [1, 2, 3], std: [58.4, -57.1, 57.4], resize: 'nearest'},
  {channels: 'grey', mean: [100.3], resize: 'bilinear'},
];

for (const preparation of preparations) {
  test(`as the compiler: ${JSON.stringify(preparation)}`, t => {
    const next = random(7);
    for (const [width, height] of sizes) {
      for (const kind of [Uint8Array, Float32Array]) {
        for (const channels of [1, 3] as const) {
          const data = new kind(width * height * channels).map(() => next() * 255);
          const image: Image = {width, height, channels, data};
          const planes = preparation.channels === 'grey' || (channels === 1 && !preparation.channels) ? 1 : 3;
          for (const [layout, shape] of [
            ['NCHW', [1, planes, 6, 8]],
            ['NHWC', [1, 6, 8, planes]],
          ] as const) {
            const sample = {dtype: kind === Uint8Array ? 'u8' : 'f32', shape: [height, width, channels], data} as const;
            const theirs = compilerPrepare(sample, {...preparation, dataLayout: 'NHWC'} as InputPreparation, shape, layout);
            const ours = prepare(image, {name: 'x', dtype: 'f32', shape, preparation}, 'x');
            t.deepEqual(ours, theirs, `${width}x${height}x${channels} ${kind.name} ${layout}`);
          }
        }
      }
    }
  });
}

test('alpha is ignored; integers round and stay in range', t => {
  const image: Image = {width: 2, height: 1, channels: 4, data: Uint8Array.of(1, 2, 3, 99, 250, 251, 252, 99)};
  const input = (dtype: 'u8' | 'i8' | 'f64') => ({name: 'x', dtype, shape: [1, 3, 1, 2], preparation: {mean: [128]}});
  t.deepEqual(prepare(image, input('i8'), 'x'), Int8Array.of(-127, 122, -126, 123, -125, 124));
  t.deepEqual(prepare(image, input('u8'), 'x'), Uint8Array.of(0, 122, 0, 123, 0, 124));
  t.deepEqual(prepare(image, input('f64'), 'x'), Float64Array.of(-127, 122, -126, 123, -125, 124));
});

test('what cannot become the input is refused', t => {
  const image: Image = {width: 2, height: 2, channels: 3, data: new Uint8Array(12)};
  const input = (shape: readonly number[], preparation: Preparation = {}) => ({
    name: 'x',
    dtype: 'f32' as const,
    shape,
    preparation,
  });
  const refuses = (bad: Image, shape: readonly number[], preparation: Preparation, message: RegExp) =>
    t.throws(() => prepare(bad, input(shape, preparation), 'age, input "x"'), {name: 'DnncRuntimeError', message});
  refuses(image, [1, 3, 4, 4], {resize: 'none'}, /is 4x4, the image 2x2/);
  refuses(image, [2, 3, 2, 2], {}, /not one image/);
  refuses(image, [12], {}, /not one image/);
  refuses(image, [1, 1, 2, 2], {}, /reads 1 channels/);
  refuses(image, [1, 3, 2, 2], {channels: 'grey'}, /reads 3 channels/);
  refuses(image, [1, 3, 2, 2], {mean: [1, 2]}, /channel 2 has none/);
  refuses({...image, width: 3}, [1, 3, 2, 2], {}, /does not have 12 values/);
  refuses({...image, width: Number.NaN}, [1, 3, 2, 2], {}, /does not have 12 values/);
  t.throws(() => prepare(image, {...input([1, 3, 2, 2]), dtype: 'i64'}, 'x'), {message: /is i64/});
});
