/**
 * One day under one policy. Takes the events one by one and keeps sums, so memory does not grow with the trace; the same
 * arguments give the same decisions.
 */
import type {Policy, Setting} from '../schedule/policy.js';
import type {Option, Problem} from '../schedule/problem.js';
import {loadEnergy, newState, type Paged, page, type State} from '../schedule/state.js';
import {futureOf} from './count.js';
import type {Trace} from './trace.js';

/** What each option really takes, as a factor of the annotated energy: [kind][option]. */
export type Truth = readonly (readonly number[])[];

export type Run = {
  readonly problem: Problem;
  readonly setting: Setting;
  readonly policy: Policy;
  readonly trace: Trace;
  readonly truth?: Truth;
  /** Called after every request. What it is given is overwritten by the next one. */
  readonly watch?: (decision: Decision, explain: () => unknown) => void;
};

/** What happened to one request. `option` is -1 where it was not served; energies in joules, `load` of what was loaded for it. */
export type Decision = {
  time: number;
  kind: number;
  option: number;
  energy: number;
  load: number;
  paged: Paged;
  readonly state: State;
};

export type Summary = {
  readonly policy: string;
  readonly requests: number;
  readonly served: {readonly device: number; readonly cloud: number; readonly split: number; readonly none: number};
  /** Mean over all answers that were asked for, in percent; none counts as 0. */
  readonly accuracy: number;
  /** The same with the tasks' weights: what the policies maximise and bounds bound. */
  readonly weightedAccuracy: number;
  /** Sum of weight times accuracy, in percent. */
  readonly value: number;
  readonly used: {readonly energy: number; readonly money: number; readonly data: number};
  readonly overspent: boolean;
  /** Segments that were loaded, and that had to go for others. */
  readonly paged: number;
  readonly evicted: number;
  /** Seconds of the last event. */
  readonly length: number;
  /** Of this machine; the only figure that two runs do not share. */
  readonly decisionsPerSecond: number;
};

const noPages: Paged = {loaded: [], evicted: []};

export function simulate({problem, setting, policy, trace, truth, watch}: Run): Summary {
  const state = newState(problem, setting.limits);
  const scheduler = policy.begin(problem, setting, policy.name === 'oracle' ? futureOf(problem, trace) : undefined);
  const worth = (segment: number): number => (scheduler.worth ? scheduler.worth(state, segment) : (state.usedAt[segment] ?? 0));
  const served = {device: 0, cloud: 0, split: 0, none: 0};
  const sum = {requests: 0, results: 0, full: 0, accuracy: 0, value: 0, paged: 0, evicted: 0};
  const used = {energy: 0, money: 0, data: 0};
  const decision: Decision = {time: 0, kind: 0, option: -1, energy: 0, load: 0, paged: noPages, state};
  let overspent = false;
  const started = performance.now();

  for (const {time, kind, up} of trace) {
    if (setting.idle > 0) used.energy += drain(state, setting.idle * (time - state.time));
    state.time = time;
    if (kind < 0) {
      if (up === state.connected) continue;
      state.connected = up;
      scheduler.linkChanged?.(state);
      continue;
    }
    const {options, results, full} = problem.kinds[kind]!;
    // A device that idling has emptied is off.
    const isOff = setting.idle > 0 && state.left.energy <= 0;
    const chosen = isOff ? -1 : scheduler.choose(state, kind);
    sum.requests++;
    sum.results += results;
    sum.full += full;
    decision.time = time;
    decision.kind = kind;
    decision.option = chosen;
    decision.energy = 0;
    decision.load = 0;
    decision.paged = noPages;
    const option = options[chosen];
    if (option) {
      serve(option, truth?.[kind]?.[chosen] ?? 1);
      if (state.left.energy < 0 || state.left.money < 0 || state.left.data < 0) overspent = true;
    } else served.none++;
    watch?.(decision, scheduler.explain);
    if (option) scheduler.observe?.(kind, chosen, decision.energy);
  }

  function serve(option: Option, factor: number): void {
    decision.load = loadEnergy(problem, state, option);
    decision.paged = page(problem, state, option, worth);
    decision.energy = option.energy * factor;
    state.left.energy -= decision.energy + decision.load;
    state.left.money -= option.money;
    state.left.data -= option.bytes;
    used.energy += decision.energy + decision.load;
    used.money += option.money;
    used.data += option.bytes;
    served[option.place]++;
    sum.accuracy += option.accuracy;
    sum.value += option.value;
    sum.paged += decision.paged.loaded.length;
    sum.evicted += decision.paged.evicted.length;
  }

  const seconds = (performance.now() - started) / 1000;
  return {
    ...{policy: policy.name, requests: sum.requests, served, accuracy: sum.results > 0 ? sum.accuracy / sum.results : 0},
    weightedAccuracy: sum.full > 0 ? (100 * sum.value) / sum.full : 0,
    ...{value: sum.value, used},
    ...{overspent, paged: sum.paged, evicted: sum.evicted, length: state.time},
    decisionsPerSecond: seconds > 0 ? sum.requests / seconds : Infinity,
  };
}

/** Joules that went. A device that is empty stays empty. */
function drain({left}: State, joules: number): number {
  const gone = Math.min(joules, Math.max(0, left.energy));
  left.energy -= gone;
  return gone;
}
