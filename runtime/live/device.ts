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

  /** After all that was ready to run before, whether it succeeded or not. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
  const once = <T>(job: Job, work: () => Promise<T>): Promise<T> => {
    void stock.change(job).catch(() => undefined);
    return stock.use(job.segments, () => inTurn(work));
  };

  return {
    load: stock.change,
    run: (job, answered) =>
      once(job, async () => {
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
        const milliseconds = performance.now() - started;
        return {milliseconds, ...(watts !== undefined && {energy: (watts * milliseconds) / 1000})};
      }),
    runTo: job =>
      once(job, async () => session.frame(job.input).runTo(job.tasks[0]!, job.option.cut!, {variant: job.variants[0]!})),
    residentBytes: stock.bytes,
  };
}
