/** The thread that fits, as a function of contexts. It is started for the first one, and keeps no process alive. */
import {rmSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {Worker} from 'node:worker_threads';
import type {Context} from '../../context.js';
import {temporaryFolder} from '../../open.js';
import type {Fitted} from './fitted.js';
import type {Reply, Request, Work} from './messages.js';

export type Fitter = {
  /** Whether it waits for a context. */
  isFree(): boolean;
  /** One at a time. Rejects with what went wrong in the thread, or that it ended; null where it is closed meanwhile. */
  fit(context: Context): Promise<Fitted | null>;
  /** Resolves when it waits for a context, and meanwhile keeps the process alive. */
  settled(): Promise<void>;
  close(): Promise<void>;
};

/** A thread that ended by itself so often is not started again. */
const mostCrashes = 3;

type Pending = {readonly fitted: Promise<Fitted | null>; resolve(fitted: Fitted | null): void; reject(error: Error): void};

/** A promise with what settles it (Promise.withResolvers, which Node 20 lacks). */
function newPending(): Pending {
  let [resolve, reject]: [Pending['resolve'], Pending['reject']] = [() => {}, () => {}];
  const fitted = new Promise<Fitted | null>((...settle) => {
    [resolve, reject] = settle;
  });
  return {fitted, resolve, reject};
}

/** `code` is what the thread runs. */
export function createFitter(work: Omit<Work, 'folder'>, code = new URL('./worker.js', import.meta.url)): Fitter {
  let worker: Worker | null = null;
  let folder: string | null = null;
  let pending: Pending | null = null;
  let [number, crashes, isClosed] = [0, 0, false];

  function end(settle: (pending: Pending) => void): void {
    const its = pending;
    pending = null;
    worker?.unref();
    if (its) settle(its);
  }

  function ended(reason: string): void {
    worker = null;
    crashes++;
    end(its => its.reject(new Error(reason)));
  }

  function started(): Worker {
    folder ??= temporaryFolder();
    const own: Work = {...work, directory: resolve(work.directory), folder: join(folder, 'build')};
    const made = new Worker(code, {workerData: own});
    made.unref();
    made.on('message', (reply: Reply) => {
      if ('failed' in reply) end(its => its.reject(new Error(reply.failed)));
      else end(its => its.resolve(reply.fitted));
    });
    made.on('error', error => ended(error.message));
    made.on('exit', code => {
      if (worker === made) ended(`the thread that fits ended with code ${code}`);
    });
    return made;
  }

  return {
    isFree: () => pending === null && !isClosed && crashes < mostCrashes,
    fit(context) {
      pending = newPending();
      worker ??= started();
      const request: Request = {number: ++number, context};
      worker.postMessage(request);
      return pending.fitted;
    },
    async settled() {
      if (!pending) return;
      worker?.ref();
      await pending.fitted.catch(() => null);
    },
    async close() {
      isClosed = true;
      const its = worker;
      worker = null;
      end(each => each.resolve(null));
      await its?.terminate();
      if (folder !== null) rmSync(folder, {recursive: true, force: true});
    },
  };
}
