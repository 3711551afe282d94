/** Does one job here, unless it has been done before. */
import {fail} from '../../../ir/diagnostics.js';
import {type Done, isEnough, type Job, keyOf, networksMade, networksRead, type ResultOf} from '../jobs.js';
import type {Store} from '../store.js';
import {make} from './make.js';
import {measure} from './measure.js';
import {retarget} from './retarget.js';

/** What was kept of a job, if all that it names is still there; null otherwise. */
export function recallJob<J extends Job>(job: J, store: Store): Done<J> | null {
  const kept = store.result(keyOf(job)) as Done<J> | undefined;
  return kept && isEnough(job, kept) && networksMade(kept).every(network => store.has(network)) ? kept : null;
}

/** Errors: input catalog.network; and of the compiler, as DnncError. */
export async function perform<J extends Job>(
  job: J,
  store: Store,
  progress: (doing: string) => void = () => {},
): Promise<Done<J>> {
  const known = recallJob(job, store);
  if (known) return known;
  for (const network of networksRead(job))
    if (!store.has(network))
      fail('input', 'catalog.network', network, `is not in ${store.folder}, or damaged`, 'build again: it is made again');
  const started = performance.now();
  const result = (await resultOf(job, store, progress)) as ResultOf<J>;
  const done = {result, seconds: Number(((performance.now() - started) / 1000).toFixed(2))};
  store.keep(keyOf(job), done);
  return done;
}

function resultOf(job: Job, store: Store, progress: (doing: string) => void): Promise<ResultOf<Job>> {
  switch (job.kind) {
    case 'make':
      return make(job, store, progress);
    case 'measure':
      return measure(job, store, progress);
    case 'retarget':
      return retarget(job, store, progress);
    default:
      return job satisfies never;
  }
}
