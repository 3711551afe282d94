/** What was decided for a request, what sets out with it, and what it took. */
import type {Refusal} from './queue.js';
import type {Paged, State} from './state.js';

/** Weights that come into memory beside the requests. Paid when they set out. */
export type Load = {
  /** Loads are counted from 1. */
  readonly number: number;
  /** Joules. */
  readonly energy: number;
  readonly paged: Paged;
};

/** What happened to one request. `option` is -1 where it was not served. */
export type Decision = {
  /** Decisions are counted from 1. */
  readonly number: number;
  /** Seconds since the day began. */
  readonly time: number;
  readonly kind: number;
  readonly option: number;
  /** Joules beside loads: what it may take at most, and once it is paid, what it took. */
  energy: number;
  /** Joules of what was loaded for it. */
  readonly load: number;
  readonly money: number;
  /** Bytes, as `energy`. */
  data: number;
  readonly paged: Paged;
  /** The decision that failed, of a request that is answered in another way. */
  readonly again: number | undefined;
  /** Why nothing was chosen, where it would have been if less waited. */
  readonly refused: Refusal | undefined;
  /** What sets out beside it. */
  readonly begins: Load | undefined;
  /** Changes with the next event. */
  readonly state: State;
};

/** What an execution took. Joules beside loads: absent, as annotated; bytes: absent, what is held; milliseconds: absent, nothing is learnt of them; `occupied`, for which no other could run: absent, these. */
export type Took = {
  readonly energy?: number;
  readonly data?: number;
  readonly milliseconds?: number;
  readonly occupied?: number;
  readonly failed?: boolean;
};
