/** What jobs read and make, from one store to another: by content, whatever its form, or not at all. */
import {mkdirSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {openRemote} from '../compiler/catalog/http/client.js';
import {serveStore} from '../compiler/catalog/http/server.js';
import {type MakeJob, samplesRead} from '../compiler/catalog/jobs.js';
import {deliver, fetchInputs, isDelivered, offer, receive} from '../compiler/catalog/queue/exchange.js';
import {openStore, type Store} from '../compiler/catalog/store.js';
import {hashOfSamples} from '../compiler/data/archive.js';
import {temporaryFolder} from './support/temporary.js';

async function started(t: ExecutionContext) {
  const folder = temporaryFolder();
  const server = await serveStore({folder});
  t.teardown(server.close);
  const remote = openRemote(server.url, {waits: [], token: null});
  return {remote, folder, from: openStore(temporaryFolder()), to: openStore(temporaryFolder())};
}

const jobOn = (store: Store, path: string): MakeJob => ({
  ...{kind: 'make', step: 'int8', network: store.put(Buffer.from('a network')), method: 'min-max'},
  samples: {path, sha256: hashOfSamples(path), labelsKey: null},
  question: {name: 'sign', labels: null, labelOffset: 0, input: null},
});

/** Samples in their three forms; nothing decodes them here. */
function samplesIn(folder: string): readonly string[] {
  const classes = join(folder, 'signs');
  // A class may be called as the folder is.
  for (const name of ['signs', 'others']) mkdirSync(join(classes, name), {recursive: true});
  writeFileSync(join(classes, 'signs/a.png'), 'a');
  const images = join(folder, 'train-images-idx3-ubyte');
  writeFileSync(images, 'images');
  writeFileSync(join(folder, 'train-labels-idx1-ubyte'), 'labels');
  writeFileSync(join(folder, 'x.npz'), 'arrays');
  return [classes, images, join(folder, 'x.npz')];
}

test('samples arrive under their name, as they were', async t => {
  const {remote, from, to} = await started(t);
  const folder = temporaryFolder();
  for (const path of samplesIn(folder)) {
    const job = jobOn(from, path);
    t.is(await fetchInputs(job, to, remote), null);
    await offer(job, from, remote, false);
    const got = await fetchInputs(job, to, remote);
    const its = samplesRead(got!)!;
    t.true(its.path.startsWith(to.folder));
    t.is(hashOfSamples(its.path), its.sha256);
    t.true(to.has(job.network));
    // Once is enough, and what is gone since is fetched again.
    t.deepEqual(await fetchInputs(job, to, remote), got);
    rmSync(join(to.folder, 'samples', its.sha256), {recursive: true});
    t.deepEqual(await Promise.all([fetchInputs(job, to, remote), fetchInputs(job, to, remote)]), [got, got]);
  }
  t.deepEqual(
    readdirSync(join(to.folder, 'samples')).filter(name => /partial|download/.test(name)),
    [],
  );
});

test('samples that have changed since are refused', async t => {
  const {remote, from} = await started(t);
  const path = samplesIn(temporaryFolder())[2]!;
  const job = jobOn(from, path);
  writeFileSync(path, 'other arrays');
  await t.throwsAsync(offer(job, from, remote, false), {message: /^catalog\.samples: .*x\.npz: has changed/});
});

test('a result arrives with its network, or not at all', async t => {
  const {remote, folder, from, to} = await started(t);
  const job = jobOn(from, samplesIn(temporaryFolder())[2]!);
  t.is(await receive(job, from, remote), null);
  const network = to.put(Buffer.from('made'));
  const done = {result: {network, report: {recipe: 'int8'} as never}, seconds: 1};
  await deliver(job, done, to, remote);
  t.true(await isDelivered(job, remote));
  writeFileSync(join(folder, 'networks', `${network}.network`), 'poison');
  t.false(await isDelivered(job, remote));
  t.is(await receive(job, from, remote), null);
  await deliver(job, done, to, remote);
  t.deepEqual(await receive(job, from, remote), done);
  t.true(from.has(network));
});

test('names in jobs that are no sha256 never become paths', async t => {
  const {remote, from, to} = await started(t);
  const job = jobOn(from, samplesIn(temporaryFolder())[2]!);
  await t.throwsAsync(fetchInputs({...job, network: '../../etc/passwd'}, to, remote), {message: /^catalog\.job/});
  await offer(job, from, remote, false);
  const elsewhere = {...job, samples: {...job.samples!, path: '/data/..'}};
  t.true((await fetchInputs(elsewhere, to, remote))?.kind === 'make');
  const wrong = {...job, samples: {...job.samples!, sha256: '..'}};
  await t.throwsAsync(fetchInputs(wrong, to, remote), {message: /^catalog\.job/});
});
