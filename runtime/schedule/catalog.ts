/**
 * What a scheduler must know of requests and variants, as plain readonly data: Approximate Model Scheduling (MCDNN, section 4)
 * with the costs that the paper leaves out: transmission, wireless data, shared trunks, splits. Energies are in joules, times in
 * milliseconds, sizes in bytes, money in dollars, accuracies in percent.
 */
export const catalogSchema = 1;

export type Catalog = {
  readonly schema: 1;
  readonly name: string;
  /** Where the numbers come from, and which of them are modelled. */
  readonly source?: string;
  /** What is loaded and evicted: a part of a network with its weights. */
  readonly segments: readonly CatalogSegment[];
  readonly requests: readonly RequestKind[];
};

export type CatalogSegment = {
  readonly id: string;
  readonly bytes: number;
  readonly loadEnergy: number;
  readonly loadLatency?: number;
};

/** One input that arrives, with all tasks that watch it. */
export type RequestKind = {
  readonly name: string;
  readonly tasks: readonly CatalogTask[];
  /** Per second: the average that is expected of a day. */
  readonly rate: number;
  /** Options that take longer are not used. Loading is not counted. */
  readonly latencyLimit?: number;
  readonly variants: readonly CatalogVariant[];
};

/** `weight` says what a right answer is worth beside other tasks' answers. Absent: 1. */
export type CatalogTask = {readonly name: string; readonly weight?: number};

/** One way to answer all tasks of a request: where these share a trunk, `device` and `cloud` count it once. */
export type CatalogVariant = {
  readonly id: string;
  /** In the order of the request's tasks. 0: the variant does not answer the task. */
  readonly accuracy: readonly number[];
  /** Which variant of the build answers each task: for those who run it. */
  readonly parts?: readonly string[];
  readonly device?: DeviceCost;
  readonly cloud?: CloudCost;
  /** First part on the device, the rest in the cloud. */
  readonly splits?: readonly SplitCost[];
};

/** `segments` must be resident; two variants that name the same one share it. */
export type DeviceCost = {readonly energy: number; readonly latency: number; readonly segments: readonly string[]};

/** `energy` is what the device needs to send `bytes`. `loadLatency`: until the cloud has the variant, when it was not used before. */
export type CloudCost = {
  readonly money: number;
  readonly latency: number;
  readonly bytes: number;
  readonly energy: number;
  readonly loadLatency?: number;
};

/** `energy` of the part that runs on the device and of sending `bytes`. */
export type SplitCost = {
  readonly cut: string;
  readonly energy: number;
  readonly latency: number;
  readonly segments: readonly string[];
  readonly money: number;
  readonly bytes: number;
};
