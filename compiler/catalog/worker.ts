/** A process that does jobs for another one: `fork(worker, [folder of the store])`, then messages. It ends with the process that began it. */
import {DnncError, type Kind, type Problem} from '../../ir/diagnostics.js';
import {stopCompilers} from '../cc.js';
import type {Done, Job} from './jobs.js';
import {perform} from './perform/index.js';
import {openStore} from './store.js';

/** What a worker answers: progress, then the result or an error. */
export type WorkerMessage =
  | {readonly kind: 'doing'; readonly doing: string}
  | {readonly kind: 'done'; readonly done: Done<Job>}
  | {readonly kind: 'failed'; readonly error: Kind; readonly problems: readonly Problem[]};

const [folder] = process.argv.slice(2);
if (process.send && folder !== undefined) {
  const store = openStore(folder);
  // Who began this may be gone already: then `disconnect` follows.
  const send = (message: WorkerMessage): void => void process.send?.(message, undefined, undefined, () => {});
  process.on('disconnect', () => {
    stopCompilers();
    process.exit();
  });
  process.on('message', (job: Job) => {
    perform(job, store, doing => send({kind: 'doing', doing})).then(
      done => send({kind: 'done', done}),
      (error: unknown) => {
        if (error instanceof DnncError) return send({kind: 'failed', error: error.kind, problems: error.problems});
        const says = error instanceof Error ? (error.stack ?? error.message) : String(error);
        return send({kind: 'failed', error: 'bug', problems: [{code: 'catalog.worker', where: job.kind, says}]});
      },
    );
  });
}
