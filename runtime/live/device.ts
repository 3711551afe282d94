/**
 * Answers on this device: jobs one after the other, in the order in which they were decided, so that what is in memory is what the
 * scheduler believes; the tasks of a job at once, what they share computed once.
 */
import type {Session} from '../session.js';
import type {TypedArray} from '../tensors.js';
import type {Executor, Job} from './executor.js';

export type DeviceOptions = {
  readonly session: Session;
  /** Watts while it computes: energy is their product with measured time. Absent: energies are those of the catalog. */
  readonly watts?: number;
};

export type Device = Executor & {
  /** The first part of a split: the tensor at its cut. */
  runTo(job: Job): Promise<TypedArray>;
  /** Bytes of weights that were brought into memory and not given back. */
  residentBytes(): number;
};

export function deviceExecutor({session, watts}: DeviceOptions): Device {
  const resident = new Map<string, number>();
  let last: Promise<unknown> = Promise.resolve();

  /** After all that was asked for before, whether it succeeded or not. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
  /** Parts without weights of their own in the file, such as whole variants, cannot be paged: they stay. */
  const isPageable = (id: string): boolean => session.manifest.segments.some(segment => segment.id === id);
  const page = ({load, evict}: Job): void => {
    for (const id of evict) if (resident.delete(id)) session.unloadSegment(id);
    for (const id of load) if (isPageable(id)) resident.set(id, session.loadSegment(id));
  };

  return {
    run: (job, answered) =>
      inTurn(async () => {
        const started = performance.now();
        page(job);
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
      inTurn(async () => {
        page(job);
        return session.frame(job.input).runTo(job.tasks[0]!, job.option.cut!, {variant: job.variants[0]!});
      }),
    residentBytes: () => [...resident.values()].reduce((sum, bytes) => sum + bytes, 0),
  };
}
