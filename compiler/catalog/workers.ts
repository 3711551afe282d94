/** Jobs in several local processes. A process that dies is replaced, and its job given to another one, once. */
import {type ChildProcess, fork} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {DnncError, fail} from '../../ir/diagnostics.js';
import {type Done, type Job, type Run, textOf} from './jobs.js';
import {onceEach, type Show} from './runner.js';
import type {Store} from './store.js';
import type {WorkerMessage} from './worker.js';

/** `run` gives jobs to the workers; `stop` ends them. */
export type Workers = {readonly run: Run; stop(): void};

type Task = {
  readonly job: Job;
  /** How often a worker has died over it. */
  deaths: number;
  readonly resolve: (done: Done<Job>) => void;
  readonly reject: (error: unknown) => void;
};

type Worker = {readonly child: ChildProcess; task: Task | null; last: string};

const mostDeaths = 2;

/** What a worker has at hand after a job: a study of a network, which the next step of that kind needs too. */
const handOf = (job: Job): string => (job.kind === 'make' ? `${job.network} ${job.step.split(':')[0]}` : '');

export function startWorkers(count: number, store: Store, show: Show): Workers {
  const waiting: Task[] = [];
  const workers: Worker[] = [];
  let stopped = false;

  const begin = (): void => {
    const child = fork(fileURLToPath(new URL('worker.js', import.meta.url)), [store.folder], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const worker: Worker = {child, task: null, last: ''};
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
    worker.task = null;
    if (message.kind === 'done') task.resolve(message.done);
    else task.reject(new DnncError(message.error, message.problems));
    deal();
  }

  function lose(worker: Worker): void {
    const at = workers.indexOf(worker);
    if (at < 0) return;
    workers.splice(at, 1);
    if (stopped) return;
    const {task} = worker;
    if (task && ++task.deaths < mostDeaths) waiting.unshift(task);
    else task?.reject(died(task));
    begin();
    deal();
  }

  const died = ({job, deaths}: Task): unknown => {
    try {
      return fail(
        'input',
        'catalog.worker',
        textOf(job),
        `${deaths} workers have died over this job`,
        'see whether memory or the disk is full',
      );
    } catch (error) {
      return error;
    }
  };

  /** Idle workers get what waits; one that has the network's study at hand first. */
  function deal(): void {
    for (const worker of workers) {
      if (worker.task || waiting.length === 0) continue;
      const fitting = waiting.findIndex(({job}) => handOf(job) === worker.last);
      const [task] = waiting.splice(Math.max(0, fitting), 1);
      worker.task = task!;
      worker.last = handOf(task!.job) || worker.last;
      worker.child.send(task!.job);
    }
  }

  for (let i = 0; i < count; i++) begin();
  return {
    run: onceEach(
      store,
      <J extends Job>(job: J) =>
        new Promise<Done<J>>((resolve, reject) => {
          waiting.push({job, deaths: 0, reject, resolve: done => resolve(done as Done<J>)});
          deal();
        }),
    ),
    stop() {
      stopped = true;
      for (const {child} of workers) child.disconnect();
    },
  };
}
