/** Estimates of what layers take: of every size once, in the order of their work, and the same each time. */
import test from 'ava';
import {costsOf, type Sized} from '../compiler/reconstruct/costs.js';
import {pointStage, type Stage} from '../compiler/reconstruct/stage.js';

const conv = (channels: number, kernel: number): Sized => {
  const side = (kernel - 1) / 2;
  const stage: Stage = {...pointStage([channels, channels, kernel, kernel]), pads: [side, side, side, side]};
  return {stage, input: [1, channels, 16, 16]};
};

test('layers with more to do take longer, whatever else is asked for', t => {
  const linear: Sized = {stage: pointStage([16, 32]), input: [1, 32]};
  const sizes = [linear, conv(16, 1), conv(16, 3), conv(32, 3), conv(64, 3)];
  const costs = costsOf(sizes, []);
  const times = sizes.map(costs);
  t.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  t.true(times[0]! > 0.01 && times.at(-1)! < 1000, `${times}`);
  // Winograd's transforms leave out more than half.
  t.true(costs(conv(64, 3)) < 9 * 16 * costs(conv(16, 1)));
  t.deepEqual(sizes.map(costsOf(sizes.toReversed(), [])), times);
  t.deepEqual(costsOf([linear], [])(linear), times[0]);
});

test('more layers than go into one module are all known', t => {
  const sizes = Array.from({length: 100}, (_, i): Sized => ({stage: pointStage([8, 8 + i]), input: [1, 8 + i]}));
  const costs = costsOf(sizes, []);
  t.true(sizes.every(sized => costs(sized) > 0));
});

test('where a network has more weights than a cache keeps, a layer waits for its own', t => {
  const [small, large] = [conv(16, 3), conv(64, 3)];
  const alone = costsOf([small, large], [large]);
  const among = costsOf([small, large], new Array<Sized>(8).fill(large));
  t.is(among(small), alone(small), 'it has few weights for its sums');
  const few: Sized = {...large, input: [1, 64, 8, 8]};
  t.true(costsOf([few], new Array<Sized>(8).fill(large))(few) > 1.5 * costsOf([few], [few])(few));
});
