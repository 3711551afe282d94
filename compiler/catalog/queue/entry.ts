/** What a job is in the queue, and how it ends there. What it reads and makes goes through the store. */
import type {Kind, Problem} from '../../../ir/diagnostics.js';
import type {Job} from '../jobs.js';

/** Under the job's key for an id, so that nothing is queued twice. */
export type Entry = {
  readonly job: Job;
  /** URL of the store, as the build reaches it. */
  readonly store: string;
};

export type Outcome =
  /** The result is in the store. */
  | {readonly kind: 'done'}
  | {readonly kind: 'failed'; readonly error: Kind; readonly problems: readonly Problem[]}
  /** Something that the job reads is not in the store, or damaged. */
  | {readonly kind: 'missing'}
  /** The worker does not reach the store. */
  | {readonly kind: 'unreachable'; readonly store: string; readonly host: string; readonly says: string};
