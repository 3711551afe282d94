/**
 * Annotated energies, corrected by what executions took. The first one says most: a wrong annotation is wrong by a factor, not by
 * noise. What was never run is trusted for planning, and only up to a margin where the budget must not be overdrawn.
 */
export type Corrections = {
  /** Takes an execution; true when plans made before should be made again. */
  observe(option: number, joules: number): boolean;
  /** Joules that an execution must be expected to take at most. */
  most(option: number): number;
  hasRun(option: number): boolean;
};

/** What has not run yet may take so many times its annotated energy. */
const margin = 2;
/** How far the next execution may be above the largest one, in distances of that from the mean. */
const spread = 2;
/** A relative change of energy that is worth new prices. */
const notable = 0.03;
/** Newer executions count more: the mean is over about so many. */
const length = 50;

/** Corrects `energy` in place: joules of each option. */
export function newCorrections(energy: Float64Array): Corrections {
  const runs = new Int32Array(energy.length);
  const mean = new Float64Array(energy.length);
  const largest = new Float64Array(energy.length);
  return {
    observe(option, joules) {
      const n = Math.min(length, runs[option]! + 1);
      runs[option] = n;
      if (joules > largest[option]!) largest[option] = joules;
      mean[option]! += (joules - mean[option]!) / n;
      if (Math.abs(mean[option]! - energy[option]!) <= notable * energy[option]!) return false;
      energy[option] = mean[option]!;
      return true;
    },
    hasRun: option => runs[option]! > 0,
    most: option =>
      runs[option] === 0 ? margin * energy[option]! : largest[option]! + spread * (largest[option]! - mean[option]!),
  };
}
