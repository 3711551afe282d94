/** What a pass declares: what must hold before it, what holds after it, what it undoes, how exact it is, and what it counts. */
import type {InvariantName} from '../../ir/invariants.js';
import type {Module} from '../../ir/types.js';

export type PassContext = {
  /** Adds to one of the pass's statistics. */
  count(what: string, by?: number): void;
};

export type Pass = {
  readonly name: string;
  readonly summary: string;
  readonly requires: readonly InvariantName[];
  readonly establishes: readonly InvariantName[];
  readonly breaks: readonly InvariantName[];
  /** Largest difference to the function before, relative to the largest value of the output; null: bit-equal. */
  readonly tolerance: number | null;
  /** What is counted, in words. */
  readonly stats: Readonly<Record<string, string>>;
  run(module: Module, context: PassContext): Module;
};

export const definePass = (pass: Pass): Pass => pass;
