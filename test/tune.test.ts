/** What tuning concludes from times. */
import test from 'ava';
import {decide, type Layer} from '../compiler/tune.js';

const [wide, tall] = [
  {mr: 14, nv: 2, panelsOuter: false},
  {mr: 28, nv: 1, panelsOuter: false},
];
type Trial = Layer['trials'][number];
const trial = (microseconds: number, way = 'direct', tile = wide): Trial => ({way, tile, microseconds});
const layer = (wayKey: string | null, tileKey: string, ...trials: Trial[]): Layer => ({wayKey, tileKey, trials});

test('a faster way or tile is taken', t => {
  const {ways, tiles, ...sums} = decide([
    layer('way', 'a', trial(10), trial(7, 'winograd-4'), trial(10)),
    layer(null, 'b', trial(10), trial(10), trial(8, 'direct', tall)),
    layer(null, 'c', trial(5), trial(5), trial(9, 'direct', tall)),
  ]);
  t.deepEqual(ways, {way: 'winograd-4'});
  t.deepEqual(tiles, {b: tall});
  t.deepEqual(sums, {layers: 3, changed: 2, modelMicroseconds: 25, tunedMicroseconds: 20});
});

test('noise is not taken: less than two percent, or one of several equal trials', t => {
  const {ways, tiles, changed} = decide([
    layer(null, 'a', trial(10), trial(9.9, 'direct', tall)),
    layer(null, 'b', trial(10), trial(8), trial(9.8, 'direct', tall)),
  ]);
  t.deepEqual({ways, tiles, changed}, {ways: {}, tiles: {}, changed: 0});
});

test('equal layers choose together', t => {
  const {tiles, changed} = decide([
    layer(null, 'a', trial(10), trial(6, 'direct', tall)),
    layer(null, 'a', trial(10), trial(20, 'direct', tall)),
  ]);
  t.deepEqual(tiles, {});
  t.is(changed, 0);
});
