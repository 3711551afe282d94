/** Who does the jobs of a catalog: what all ways have in common, and the plainest one, this process. */
import {type Done, type Job, keyOf, type Run, textOf} from './jobs.js';
import {perform, recallJob} from './perform/index.js';
import type {Store} from './store.js';

export type Show = (doing: string) => void;

/** Jobs that are known are recalled, and nothing is done twice at once. `send` does a job elsewhere and leaves its result in the store. */
export function onceEach(store: Store, send: <J extends Job>(job: J) => Promise<Done<J>>): Run {
  const running = new Map<string, Promise<Done<Job>>>();
  return async <J extends Job>(job: J): Promise<Done<J>> => {
    const known = recallJob(job, store);
    if (known) return known;
    const key = keyOf(job);
    const sent = running.get(key) ?? send(job).finally(() => running.delete(key));
    running.set(key, sent);
    // The key says all that the job does, so a job with the same key has the same kind of result.
    return sent as Promise<Done<J>>;
  };
}

/** Who does jobs: `stop` ends what is at work, and what waits is not begun. */
export type Workers = {readonly run: Run; stop(): void | Promise<void>};

/** One after the other in this process. A job that is at work when it is stopped is done first. */
export function here(store: Store, show: Show): Workers {
  let last: Promise<unknown> = Promise.resolve();
  let stopped = false;
  return {
    run: onceEach(store, job => {
      const next = last.then(() => {
        if (stopped) throw new Error('the search has ended');
        return perform(job, store, doing => show(`${textOf(job)}: ${doing}`));
      });
      // An error is that of its job, not of those behind it.
      last = next.catch(() => {});
      return next;
    }),
    stop() {
      stopped = true;
    },
  };
}
