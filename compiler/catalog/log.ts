/** What a catalog was made from: every variant that was tried, what it is worth, and why it was kept or dropped. Part of build.log.json. */

export type CatalogLog = {
  /** Percentage points of right answers that a variant may lose against `full`. */
  readonly maxLoss: number;
  /** What limits the choice, such as too few samples to rank variants. */
  readonly notes?: readonly string[];
  /** In the order of the search. */
  readonly tried: readonly Tried[];
};

/** A task under a recipe. What was not found out before it was dropped is absent. */
export type Tried = {
  readonly task: string;
  readonly recipe: string;
  /** The recipe whose network this one was made from by one more step; absent: the task's own network. */
  readonly from?: string;
  readonly kept: boolean;
  /** Why it was kept, or dropped. */
  readonly reason: string;
  readonly accuracy?: TriedAccuracy;
  readonly costs?: TriedCosts;
  /** Seconds that making and measuring it took, when that was done: a rerun finds it in the cache. */
  readonly seconds: number;
};

/** On labelled samples, in percent; `n` may be a part of the data where that was enough to drop it. */
export type TriedAccuracy = {
  readonly n: number;
  readonly value: number;
  readonly interval: readonly [low: number, high: number];
  /** Percentage points lost against `full` on the same samples, and the standard error of that (paired). */
  readonly loss: number;
  readonly error: number;
};

/** What may be better in one of two networks: the same in every run. */
export const decisiveCosts = ['cycles', 'loadBytes', 'arenaBytes', 'macs'] as const;
export type DecisiveCosts = Pick<TriedCosts, (typeof decisiveCosts)[number]>;

export type TriedCosts = {
  readonly macs: number;
  readonly weightBytes: number;
  readonly arenaBytes: number;
  readonly loadBytes: number;
  /** Of a call on the target, as the cost model estimates it: time as choices go by. */
  readonly cycles: number;
  /** Milliseconds per call, warm: median and 90th percentile; and of a call whose weights are not in memory. For readers only. */
  readonly p50: number;
  readonly p90: number;
  readonly cold?: number;
  /** Millijoules per call, as each device profile that was asked for models it. */
  readonly energy?: Readonly<Record<string, number>>;
  /** Beyond what another task's network computes anyhow, where this one begins with it. */
  readonly ownMacs?: number;
};
