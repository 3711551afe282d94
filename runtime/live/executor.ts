/** Where requests are answered: one interface for this device and for a server. */

import type {Image} from '../prepare.js';
import type {Option} from '../schedule/problem.js';
import type {TypedArray} from '../tensors.js';
import type {Change} from './stock.js';

/** One input: a tensor or an image, or all inputs of a network by name. */
export type LiveInput = Image | TypedArray | {readonly [name: string]: Image | TypedArray};

/** One request with what was decided for it. */
export type Job = {
  readonly request: string;
  readonly tasks: readonly string[];
  /** The variant of the build for each task. */
  readonly variants: readonly string[];
  readonly option: Option;
  readonly input: LiveInput;
  /** Segments whose weights it needs in memory. */
  readonly segments: readonly string[];
  /** Of these, what is to be brought there for it, and what is to be given back before. */
  readonly load: readonly string[];
  readonly evict: readonly string[];
  /** Asks for so many bytes of the data budget; false: they must not be sent. */
  claim(bytes: number): boolean;
  /** How often each class of a task is asked for now. */
  prior(task: string): readonly number[] | null;
};

export type TaskAnswer = {
  readonly task: string;
  readonly label: string | undefined;
  /** Of the largest score, or probability where there are any. */
  readonly index: number;
  readonly scores: TypedArray;
  /** Under the prior; without one, where the answer is a cascade's. */
  readonly probabilities?: Float64Array;
  /** Of a cascade: which variant answered. */
  readonly answeredBy?: string;
  /** The prior of the answer. */
  readonly under: readonly number[] | null;
};

/**
 * What a job took: milliseconds of work, waiting for other jobs not counted, and those in which no other could run, where it is more: since
 * the one before had ended, or this was ready. Energy (J) and data (bytes) where they were measured.
 */
export type Ran = {
  readonly milliseconds: number;
  readonly occupied?: number;
  readonly energy?: number;
  readonly data?: number;
};

export type Executor = {
  /** Tells each answer as soon as it is there. Rejects with what went wrong. */
  run(job: Job, answered: (answer: TaskAnswer) => void): Promise<Ran>;
  /**
   * Brings segments into memory beside the jobs; resolves when they are there. What is to be given back is kept for the jobs of
   * before. Absent: weights come into memory only for the job that needs them.
   */
  load?(change: Change): Promise<void>;
};
