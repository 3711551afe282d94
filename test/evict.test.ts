/** A store in the user's cache keeps to a size, and loses nothing that is in use. */
import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync} from 'node:fs';
import {hostname} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {announceUse, evict, mostBytes} from '../compiler/catalog/evict.js';
import {openStore} from '../compiler/catalog/store.js';
import {temporaryFolder} from './support/temporary.js';

/** Networks of 1000 bytes each, the first of which was used longest ago. */
function filled(count: number): {readonly folder: string; readonly names: readonly string[]} {
  const {folder, put, fileOf} = openStore(temporaryFolder());
  const names = Array.from({length: count}, (_, i) => put(Buffer.alloc(1000, i)));
  for (const [i, name] of names.entries()) utimesSync(fileOf(name), 1000 + i, 1000 + i);
  return {folder, names};
}
const left = (folder: string, names: readonly string[]): readonly number[] => {
  const {has} = openStore(folder);
  return names.flatMap((name, i) => (has(name) ? [i] : []));
};

test('what was not used for longest goes, until the rest fits', t => {
  const {folder, names} = filled(5);
  t.is(evict(folder, [], 5000), 0);
  t.is(evict(folder, [], 3500), 2000);
  t.deepEqual(left(folder, names), [2, 3, 4]);
});

test('what this build has used stays longest: networks, results, samples and what was left half', t => {
  const {folder, names} = filled(3);
  mkdirSync(join(folder, 'samples', 'fit'));
  writeFileSync(join(folder, 'samples', 'fit', 'a.npz'), Buffer.alloc(1000));
  utimesSync(join(folder, 'samples', 'fit'), 900, 900);
  writeFileSync(join(folder, 'results', 'x.json.77.partial'), Buffer.alloc(1000));
  utimesSync(join(folder, 'results', 'x.json.77.partial'), 901, 901);
  const store = openStore(folder);
  t.true(store.has(names[0]!));
  store.keep('f'.repeat(64), {});
  evict(folder, store.used, 2000);
  t.deepEqual(left(folder, names), [0]);
  t.deepEqual(readdirSync(join(folder, 'samples')), []);
  t.deepEqual(openStore(folder).result('f'.repeat(64)), {});
  // Touched, not changed.
  t.true(evict(folder, [], 0) >= 1000);
  t.deepEqual(left(folder, names), []);
});

test('while somebody uses the store nothing goes; who has ended without saying so counts no longer', t => {
  const {folder, names} = filled(2);
  const release = announceUse(folder);
  t.is(evict(folder, [], 0), 0);
  release();
  // A process of this machine that has ended, and one of another machine, which may be there.
  const ended = execFileSync(process.execPath, ['-p', 'process.pid'], {encoding: 'utf8'}).trim();
  writeFileSync(join(folder, 'users', `${hostname()} ${ended} x`), '');
  const elsewhere = join(folder, 'users', 'elsewhere 1 x');
  writeFileSync(elsewhere, '');
  t.is(evict(folder, [], 0), 0);
  utimesSync(elsewhere, 1000, 1000);
  t.is(evict(folder, [], 1000), 1000);
  t.deepEqual(left(folder, names), [1]);
  t.false(existsSync(elsewhere));
});

test('how much is kept', t => {
  t.is(mostBytes('12.5'), 12.5e6);
  t.is(mostBytes('0'), 0);
  t.true(mostBytes('') > 1e9);
  for (const wrong of ['much', '-1', 'Infinity']) t.throws(() => mostBytes(wrong), {message: /^cache\.size: DNNC_CACHE_MB=/});
});
