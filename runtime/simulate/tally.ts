/** What a day's decisions come to. */
import type {Day} from '../schedule/day.js';
import type {Decision} from '../schedule/decision.js';
import type {Problem} from '../schedule/problem.js';
import type {Amounts, Paged} from '../schedule/state.js';

export type Summary = {
  readonly policy: string;
  readonly requests: number;
  readonly served: {readonly device: number; readonly cloud: number; readonly split: number; readonly none: number};
  /** Of those that were not served: how many would have been if less had waited. */
  readonly refused: number;
  /** Mean over all answers that were asked for, in percent; none counts as 0. */
  readonly accuracy: number;
  /** The same with the tasks' weights: what the policies maximise and bounds bound. */
  readonly weightedAccuracy: number;
  /** Sum of weight times accuracy, in percent. */
  readonly value: number;
  readonly used: Amounts;
  readonly overspent: boolean;
  /** Segments that were loaded, and that had to go for others. */
  readonly paged: number;
  readonly evicted: number;
  /** Seconds of the last event. */
  readonly length: number;
  /** Of this machine; the only figure that two runs do not share. */
  readonly decisionsPerSecond: number;
};

export type Tally = {
  /** Every decision, once. */
  decided(decision: Decision): void;
  /** A decision whose execution failed answered nothing. */
  failed(decision: Decision): void;
  /** `seconds` that decisions took. */
  summary(policy: string, day: Day, seconds: number): Summary;
};

/** For the request itself, and what set out beside it. */
export const pagesOf = ({paged, begins}: Decision): readonly Paged[] => (begins ? [paged, begins.paged] : [paged]);

export function newTally({kinds}: Problem): Tally {
  const served = {device: 0, cloud: 0, split: 0, none: 0};
  const sum = {requests: 0, refused: 0, results: 0, full: 0, accuracy: 0, value: 0, paged: 0, evicted: 0};
  const count = ({kind, option: chosen, refused}: Decision, by: 1 | -1): void => {
    const option = kinds[kind]!.options[chosen];
    if (!option) {
      served.none += by;
      if (refused !== undefined) sum.refused += by;
      return;
    }
    served[option.place] += by;
    sum.accuracy += by * option.accuracy;
    sum.value += by * option.value;
  };
  return {
    decided(decision) {
      const {results, full} = kinds[decision.kind]!;
      // A request that is decided anew was counted, and taken back when it failed.
      sum.requests++;
      sum.results += results;
      sum.full += full;
      count(decision, 1);
      for (const {loaded, evicted} of pagesOf(decision)) {
        sum.paged += loaded.length;
        sum.evicted += evicted.length;
      }
    },
    failed(decision) {
      const {results, full} = kinds[decision.kind]!;
      sum.requests--;
      sum.results -= results;
      sum.full -= full;
      count(decision, -1);
    },
    summary: (policy, {state, used, overdrawn}, seconds) => ({
      ...{
        policy,
        requests: sum.requests,
        served: {...served},
        refused: sum.refused,
        accuracy: sum.results > 0 ? sum.accuracy / sum.results : 0,
      },
      weightedAccuracy: sum.full > 0 ? (100 * sum.value) / sum.full : 0,
      ...{value: sum.value, used: {...used}},
      overspent: overdrawn.energy > 0 || overdrawn.money > 0 || overdrawn.data > 0,
      ...{paged: sum.paged, evicted: sum.evicted, length: state.time},
      decisionsPerSecond: seconds > 0 ? sum.requests / seconds : Infinity,
    }),
  };
}
