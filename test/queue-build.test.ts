/** A catalog made by two workers over Redis, of which one dies, is the catalog that this process makes. */
import {fork} from 'node:child_process';
import {existsSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {Redis} from 'ioredis';
import type {Attempt} from '../compiler/catalog/attempt.js';
import {findVariants} from '../compiler/catalog/index.js';
import {type Done, type Job, keyOf, type ResultOf, type Run} from '../compiler/catalog/jobs.js';
import {whoIsThere} from '../compiler/catalog/queue/presence.js';
import {startQueue} from '../compiler/catalog/queue/send.js';
import {here} from '../compiler/catalog/runner.js';
import {openStore, type Store} from '../compiler/catalog/store.js';
import {openLabelled} from '../compiler/data-flags.js';
import {resolveTasks} from '../compiler/tasks.js';
import {npz, splits} from '../examples/signs/data.js';
import type {WorkerSetup} from './programs/queue-worker.js';
import {writeTiny} from './support/cli.js';
import {hasRedis, startRedis} from './support/redis.js';
import {temporaryFolder} from './support/temporary.js';
import {hasCompiler} from './tiny-build.js';

/** Without what is chosen by times. */
const without =
  (run: Run, done: Set<string>): Run =>
  async <J extends Job>(job: J): Promise<Done<J>> => {
    if (job.kind === 'make' && /^(input|lowrank|prune)/.test(job.step))
      return {result: {refused: 'left out'} as ResultOf<J>, seconds: 0};
    done.add(keyOf(job));
    return run(job);
  };

/** What is made of a network and how many answers are right, by recipe; times are never the same. */
async function variantsOf(folder: string, store: Store, run: Run) {
  const {tasks} = resolveTasks({models: [], tasks: [], config: join(folder, 'dnnc.config.json')});
  const [task] = tasks;
  const at = (name: string) => {
    const path = join(folder, name);
    return new Map([[task!.name, {path, data: openLabelled(path, task!, undefined)}]]);
  };
  const found: Record<string, Partial<Attempt['measured']> & {readonly network: string | null; readonly dropped: string | null}> =
    {};
  const keys = new Set<string>();
  await findVariants(tasks, {
    ...{maxLoss: 100, evaluate: at('evaluate.npz'), calibrate: at('calibrate.npz'), fit: new Map(), balance: false, profiles: []},
    ...{method: 'min-max', target: 'generic', bind: new Map(), store, run: without(run, keys)},
    tell: (_, {recipe, network, measured, dropped}) => {
      found[recipe] = {network, dropped, ...(measured && {right: measured.right})};
    },
  });
  return {found, jobs: keys.size};
}

async function startWorker(t: ExecutionContext, redis: string) {
  const folder = temporaryFolder();
  const child = fork(new URL('programs/queue-worker.js', import.meta.url), [
    JSON.stringify({redis, folder, lease: 3000} satisfies WorkerSetup),
  ]);
  t.teardown(() => void child.kill('SIGKILL'));
  await new Promise(resolve => child.once('message', resolve));
  const log = join(folder, 'told.log');
  return {
    child,
    samples: () => readdirSync(join(folder, 'samples')),
    told: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
  };
}

(hasRedis && hasCompiler ? test : test.skip)(
  'two workers, one killed at work: the same variants and answers, each job done once',
  async t => {
    const folder = temporaryFolder();
    writeTiny(folder);
    writeFileSync(join(folder, 'evaluate.npz'), npz({seed: splits.tune, count: 60}));
    writeFileSync(join(folder, 'calibrate.npz'), npz({seed: splits.calibrate, count: 20}));
    const own = openStore(temporaryFolder());
    const expected = await variantsOf(folder, own, here(own, () => {}).run);
    t.true(expected.jobs >= 6);

    const redis = await startRedis();
    t.teardown(redis.stop);
    const client = new Redis(redis.url).on('error', () => {});
    t.teardown(() => client.disconnect());
    const workers = await Promise.all([startWorker(t, redis.url), startWorker(t, redis.url)]);
    const store = openStore(temporaryFolder());
    const {run, stop} = await startQueue(store, {redis: redis.url, remote: null, show: () => {}, warn: () => {}, every: 500});
    t.teardown(stop);
    const over = variantsOf(folder, store, run);
    over.catch(() => {});
    // The first that has begun a job dies over it.
    let victim: number | undefined;
    while (victim === undefined) {
      await sleep(10);
      victim = (await whoIsThere(client)).find(({doing}) => doing.length > 0)?.pid;
    }
    process.kill(victim, 'SIGKILL');
    t.deepEqual((await over).found, expected.found);
    const told = workers.flatMap(each => each.told());
    // The one that died may have left a result before it could say so.
    t.true(told.length === expected.jobs || told.length === expected.jobs - 1, told.join('\n'));
    t.true(told.every(line => /: done/.test(line)));

    // Samples came by content.
    t.is(workers.find(({child}) => child.pid !== victim)?.samples().length, 2);

    // All of it is kept: a rerun needs nobody.
    for (const {child} of workers) child.kill('SIGKILL');
    await redis.stop();
    t.deepEqual((await variantsOf(folder, store, here(store, () => t.fail()).run)).found, expected.found);
    rmSync(folder, {recursive: true});
  },
);
