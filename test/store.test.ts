/** Where jobs leave what they made: what is damaged counts as not there. */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import type {MakeJob} from '../compiler/catalog/jobs.js';
import {keyOf} from '../compiler/catalog/jobs.js';
import {perform, recallJob} from '../compiler/catalog/perform/index.js';
import {openStore} from '../compiler/catalog/store.js';
import {temporaryFile, temporaryFolder} from './support/temporary.js';

const job: MakeJob = {
  ...{kind: 'make', step: 'w8', network: 'a'.repeat(64), samples: null, method: 'min-max'},
  question: {name: 'sign', labels: null, labelOffset: 0, input: null},
};

test('a network that is changed, even while the store is open, is gone', t => {
  const store = openStore(temporaryFolder());
  const sha256 = store.put(Buffer.from('network'));
  t.true(store.has(sha256));
  writeFileSync(store.fileOf(sha256), 'poison!!');
  t.false(store.has(sha256));
  store.put(Buffer.from('network'));
  t.true(store.has(sha256));
});

test('a result whose bytes are changed, or whose network is gone, is made again', t => {
  const store = openStore(temporaryFolder());
  const network = store.put(Buffer.from('made'));
  const done = {result: {network, report: {recipe: 'w8'}}, seconds: 1};
  store.keep(keyOf(job), done);
  t.is(recallJob(job, store)?.seconds, 1);
  const file = join(store.folder, 'results', `${keyOf(job)}.json`);
  writeFileSync(file, readFileSync(file, 'utf8').replace('"seconds":1', '"seconds":2'));
  t.is(recallJob(job, store), null);
  store.keep(keyOf(job), done);
  writeFileSync(store.fileOf(network), 'poison');
  t.is(recallJob(job, store), null);
});

test('a job whose network is gone says so', async t => {
  await t.throwsAsync(perform(job, openStore(temporaryFolder())), {message: /^catalog\.network: aaaa/});
});

test('a store where none can be', t => {
  const file = temporaryFile('file', '');
  t.throws(() => openStore(join(file, 'store')), {message: /^file\.unwritable/});
  const store = openStore(temporaryFolder());
  mkdirSync(join(store.folder, 'results', `${'b'.repeat(64)}.json`));
  t.throws(() => store.keep('b'.repeat(64), 1), {message: /^file\.unwritable/});
  t.is(store.result('b'.repeat(64)), undefined);
});
