/**
 * Answers on this device. Jobs whose weights are in memory run one after the other, in the order in which they were decided; the
 * tasks of a job at once, what they share computed once.
 */
import type {Session} from '../session.js';
import type {TypedArray} from '../tensors.js';
import type {Executor, Job} from './executor.js';
import {newStock} from './stock.js';

export type DeviceOptions = {
  readonly session: Session;
  /** Watts while it computes: energy is their product with measured time. Absent: energies are those of the catalog. */
  readonly watts?: number;
};

export type Device = Executor &
  Required<Pick<Executor, 'load'>> & {
    /** The first part of a split: the tensor at its cut. */
    runTo(job: Job): Promise<TypedArray>;
    /** Bytes of weights that were brought into memory and not given back. */
    residentBytes(): number;
  };

export function deviceExecutor({session, watts}: DeviceOptions): Device {
  const stock = newStock(session);
  let last: Promise<unknown> = Promise.resolve();
  let lastEnded = 0;

  /** After all that was ready to run before, whether it succeeded or not. `work` is told since when nothing else could run. */
  const inTurn = <T>(work: (since: number) => Promise<T>): Promise<T> => {
    const ready = performance.now();
    const result = last.then(() => work(Math.max(ready, lastEnded)));
    last = result
      .catch(() => undefined)
      .then(() => {
        lastEnded = performance.now();
      });
    return result;
  };
  const once = <T>(job: Job, work: (since: number) => Promise<T>): Promise<T> => {
    void stock.change(job).catch(() => undefined);
    return stock.use(job.segments, () => inTurn(work));
  };

  return {
    load: stock.change,
    run: (job, answered) =>
      once(job, async since => {
        const started = performance.now();
        const frame = session.frame(job.input);
        await Promise.all(
          job.tasks.map(async (task, i) => {
            const under = job.prior(task);
            const variant = job.variants[i]!;
            const {label, index, scores, probabilities, answeredBy} = await frame.run(task, {
              variant,
              ...(under && {prior: under}),
            });
            answered({
              ...{task, label, index, scores, under},
              ...(probabilities && {probabilities}),
              ...(answeredBy !== undefined && {answeredBy}),
            });
          }),
        );
        const ended = performance.now();
        const milliseconds = ended - started;
        return {milliseconds, occupied: ended - since, ...(watts !== undefined && {energy: (watts * milliseconds) / 1000})};
      }),
    runTo: job =>
      once(job, async () => session.frame(job.input).runTo(job.tasks[0]!, job.option.cut!, {variant: job.variants[0]!})),
    residentBytes: stock.bytes,
  };
}
