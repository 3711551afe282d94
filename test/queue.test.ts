/** Jobs over a real Redis: nothing is lost, nothing is done twice, whatever dies; who does not fit takes nothing. */
import {type ChildProcess, fork} from 'node:child_process';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {Queue} from 'bullmq';
import {Redis} from 'ioredis';
import {serveStore} from '../compiler/catalog/http/server.js';
import {keyOf, type MakeJob} from '../compiler/catalog/jobs.js';
import {placeOf, readResult} from '../compiler/catalog/places.js';
import {prefix, queueOf, thisParty} from '../compiler/catalog/queue/party.js';
import {whyNobody} from '../compiler/catalog/queue/presence.js';
import {type QueueOptions, startQueue} from '../compiler/catalog/queue/send.js';
import {openStore, type Store} from '../compiler/catalog/store.js';
import type {WorkerSetup} from './programs/queue-worker.js';
import {hasRedis, startRedis} from './support/redis.js';
import {temporaryFolder} from './support/temporary.js';

const withRedis = hasRedis ? test.serial : test.serial.skip;
const program = new URL('programs/mortal-worker.js', import.meta.url).href;
const lease = 2000;

/** A job whose network is in the store. */
const jobOf = (store: Store, step: string): MakeJob => ({
  ...{kind: 'make', step, network: store.put(Buffer.from(`network of ${step}`)), samples: null, method: 'min-max'},
  question: {name: 'sign', labels: null, labelOffset: 0, input: null},
});

type Started = {readonly folder: string; readonly child: ChildProcess; done(): readonly string[]; told(): string};

/** A worker process, ready. */
async function startWorker(t: ExecutionContext, redis: string, setup: Partial<WorkerSetup> = {}): Promise<Started> {
  const folder = temporaryFolder();
  const its: WorkerSetup = {redis, folder, lease, program, ...setup};
  const child = fork(new URL('programs/queue-worker.js', import.meta.url), [JSON.stringify(its)]);
  t.teardown(() => void child.kill('SIGKILL'));
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve()).once('exit', code => reject(new Error(`the worker ended with ${code}`)));
  });
  const log = (name: string): string => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : '');
  return {folder, child, done: () => log('done.log').split('\n').filter(Boolean), told: () => log('told.log')};
}

/** A build's side, with a store of its own. */
async function startBuild(t: ExecutionContext, redis: string, options: Partial<QueueOptions> = {}) {
  const store = openStore(temporaryFolder());
  const warned: string[] = [];
  const {run, stop} = await startQueue(store, {
    ...{redis, remote: null, show: () => {}, warn: (says: string) => void warned.push(says)},
    ...{every: 200, grace: 2500, ...options},
  });
  t.teardown(stop);
  return {store, run, stop, warned, job: (step: string) => jobOf(store, step)};
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}

/** The queue that a job is in, as BullMQ sees it. */
function queueAt(t: ExecutionContext, redis: string, job: MakeJob): Queue {
  const connection = new Redis(redis, {maxRetriesPerRequest: null}).on('error', () => {});
  t.teardown(() => connection.disconnect());
  return new Queue(queueOf(job, thisParty()), {connection, prefix}).on('error', () => {});
}

const refused = (step: string) => ({refused: step});

withRedis('two workers share the jobs; each is done once, and known to the next build', async t => {
  const redis = await startRedis();
  t.teardown(redis.stop);
  const workers = await Promise.all([startWorker(t, redis.url), startWorker(t, redis.url)]);
  const {run, job, store} = await startBuild(t, redis.url);
  const steps = Array.from({length: 20}, (_, i) => (i % 2 ? `lowrank:0.${i}` : `w${i}`));
  const done = await Promise.all([...steps, ...steps].map(step => run(job(step))));
  t.deepEqual(
    done.map(({result}) => result),
    [...steps, ...steps].map(refused),
  );
  t.deepEqual(workers.flatMap(each => each.done()).toSorted(), steps.toSorted());
  await run(job('w0'));
  t.is(workers.flatMap(each => each.done()).length, steps.length);
  // Another build with another store gets what the worker remembers that gets the job; nothing stays in the queue.
  const other = await startBuild(t, redis.url);
  t.not(store.folder, other.store.folder);
  t.deepEqual((await other.run(jobOf(other.store, 'w2'))).result, refused('w2'));
  t.deepEqual(Object.values(await queueAt(t, redis.url, job('w0')).getJobCounts()).filter(Boolean), []);
});

withRedis('a worker is killed at work: another one does its job, once', async t => {
  const redis = await startRedis();
  t.teardown(redis.stop);
  const first = await startWorker(t, redis.url);
  const {run, job} = await startBuild(t, redis.url);
  const slow = run(job('slow'));
  await until(() => existsSync(join(first.folder, 'slow.begun')));
  first.child.kill('SIGKILL');
  const second = await startWorker(t, redis.url);
  const other = run(job('w8'));
  t.deepEqual((await slow).result, refused('slow'));
  await other;
  t.deepEqual(first.done(), []);
  t.deepEqual(second.done().toSorted(), ['slow', 'w8']);
});

withRedis('Redis is gone, forgets all, and comes back: the build says so, nothing is lost or done twice', async t => {
  const redis = await startRedis();
  t.teardown(redis.stop);
  const workers = await Promise.all([startWorker(t, redis.url), startWorker(t, redis.url)]);
  const {run, job, warned} = await startBuild(t, redis.url);
  const steps = ['slow-1', 'slow-2', 'slow-3', 'w4', 'w8'];
  const all = Promise.all(steps.map(step => run(job(step))));
  await until(() => workers.some(({folder}) => existsSync(join(folder, 'slow-1.begun'))));
  await redis.stop();
  await sleep(500);
  await redis.start();
  await all;
  t.deepEqual(workers.flatMap(each => each.done()).toSorted(), steps);
  t.regex(warned.join('\n'), /Redis at 127\.0\.0\.1:\d+\/1 is gone; waiting for it\nRedis at .* is back/);
});

withRedis('a worker of another dnnc takes nothing, and the build says what it waits for', async t => {
  const redis = await startRedis();
  t.teardown(redis.stop);
  const stranger = await startWorker(t, redis.url, {dnnc: '9.9.9 other'});
  const {run, job, warned} = await startBuild(t, redis.url);
  const waiting = run(job('w8'));
  await until(() => warned.length > 0);
  const {dnnc} = thisParty();
  t.is(
    warned[0]!.replace(/; \S+ has/, '; HOST has'),
    `nobody takes "sign: w8": it needs a worker of dnnc ${dnnc}; HOST has dnnc 9.9.9 other`,
  );
  await startWorker(t, redis.url);
  await waiting;
  t.deepEqual(stranger.done(), []);
  t.is(warned.length, 1);
});

test('who fits: any machine for most jobs, one like the own for those that depend on it', t => {
  const own = {dnnc: '1', cpu: 'fast', compiler: 'gcc', features: 'all'};
  const worker = (more: Partial<typeof own>) => ({...own, ...more, id: 'w', host: 'alpha', pid: 1, doing: []});
  const store = openStore(temporaryFolder());
  const [anywhere, clock] = [jobOf(store, 'w8'), jobOf(store, 'lowrank:0.5')];
  t.is(whyNobody(anywhere, own, [worker({cpu: 'slow'})]), null);
  t.is(whyNobody(clock, own, [worker({cpu: 'slow'}), worker({})]), null);
  const needs = 'it needs a worker of dnnc 1 on fast with gcc; ';
  t.is(whyNobody(clock, own, [worker({cpu: 'slow'})]), `${needs}alpha has slow`);
  t.is(whyNobody(clock, own, [worker({compiler: 'clang'})]), `${needs}alpha has clang`);
  t.is(whyNobody(clock, own, [worker({features: 'few'})]), `${needs}alpha has other features of that CPU`);
  t.is(whyNobody(anywhere, own, []), 'it needs a worker of dnnc 1; there is none at all');
});

withRedis('where nobody comes the build ends with an error, and leaves nothing behind', async t => {
  const redis = await startRedis();
  t.teardown(redis.stop);
  const {run, job, stop} = await startBuild(t, redis.url, {patience: 600});
  await t.throwsAsync(run(job('w8')), {message: /^queue\.no-worker: sign: w8: it needs .* there is none at all/});
  const ended = await startBuild(t, redis.url);
  ended.run(ended.job('w4')).catch(() => {});
  const queue = queueAt(t, redis.url, ended.job('w4'));
  const waits = async () => (await queue.getJob(keyOf(ended.job('w4')))) !== undefined;
  await until(waits);
  await ended.stop();
  t.false(await waits());
  await stop();
});

withRedis('Redis does not come back', async t => {
  const redis = await startRedis();
  const {run, job} = await startBuild(t, redis.url, {patience: 500});
  const lost = run(job('w8'));
  lost.catch(() => {});
  await redis.stop();
  await t.throwsAsync(lost, {message: /^queue\.(lost|no-worker)/});
});

withRedis('what a build that has ended left behind is done for the next one', async t => {
  const redis = await startRedis();
  t.teardown(redis.stop);
  const {run, job} = await startBuild(t, redis.url);
  const left = job('w8');
  const queue = queueAt(t, redis.url, left);
  await queue.add('make', {job: left, store: 'http://127.0.0.1:9'}, {jobId: keyOf(left)});
  const done = run(left);
  await until(async () => (await queue.getJob(keyOf(left)))?.data.store !== 'http://127.0.0.1:9');
  await startWorker(t, redis.url);
  t.deepEqual((await done).result, refused('w8'));
});

withRedis('what is poisoned in the store is noticed, and made again', async t => {
  const redis = await startRedis();
  t.teardown(redis.stop);
  const folder = temporaryFolder();
  const server = await serveStore({folder});
  t.teardown(server.close);
  const {run, job} = await startBuild(t, redis.url, {remote: server.url});
  const queued = run(job('w8'));
  const network = placeOf(folder, 'networks', job('w8').network);
  await until(() => existsSync(network));
  await sleep(100);
  writeFileSync(network, 'poison');
  const {done} = await startWorker(t, redis.url);
  t.deepEqual((await queued).result, refused('w8'));
  // The result too: another build, which knows nothing yet, does not believe it.
  const result = placeOf(folder, 'results', keyOf(job('w8')));
  writeFileSync(result, `${'0'.repeat(64)}\n{"result":{"refused":"poison"}}`);
  const other = await startBuild(t, redis.url, {remote: server.url});
  t.deepEqual((await other.run(jobOf(other.store, 'w8'))).result, refused('w8'));
  // The worker still knows it.
  t.deepEqual(done(), ['w8']);
  t.like(readResult(readFileSync(result, 'utf8')), {result: refused('w8')});
});

withRedis('a store that is full', async t => {
  const redis = await startRedis();
  t.teardown(redis.stop);
  const server = await serveStore({folder: temporaryFolder(), capacity: 100});
  t.teardown(server.close);
  await startWorker(t, redis.url);
  const {run, job} = await startBuild(t, redis.url, {remote: server.url});
  const message = /^store\.full: http:.*it may hold 100 bytes/;
  // The network fits, its result does not: the worker says so.
  await t.throwsAsync(run(job('w8')), {message});
  const large = {...job('w4'), network: openStore(temporaryFolder()).put(Buffer.alloc(200))};
  await t.throwsAsync(run(large), {message: /^catalog\.network/});
});

withRedis('an error of a job is the error of the build; one that workers die of, too', async t => {
  const redis = await startRedis();
  t.teardown(redis.stop);
  await startWorker(t, redis.url);
  const {run, job} = await startBuild(t, redis.url);
  await t.throwsAsync(run(job('fails')), {message: 'catalog.test: fails: fails'});
  await t.throwsAsync(run(job('dies')), {message: /^catalog\.worker: sign: dies: 2 workers have died/});
});

withRedis('addresses that are none, and nobody there', async t => {
  const store = openStore(temporaryFolder());
  const start = (redis: string, remote: string | null = null) =>
    startQueue(store, {redis, remote, show: () => {}, warn: () => {}});
  await t.throwsAsync(start('http://here'), {message: /^queue\.url: http:\/\/here/});
  await t.throwsAsync(start('127.0.0.1:6379'), {message: /^queue\.url/});
  await t.throwsAsync(start('redis://127.0.0.1:9', 'ftp://here'), {message: /^store\.url/});
});
