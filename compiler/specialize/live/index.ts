/**
 * Specialization while a session runs (MCDNN, section 5.2.1): what is asked for lately is the prior of every answer, and where a
 * few classes hold most of it for long enough, a thread of its own fits a cascade for them, which the session takes in without a
 * pause. Whatever goes wrong, the general network answers.
 */
import {
  type AdoptedId,
  type Answer,
  adaptive,
  type Contexts,
  contextsOf,
  type InputOf,
  type Manifest,
  type Session,
  type TaskName,
  withContexts,
} from '../../../runtime/index.js';
import type {Context} from '../../context.js';
import type {Goal} from '../cascade.js';
import {createFitter} from './fitter.js';
import {createKept} from './kept.js';
import {contextIn} from './watch.js';

export type LiveOptions<T extends string> = {
  readonly task: T;
  /** The build that the session was loaded from. */
  readonly directory: string;
  /** Path of labelled samples that heads are fitted to. */
  readonly fit: string;
  /** Path of labelled samples that no network has seen, for thresholds. Default: a third of `fit`. */
  readonly tune?: string;
  /** The array of labels in an .npz. Default: y_TASK, or y. */
  readonly labelsKey?: string;
  /** Default: the cheapest cascade that loses at most 0.3 points against the general network under the same prior. */
  readonly goal?: Goal;
  /** Classes count alike in fits. Default: false. */
  readonly balance?: boolean;
  /** What the prior comes from. Default: the adaptive rule. */
  readonly contexts?: Contexts;
  /** Answers for which a context must hold before anything is fitted for it. Default 30. */
  readonly patience?: number;
  /** Contexts whose cascades are kept, each share for itself. Default 16. */
  readonly limit?: number;
};

export type Live<M extends Manifest, T extends TaskName<M>> = {
  /** `run` and `runAsync` of Session, by the best variant for what is asked for now. Only the general network's errors are thrown. */
  run(input: InputOf<M, T>): Answer<M, T>;
  /** The input must stay as it is until there is an answer: a second variant may need it. */
  runAsync(input: InputOf<M, T>): Promise<Answer<M, T>>;
  /** The cascade that answers now; null: the general network does. */
  cascade(): AdoptedId | null;
  /** How often something was fitted, or is being. */
  fits(): number;
  /** What went wrong last; null: nothing did. */
  trouble(): string | null;
  /** Resolves when nothing is being fitted. */
  settled(): Promise<void>;
  /** Stops the thread. Answers go on. */
  close(): Promise<void>;
};

/** Answers between two looks at the prior. */
const stride = 10;

const usualGoal: Goal = {reference: 'corrected', wanted: {loss: 0.003}};

/** One for each task of a session. Nothing is fitted where the manifest has no calibration: there is no prior then. */
export function specializeLive<M extends Manifest, T extends TaskName<M>>(
  session: Session<M>,
  options: LiveOptions<T>,
): Live<M, T> {
  const {task, directory, fit: samples, tune = null, labelsKey, goal = usualGoal, balance = false} = options;
  const {patience = 30, limit = 16, contexts = contextsOf(session.manifest, adaptive())} = options;
  const answers = withContexts(session, contexts);
  const kept = createKept(session, limit);
  const fitter = createFitter({task, directory, fit: samples, tune, labelsKey, goal, balance});
  let current: AdoptedId | null = null;
  let held = 0;
  let count = 0;
  let fits = 0;
  let trouble: string | null = null;
  let fitting: Promise<void> = Promise.resolve();

  /** Chooses who answers next. undefined: nothing is known of the context. */
  function choose(): {readonly context: Context | null; readonly known: AdoptedId | null | undefined} {
    const prior = contexts.prior(task);
    const context = prior && contextIn(prior);
    const known = context ? kept.find(context) : null;
    current = known ?? null;
    return {context, known};
  }

  async function prepare(context: Context): Promise<void> {
    fits++;
    try {
      kept.add(context, await fitter.fit(context));
    } catch (error) {
      trouble = messageOf(error);
      kept.add(context, null);
    }
    choose();
  }

  /** After every answer. */
  function look(): void {
    if (++count % stride !== 0) return;
    const {context, known} = choose();
    held = context ? held + stride : 0;
    if (context && known === undefined && held >= patience && fitter.isFree()) fitting = prepare(context);
  }

  /** A cascade that fails where the general network does not is at fault. */
  function blame(cascade: AdoptedId, error: unknown): void {
    trouble = messageOf(error);
    kept.drop(cascade);
    if (current === cascade) current = null;
  }

  function withCascade(input: InputOf<M, T>): Answer<M, T> {
    const cascade = current;
    if (cascade === null) return answers.run(task, input);
    try {
      return answers.run(task, input, {variant: cascade});
    } catch (error) {
      const answer = answers.run(task, input);
      blame(cascade, error);
      return answer;
    }
  }

  async function withCascadeAsync(input: InputOf<M, T>): Promise<Answer<M, T>> {
    const cascade = current;
    if (cascade === null) return answers.runAsync(task, input);
    try {
      return await answers.runAsync(task, input, {variant: cascade});
    } catch (error) {
      const answer = await answers.runAsync(task, input);
      blame(cascade, error);
      return answer;
    }
  }

  return {
    run(input) {
      const answer = withCascade(input);
      look();
      return answer;
    },
    async runAsync(input) {
      const answer = await withCascadeAsync(input);
      look();
      return answer;
    },
    cascade: () => current,
    fits: () => fits,
    trouble: () => trouble,
    async settled() {
      await fitter.settled();
      await fitting;
    },
    close: fitter.close,
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
