/**
 * A build's side of the queue: jobs go in under their keys, and results are taken from the store. Events tell at once what has ended;
 * every few seconds it is looked whether they missed something, since Redis may have been gone, or have forgotten all.
 */
import type {Queue} from 'bullmq';
import {DnncError, fail, type Problem} from '../../../ir/diagnostics.js';
import {openRemote} from '../http/client.js';
import {serveStore} from '../http/server.js';
import {type Done, type Job, keyOf, textOf} from '../jobs.js';
import {onceEach, type Show, type Workers} from '../runner.js';
import type {Store} from '../store.js';
import type {Entry, Outcome} from './entry.js';
import {offer, receive} from './exchange.js';
import {prefix, queueOf, queuesOf, thisParty} from './party.js';
import {type Presence, whoIsThere, whyNobody} from './presence.js';
import {connect} from './redis.js';

export type QueueOptions = {
  readonly redis: string;
  /** URL of the store that workers reach; null: this process serves its own, to this machine. */
  readonly remote: string | null;
  readonly show: Show;
  readonly warn: (says: string) => void;
  /** Milliseconds that Redis may be gone, or a job may find no worker that fits. */
  readonly patience?: number;
  /** Milliseconds between looks; and until all workers have found a Redis that has been gone. */
  readonly every?: number;
  readonly grace?: number;
};

type Pending = {
  readonly job: Job;
  readonly key: string;
  readonly queue: Queue<Entry, Outcome>;
  readonly resolve: (done: Done<Job>) => void;
  readonly reject: (error: unknown) => void;
  /** What happens to it, one after the other. */
  last: Promise<void>;
  /** How often it has been queued; in how many looks in a row it was not there; since when nobody takes it. */
  rounds: number;
  absent: number;
  lonely: number | null;
};

const mostRounds = 4;

/** `run` rejects with input queue.lost, queue.no-worker, queue.store, and the errors of jobs and of the store. Errors: those of `connect` and `serveStore`; usage store.url. */
export async function startQueue(store: Store, options: QueueOptions): Promise<Workers> {
  const {show, warn, patience = 10 * 60_000, every = 2000, grace = 10_000} = options;
  const server = options.remote === null ? await serveStore({folder: store.folder}) : null;
  const remote = openRemote(options.remote ?? server!.url);
  const connection = await connect(options.redis, warn).catch(async (error: unknown) => {
    await server?.close();
    throw error;
  });
  const {redis, bullmq, where} = connection;
  const party = thisParty();
  const pending = new Map<string, Pending>();
  const queues = new Map<string, Queue<Entry, Outcome>>();
  const events = Object.values(queuesOf(party)).map(name => {
    queues.set(
      name,
      new bullmq.Queue<Entry, Outcome>(name, {connection: redis, prefix}).on('error', () => {}),
    );
    return new bullmq.QueueEvents(name, {connection: redis, prefix})
      .on('error', () => {})
      .on('completed', ({jobId, returnvalue}) => ended(jobId, returnvalue as unknown as Outcome))
      .on('failed', ({jobId, failedReason}) => ended(jobId, died(pending.get(jobId)?.job, failedReason)))
      .on('active', ({jobId}) => {
        const its = pending.get(jobId);
        if (its) show(`${textOf(its.job)}: at a worker`);
      });
  });
  await Promise.all(events.map(each => each.waitUntilReady()));
  let complaint = '';
  let looking = false;
  const clock = setInterval(() => {
    if (looking) return;
    looking = true;
    look()
      .catch(() => {})
      .finally(() => {
        looking = false;
      });
  }, every);

  const send = <J extends Job>(job: J): Promise<Done<J>> =>
    new Promise((resolve, reject) => {
      const key = keyOf(job);
      const its: Pending = {
        ...{job, key, queue: queues.get(queueOf(job, party))!, reject},
        resolve: done => resolve(done as Done<J>),
        ...{last: Promise.resolve(), rounds: 0, absent: 0, lonely: null},
      };
      pending.set(key, its);
      then(its, () => enqueue(its, false));
    });

  /** What is done to a job fails the job where it fails. */
  function then(its: Pending, action: () => Promise<void>): void {
    its.last = its.last
      .then(() => (pending.has(its.key) ? action() : undefined))
      .catch(error => settle(its, () => its.reject(error)));
  }

  function settle({key}: Pending, how: () => void): void {
    pending.delete(key);
    how();
  }

  async function enqueue(its: Pending, again: boolean): Promise<void> {
    its.rounds++;
    its.absent = 0;
    await offer(its.job, store, remote, again);
    const {job, key, queue} = its;
    const entry: Entry = {job, store: remote.url};
    await queue.add(job.kind, entry, {jobId: key, removeOnComplete: true, removeOnFail: true});
    // It may have been there already, from a build that has ended, and its store with it.
    const queued = await queue.getJob(key);
    if (queued && queued.data.store !== entry.store) await queued.updateData(entry);
  }

  function ended(key: string, outcome: Outcome): void {
    const its = pending.get(key);
    if (its) then(its, () => hear(its, outcome));
  }

  async function hear(its: Pending, outcome: Outcome): Promise<void> {
    if (outcome.kind === 'failed') return settle(its, () => its.reject(new DnncError(outcome.error, outcome.problems)));
    const done = await receive(its.job, store, remote);
    if (done) return settle(its, () => its.resolve(done));
    // The store of a build that has ended is nothing to this one.
    const foreign = outcome.kind === 'unreachable' && outcome.store !== remote.url;
    if (its.rounds >= mostRounds && !foreign) refuse(its, outcome);
    await enqueue(its, outcome.kind === 'missing');
  }

  /** A job that is nowhere in the queue: it has ended unheard, or Redis has forgotten it. */
  async function recover(its: Pending): Promise<void> {
    const done = await receive(its.job, store, remote);
    if (done) return settle(its, () => its.resolve(done));
    its.rounds--;
    await enqueue(its, false);
  }

  function refuse({job}: Pending, outcome: Outcome): never {
    if (outcome.kind === 'unreachable')
      return fail(
        'input',
        'queue.store',
        outcome.host,
        `the worker there does not reach the store at ${outcome.store}: ${outcome.says}`,
        'start dnnc store --host where all reach it, and name it with --store',
      );
    return fail(
      'input',
      'queue.store',
      textOf(job),
      `${remote.url} loses what is put there`,
      'see the disk of the store, and build again',
    );
  }

  /** What events have not told. */
  async function look(): Promise<void> {
    if (connection.gone() > patience)
      return giveUp('queue.lost', where, 'Redis has been gone for too long', 'build again: what is done is kept');
    if (connection.gone() > 0 || pending.size === 0) return;
    const there = await whoIsThere(redis);
    for (const its of [...pending.values()]) {
      const isThere = (await its.queue.getJob(its.key)) !== undefined || there.some(({doing}) => doing.includes(its.key));
      its.absent = isThere || connection.there() < grace ? 0 : its.absent + 1;
      // Once it may have ended just now, and its event be on its way.
      if (its.absent > 1) then(its, () => recover(its));
    }
    complain(there);
  }

  /** Says once what nobody takes, and gives up in the end. */
  function complain(there: readonly Presence[]): void {
    for (const its of pending.values()) {
      const why = whyNobody(its.job, party, there);
      its.lonely = why === null ? null : (its.lonely ?? performance.now());
      const lonely = its.lonely === null ? 0 : performance.now() - its.lonely;
      if (why === null || lonely < every) continue;
      if (lonely > patience) {
        giveUp('queue.no-worker', textOf(its.job), why, 'dnnc work --queue on such a machine');
        return;
      }
      if (why !== complaint) warn(`nobody takes "${textOf(its.job)}": ${why}`);
      complaint = why;
    }
  }

  function giveUp(code: string, at: string, says: string, cure: string): void {
    const problem: Problem = {code, where: at, says, cure};
    for (const its of [...pending.values()]) settle(its, () => its.reject(new DnncError('input', [problem])));
  }

  return {
    run: onceEach(store, send),
    async stop() {
      clearInterval(clock);
      // What nobody has begun is not done for nobody. Where Redis is gone, workers find that the build is.
      const left = [...pending.values()];
      pending.clear();
      if (connection.gone() === 0) await Promise.allSettled(left.map(({queue, key}) => queue.remove(key)));
      await connection.end(events.map(each => each.close()));
      await server?.close();
    },
  };
}

const died = (job: Job | undefined, reason: string): Outcome => ({
  ...{kind: 'failed', error: 'input'},
  problems: [
    {
      ...{code: 'catalog.worker', where: job ? textOf(job) : '', says: `workers have died over this job (${reason})`},
      cure: 'see whether their memory or disk is full',
    },
  ],
});
