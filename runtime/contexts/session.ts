/** A session whose answers are corrected by what is asked for lately, and tell it. */
import type {Manifest} from '../manifest.js';
import type {Answer, InputOf, RunOptions, Session, TaskName} from '../session.js';
import type {Contexts} from './contexts.js';

export type ContextSession<M extends Manifest = Manifest> = {
  /** `run` of Session under the prior of now. Throws what it throws; such a request counts as none. */
  run<T extends TaskName<M>>(task: T, input: InputOf<M, T>, options?: Omit<RunOptions<M, T>, 'prior'>): Answer<M, T>;
  /** The same on the thread pool; answers of calls that overlap count in the order in which they come. */
  runAsync<T extends TaskName<M>>(
    task: T,
    input: InputOf<M, T>,
    options?: Omit<RunOptions<M, T>, 'prior'>,
  ): Promise<Answer<M, T>>;
};

export function withContexts<M extends Manifest>(session: Session<M>, contexts: Contexts): ContextSession<M> {
  return {
    run(task, input, options) {
      const prior = contexts.prior(task);
      const answer = session.run(task, input, {...options, prior});
      contexts.observe(task, answer, prior);
      return answer;
    },
    async runAsync(task, input, options) {
      const prior = contexts.prior(task);
      const answer = await session.runAsync(task, input, {...options, prior});
      contexts.observe(task, answer, prior);
      return answer;
    },
  };
}
