/**
 * What policies see while a day goes on: the clock, the connection, what is left of each budget and what is resident. Only
 * day.ts changes budgets and residency, so limits are kept in one place.
 */
import type {Option, Problem} from './problem.js';

/** Joules, dollars, bytes. */
export type Amounts = {readonly energy: number; readonly money: number; readonly data: number};

/** Budgets of a day; `memory` (bytes) holds at every moment. Infinity: no limit. */
export type Limits = Amounts & {readonly memory: number};

export type State = {
  /** Seconds since the day began. */
  time: number;
  connected: boolean;
  readonly left: {energy: number; money: number; data: number};
  readonly memory: number;
  /** Bytes that resident segments take. */
  occupied: number;
  /** 1: in memory, or on its way. By segment. */
  readonly resident: Uint8Array;
  /** The number of the load that a segment is on its way with; 0: none. */
  readonly loading: Int32Array;
  /** Only what waits for no load may be chosen. */
  onlyReady: boolean;
  /** When a segment was last used, in seconds. */
  readonly usedAt: Float64Array;
  /** 1: measured to be too slow for its request, lately. By `at` of the option. */
  readonly slow: Uint8Array;
  /** 1: would have to wait too long now. By `at` of the option. */
  readonly late: Uint8Array;
  /** Some are. */
  pressed: boolean;
};

export function newState({segments, kinds}: Problem, {energy, money, data, memory}: Limits): State {
  const count = kinds.reduce((sum, {options}) => sum + options.length, 0);
  return {
    ...{time: 0, connected: true, left: {energy, money, data}, memory, occupied: 0, onlyReady: false, pressed: false},
    resident: new Uint8Array(segments.length),
    loading: new Int32Array(segments.length),
    usedAt: new Float64Array(segments.length).fill(Number.NEGATIVE_INFINITY),
    ...{slow: new Uint8Array(count), late: new Uint8Array(count)},
  };
}

/** Joules to load what an option lacks. */
export function loadEnergy({segments}: Problem, {resident}: State, option: Option): number {
  let energy = 0;
  for (const i of option.segments) if (resident[i] === 0) energy += segments[i]!.loadEnergy;
  return energy;
}

/** Whether all that an option needs is in memory. */
export function isReady({resident, loading}: State, option: Option): boolean {
  for (const i of option.segments) if (resident[i] === 0 || loading[i] !== 0) return false;
  return true;
}

/** Whether an option can be used now: connection, measured latency, queue, memory, and budgets where `energy` joules are what it takes with its loads. */
export function affords(state: State, option: Option, energy: number): boolean {
  const {left} = state;
  return (
    (state.connected || !option.linked) &&
    state.slow[option.at] === 0 &&
    state.late[option.at] === 0 &&
    (!state.onlyReady || isReady(state, option)) &&
    energy <= left.energy &&
    option.money <= left.money &&
    option.bytes <= left.data &&
    option.weightBytes <= state.memory
  );
}

export type Paged = {readonly loaded: readonly number[]; readonly evicted: readonly number[]};
const nothing: Paged = {loaded: [], evicted: []};

/** Makes an option's segments resident. What is worth least goes first, until they fit. */
export function page(problem: Problem, state: State, option: Option, worth: (segment: number) => number): Paged {
  const {resident, usedAt} = state;
  let missing = 0;
  for (const i of option.segments) {
    usedAt[i] = state.time;
    if (resident[i] === 0) missing += problem.segments[i]!.bytes;
  }
  const loaded = option.segments.filter(i => resident[i] === 0);
  if (loaded.length === 0) return nothing;
  const evicted: number[] = [];
  while (state.occupied + missing > state.memory) {
    const worst = leastWorth(state, option, worth);
    if (worst < 0) break;
    resident[worst] = 0;
    state.loading[worst] = 0;
    state.occupied -= problem.segments[worst]!.bytes;
    evicted.push(worst);
  }
  for (const i of loaded) resident[i] = 1;
  state.occupied += missing;
  return {loaded, evicted};
}

function leastWorth({resident}: State, option: Option, worth: (segment: number) => number): number {
  let worst = -1;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < resident.length; i++) {
    if (resident[i] === 0 || option.segments.includes(i)) continue;
    const value = worth(i);
    if (value < least) [worst, least] = [i, value];
  }
  return worst;
}
