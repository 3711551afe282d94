/** Local processes that do the jobs of a catalog: what dies is replaced, what cannot be done says so. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import type {MakeJob} from '../compiler/catalog/jobs.js';
import {openStore} from '../compiler/catalog/store.js';
import {startWorkers} from '../compiler/catalog/workers.js';
import {temporaryFolder} from './support/temporary.js';

const program = new URL('programs/mortal-worker.js', import.meta.url);

const job = (step: string, network = 'a'): MakeJob => ({
  ...{kind: 'make', step, network: network.repeat(64), samples: null, method: 'min-max'},
  question: {name: 'sign', labels: null, labelOffset: 0, input: null},
});

const start = (count: number, minutes = 5) => {
  const folder = temporaryFolder();
  const workers = startWorkers(count, openStore(folder), () => {}, {program, minutes});
  return {...workers, folder, log: () => readFileSync(join(folder, 'done.log'), 'utf8').trim().split('\n').sort()};
};

test('a worker that is killed is replaced, and its job done by another one, once', async t => {
  const {run, stop, log} = start(2);
  const steps = ['one', 'dies-once', 'two', 'three', 'four'];
  const done = await Promise.all(steps.map(step => run(job(step))));
  stop();
  t.deepEqual(
    done.map(({result}) => result),
    steps.map(refused => ({refused})),
  );
  t.deepEqual(log(), steps.toSorted());
});

test('two deaths over a job are enough: an error that names it, and other jobs go on', async t => {
  const {run, stop, log} = start(1);
  const dying = run(job('dies'));
  const other = run(job('one'));
  await t.throwsAsync(dying, {message: /catalog\.worker: sign: dies: 2 workers have died over this job/});
  await other;
  stop();
  t.deepEqual(log(), ['one']);
});

test('a job that hangs is ended', async t => {
  const {run, stop} = start(1, 0.005);
  await t.throwsAsync(run(job('hangs')), {message: /sign: hangs: 2 workers .* ended after 0\.005 minutes/});
  stop();
});

test('workers that cannot start are not started for ever', async t => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'stillborn'), '');
  const {run, stop} = startWorkers(1, openStore(folder), () => {}, {program});
  await t.throwsAsync(run(job('one')), {message: /catalog\.worker/});
  await t.throwsAsync(run(job('two')), {message: /catalog\.worker/});
  stop();
});

test('an error of a job is the error of that job; the same job is done once at a time', async t => {
  const {run, stop, log} = start(2);
  await t.throwsAsync(run(job('fails')), {message: /catalog\.test: fails: fails/});
  await Promise.all([run(job('same')), run(job('same')), run(job('same'))]);
  stop();
  t.deepEqual(log(), ['same']);
});

test('stopping where a worker has just died', async t => {
  const {run, stop} = start(1);
  run(job('dies')).catch(() => {});
  await new Promise(resolve => setTimeout(resolve, 300));
  t.notThrows(stop);
  t.notThrows(stop);
});
