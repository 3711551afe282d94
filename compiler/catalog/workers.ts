/** Jobs in several local processes. A process that dies is replaced, and its job given to another one, once. */
import {type ChildProcess, fork} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {DnncError, type Problem} from '../../ir/diagnostics.js';
import {type Done, type Job, textOf} from './jobs.js';
import {onceEach, type Show, type Workers} from './runner.js';
import type {Store} from './store.js';
import type {WorkerMessage} from './worker.js';

export type WorkerOptions = {
  /** Minutes after which a job counts as hanging, and its worker is ended. */
  readonly minutes?: number;
  /** What the processes run, as `worker.ts`. */
  readonly program?: URL;
};

type Task = {
  readonly job: Job;
  /** How often a worker has died over it. */
  deaths: number;
  readonly resolve: (done: Done<Job>) => void;
  readonly reject: (error: unknown) => void;
};

type Worker = {readonly child: ChildProcess; task: Task | null; last: string; clock: NodeJS.Timeout | undefined};

const mostDeaths = 2;

/** What a worker has at hand after a job: a study of a network, which the next step of that kind needs too. */
const handOf = (job: Job): string => (job.kind === 'make' ? `${job.network} ${job.step.split(':')[0]}` : '');

/** `run` rejects with input catalog.worker where workers die, and with the errors of jobs. */
export function startWorkers(count: number, store: Store, show: Show, options: WorkerOptions = {}): Workers {
  const {minutes = 24 * 60, program = new URL('worker.js', import.meta.url)} = options;
  const waiting: Task[] = [];
  const workers: Worker[] = [];
  let stopped = false;
  /** Deaths in a row of workers that had done nothing yet: they cannot even start. */
  let stillborn = 0;

  const begin = (): void => {
    const child = fork(fileURLToPath(program), [store.folder], {stdio: ['ignore', 'ignore', 'inherit', 'ipc']});
    const worker: Worker = {child, task: null, last: '', clock: undefined};
    workers.push(worker);
    child.on('message', (message: WorkerMessage) => hear(worker, message));
    child.on('exit', () => lose(worker));
    child.on('error', () => lose(worker));
  };

  function hear(worker: Worker, message: WorkerMessage): void {
    const {task} = worker;
    if (!task) return;
    if (message.kind === 'doing') {
      show(`${textOf(task.job)}: ${message.doing}`);
      return;
    }
    free(worker);
    stillborn = 0;
    if (message.kind === 'done') task.resolve(message.done);
    else task.reject(new DnncError(message.error, message.problems));
    deal();
  }

  function free(worker: Worker): void {
    worker.task = null;
    clearTimeout(worker.clock);
  }

  function lose(worker: Worker): void {
    const at = workers.indexOf(worker);
    if (at < 0) return;
    workers.splice(at, 1);
    if (stopped) return;
    const {task} = worker;
    free(worker);
    if (task && ++task.deaths < mostDeaths) waiting.unshift(task);
    else task?.reject(failed(task.job, `${task.deaths} workers have died over this job, or were ended after ${minutes} minutes`));
    if (!task && ++stillborn > 2 * count) {
      for (const {job, reject} of waiting.splice(0)) reject(failed(job, 'no worker stays alive'));
      return;
    }
    begin();
    deal();
  }

  /** Idle workers get what waits; one that has the network's study at hand first. */
  function deal(): void {
    for (const worker of workers) {
      if (worker.task || waiting.length === 0 || !worker.child.connected) continue;
      const fitting = waiting.findIndex(({job}) => handOf(job) === worker.last);
      const [task] = waiting.splice(Math.max(0, fitting), 1);
      worker.task = task!;
      worker.last = handOf(task!.job) || worker.last;
      worker.clock = setTimeout(() => worker.child.kill('SIGKILL'), minutes * 60_000);
      worker.child.send(task!.job);
    }
  }

  for (let i = 0; i < count; i++) begin();
  return {
    run: onceEach(
      store,
      <J extends Job>(job: J) =>
        new Promise<Done<J>>((resolve, reject) => {
          if (workers.length === 0) return reject(failed(job, 'no worker stays alive'));
          waiting.push({job, deaths: 0, reject, resolve: done => resolve(done as Done<J>)});
          deal();
        }),
    ),
    stop() {
      stopped = true;
      for (const {child, clock} of workers) {
        clearTimeout(clock);
        if (child.connected) child.disconnect();
        // What is in the middle of something ends after it, and nobody waits for that.
        child.unref();
      }
    },
  };
}

function failed(job: Job, says: string): DnncError {
  const problem: Problem = {code: 'catalog.worker', where: textOf(job), says, cure: 'see whether memory or the disk is full'};
  return new DnncError('input', [problem]);
}
