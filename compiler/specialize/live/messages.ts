/** What the thread of a session and the one that fits tell each other. */
import type {Context} from '../../context.js';
import type {Goal} from '../cascade.js';
import type {Fitted} from './fitted.js';

/** What the worker begins with. */
export type Work = {
  /** Of the build. */
  readonly directory: string;
  /** Of the worker's own. */
  readonly folder: string;
  readonly task: string;
  /** Paths of labelled samples. */
  readonly fit: string;
  readonly tune: string | null;
  readonly labelsKey: string | undefined;
  readonly goal: Goal;
  readonly balance: boolean;
};

/** `number` is that of the context. */
export type Request = {readonly number: number; readonly context: Context};

export type Reply =
  | {readonly number: number; readonly fitted: Fitted | null; readonly seconds: number}
  | {readonly number: number; readonly failed: string};
