/**
 * A worker's side of the queue: takes jobs that fit, gets what they read from the store, has them done by local processes, puts the
 * results there. A job that is being done is locked for a few seconds at a time; where the worker dies, the lock ends, and another
 * worker takes the job.
 */
import {randomUUID} from 'node:crypto';
import {hostname} from 'node:os';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Job as Queued} from 'bullmq';
import {DnncError, type Problem} from '../../../ir/diagnostics.js';
import {openRemote} from '../http/client.js';
import {type Job, keyOf, textOf} from '../jobs.js';
import type {Store} from '../store.js';
import {startWorkers, type WorkerOptions} from '../workers.js';
import type {Entry, Outcome} from './entry.js';
import {deliver, fetchInputs, isDelivered} from './exchange.js';
import {type Party, prefix, queuesOf, thisParty} from './party.js';
import {announce, takeLeave, whoIsThere} from './presence.js';
import {connect} from './redis.js';

export type WorkOptions = WorkerOptions & {
  readonly redis: string;
  /** URL of the store as this machine reaches it; null: as jobs say. */
  readonly remote: string | null;
  /** How many jobs at a time. */
  readonly count: number;
  /** A line about every job that has ended. */
  readonly tell: (says: string) => void;
  readonly warn: (says: string) => void;
  /** Milliseconds that a lock holds. */
  readonly lease?: number;
  readonly party?: Party;
};

/** Gives back what is not done, and ends. */
export type AtWork = {readonly where: string; stop(): Promise<void>};

type Taken = Queued<Entry, Outcome>;

/** How often a job is taken up again after its worker has died. */
const mostDeaths = 2;

/** Errors: those of `connect`; usage store.url. */
export async function work(store: Store, options: WorkOptions): Promise<AtWork> {
  if (options.remote !== null) openRemote(options.remote);
  const {count, tell, warn, lease = 30_000, party = thisParty()} = options;
  const connection = await connect(options.redis, warn);
  const {redis, bullmq, where} = connection;
  const id = randomUUID();
  const taken = new Map<string, {readonly job: Taken; readonly token: string}>();
  const bell = newBell();
  let stopping = false;

  const names = Object.values(queuesOf(party));
  const settings = {connection: redis, prefix, lockDuration: lease, stalledInterval: lease, maxStalledCount: mostDeaths};
  const queues = names.map(name => new bullmq.Worker<Entry, Outcome>(name, null, settings).on('error', () => {}));
  const events = names.map(name =>
    new bullmq.QueueEvents(name, {connection: redis, prefix}).on('error', () => {}).on('waiting', bell.ring),
  );
  await Promise.all([...queues.map(each => each.waitUntilReady()), ...events.map(each => each.waitUntilReady())]);
  for (const queue of queues) await queue.startStalledCheckTimer();
  const local = startWorkers(count, store, () => {}, options);

  const present = (): Promise<void> =>
    announce(redis, {...party, id, host: hostname(), pid: process.pid, doing: [...taken.keys()]}, lease);
  const clock = setInterval(() => {
    if (connection.gone() > 0) return;
    present().catch(() => {});
    // A lock that is lost is lost: the result counts all the same.
    for (const {job, token} of taken.values()) job.extendLock(token, lease).catch(() => {});
  }, lease / 4);
  // A Redis that has forgotten all is told at once.
  redis.on('ready', () => void present().catch(() => {}));
  await present();
  for (let i = 0; i < count; i++) void slot();

  async function slot(): Promise<void> {
    while (!stopping) {
      const token = randomUUID();
      // From before the look: what comes meanwhile is not missed.
      const rung = bell.next();
      try {
        const job = await next(token);
        if (job) await take(job, token);
        else await Promise.race([rung, sleep(1000)]);
      } catch (error) {
        // The job's lock ends, and it is taken up again.
        if (!stopping) warn(error instanceof Error ? error.message : String(error));
        await sleep(1000);
      }
    }
  }

  async function next(token: string): Promise<Taken | null> {
    for (const queue of queues) {
      const job = stopping ? null : await queue.getNextJob(token, {block: false});
      if (job) return job;
    }
    return null;
  }

  async function take(job: Taken, token: string): Promise<void> {
    const key = job.id!;
    if (job.deferredFailure)
      return void (await job.moveToFailed(new bullmq.UnrecoverableError(job.deferredFailure), token, false));
    // A lock may have ended while Redis was gone; who has it then is still at work.
    const others = await whoIsThere(redis);
    if (taken.has(key) || others.some(its => its.id !== id && its.doing.includes(key)))
      return job.moveToDelayed(Date.now() + 1000, token);
    taken.set(key, {job, token});
    try {
      await present();
      const started = performance.now();
      const outcome = await outcomeOf(job);
      if (stopping) return;
      await job.moveToCompleted(outcome, token, false).catch(() => {});
      tell(`${nameOf(job.data.job)}: ${wordOf(outcome)} (${((performance.now() - started) / 1000).toFixed(2)} s)`);
    } finally {
      taken.delete(key);
      present().catch(() => {});
    }
  }

  async function outcomeOf({id: key, data}: Taken): Promise<Outcome> {
    try {
      if (keyOf(data.job) !== key)
        return failed('queue.foreign', nameOf(data.job), 'was made by another dnnc, or for another machine');
      const remote = openRemote(options.remote ?? data.store);
      if (await isDelivered(data.job, remote)) return {kind: 'done'};
      const job = await fetchInputs(data.job, store, remote);
      if (!job) return {kind: 'missing'};
      await deliver(job, await local.run(job), store, remote);
      return {kind: 'done'};
    } catch (error) {
      if (!(error instanceof DnncError))
        return failed('queue.job', nameOf(data.job), error instanceof Error ? (error.stack ?? error.message) : String(error));
      const [problem] = error.problems;
      if (problem?.code === 'store.unreachable')
        return {kind: 'unreachable', store: data.store, host: hostname(), says: problem.says};
      return {kind: 'failed', error: error.kind, problems: error.problems.map(onThisHost)};
    }
  }

  return {
    where,
    async stop() {
      stopping = true;
      clearInterval(clock);
      await local.stop();
      if (connection.gone() === 0) {
        await Promise.allSettled([...taken.values()].map(({job, token}) => job.moveToWait(token)));
        await takeLeave(redis, id).catch(() => {});
      }
      bell.ring();
      await connection.end([...queues.map(each => each.close(true)), ...events.map(each => each.close())]);
    },
  };
}

const failed = (code: string, where: string, says: string): Outcome => ({
  ...{kind: 'failed', error: 'bug'},
  problems: [{code, where, says}],
});

/** A full disk or a compiler that is missing is somewhere. */
const onThisHost = (problem: Problem): Problem =>
  /^(file|cc)\./.test(problem.code) ? {...problem, where: `${hostname()}: ${problem.where}`} : problem;

/** Also of what only claims to be a job. */
function nameOf(job: Job): string {
  try {
    return textOf(job);
  } catch {
    return 'a job';
  }
}

function wordOf(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'done':
      return 'done';
    case 'failed':
      return `failed: ${outcome.problems.map(({code, says}) => `${code}: ${says}`).join('; ')}`;
    case 'missing':
      return 'given back: the store lacks what it reads';
    case 'unreachable':
      return `given back: ${outcome.store} cannot be reached: ${outcome.says}`;
    default:
      return outcome satisfies never;
  }
}

/** Wakes all that listen. */
function newBell() {
  let ring = (): void => {};
  let rung = new Promise<void>(resolve => {
    ring = resolve;
  });
  return {
    ring(): void {
      ring();
      rung = new Promise(resolve => {
        ring = resolve;
      });
    },
    next: (): Promise<void> => rung,
  };
}
