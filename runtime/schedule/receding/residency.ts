/**
 * Which segments are worth their load and their room for the rest of the day: from none, the variant that helps most is added
 * while there is room, then single ones are given up for others as long as that helps.
 */
import {fill, findSteps, newFilled, sortByEnergy} from '../hulls.js';
import {forget, type Solver} from '../linear.js';
import type {Problem} from '../problem.js';
import type {Amounts, State} from '../state.js';
import type {Scenario} from './forecast.js';

/** Segments that belong together because an option needs them; none is a part of another one twice. */
type Group = readonly number[];

export type Residency = {
  /** 1: may be loaded, and is kept. By segment. */
  readonly planned: Uint8Array;
  /** 1: needs nothing but planned segments, and was not too slow lately. By option. */
  readonly allowed: Uint8Array;
};

/** The rest of the day as the planner sees it. */
export type Outlook = {
  readonly state: State;
  readonly scenarios: readonly Scenario[];
  readonly limits: Amounts;
  readonly moneyPrice: number;
  readonly bytePrice: number;
};

export type ResidencyPlanner = {
  /** Fills `planned` and `allowed`; says what that is worth, and whether memory kept something out. */
  plan(outlook: Outlook): {readonly worth: number; readonly isTight: boolean};
  /** Worth of the rest of the day when everything may be loaded, and options take these energies, their share of loads in them. */
  pagedWorth(outlook: Outlook, energies: Float64Array): number;
  /** How much more the rest of the day is worth when this option takes `factor` of its energy and is resident. */
  gain(outlook: Outlook, option: number, factor: number): number;
};

const rounds = 2;

export function newResidency({segments, kinds}: Problem): Residency {
  const options = kinds.flatMap(kind => kind.options);
  return {
    planned: new Uint8Array(segments.length),
    allowed: Uint8Array.from(options, option => (option.segments.length === 0 ? 1 : 0)),
  };
}

export function residencyPlanner(problem: Problem, solver: Solver, memory: number, into: Residency): ResidencyPlanner {
  const {segments} = problem;
  const before = new Uint8Array(segments.length);
  const filled = newFilled(problem.kinds.length);
  const needs = problem.kinds.flatMap(({options}) => options.map(option => option.segments));
  const groups = distinct(needs.filter(group => group.length > 0));
  const {planned, allowed} = into;
  /** Whether memory kept something out. */
  let isTight = false;

  const isPlanned = (group: Group): boolean => {
    for (let i = 0; i < group.length; i++) if (planned[group[i]!] === 0) return false;
    return true;
  };
  const allow = (slow: Uint8Array): void => {
    for (let i = 0; i < needs.length; i++) allowed[i] = isPlanned(needs[i]!) && slow[i] === 0 ? 1 : 0;
  };
  /** Bytes that a group takes beside what is planned. */
  const addedBytes = (group: Group): number => {
    let bytes = 0;
    for (let i = 0; i < group.length; i++) if (planned[group[i]!] === 0) bytes += segments[group[i]!]!.bytes;
    return bytes;
  };
  const addedWhole = (group: Group): number => group.reduce((bytes, s) => bytes + segments[s]!.bytes, 0);
  const plannedBytes = (): number => {
    let bytes = 0;
    for (let s = 0; s < planned.length; s++) if (planned[s] === 1) bytes += segments[s]!.bytes;
    return bytes;
  };

  /** Weighted worth of the rest of the day with what is planned now. */
  const worth = (outlook: Outlook): number => {
    const {state, limits} = outlook;
    let loads = 0;
    for (let s = 0; s < planned.length; s++) if (planned[s] === 1 && state.resident[s] === 0) loads += segments[s]!.loadEnergy;
    if (loads > limits.energy) return Number.NEGATIVE_INFINITY;
    allow(state.slow);
    return worthOf(outlook, limits.energy - loads);
  };
  /** With what is allowed now, and so many joules. */
  const worthOf = ({scenarios, moneyPrice, bytePrice}: Outlook, joules: number): number => {
    const {columns, pricedSteps} = solver;
    forget(solver);
    findSteps(columns, pricedSteps, allowed, moneyPrice, bytePrice, null);
    let sum = 0;
    for (const {weight, counts} of scenarios) {
      fill(columns, pricedSteps, counts, joules, filled);
      sum += weight * (filled.value - moneyPrice * filled.money - bytePrice * filled.data);
    }
    return sum;
  };
  /** The same with a group added; minus infinity where there is no room. */
  const tried = (outlook: Outlook, group: Group): number => {
    if (plannedBytes() + addedBytes(group) > memory) {
      isTight = true;
      return Number.NEGATIVE_INFINITY;
    }
    before.set(planned);
    for (const s of group) planned[s] = 1;
    const result = worth(outlook);
    planned.set(before);
    return result;
  };
  /** Adds groups one by one, each time the one that gains most, in all or per byte; gives the worth at the end. */
  const grow = (outlook: Outlook, now: number, perByte: boolean): number => {
    let worthNow = now;
    for (;;) {
      let [best, bestWorth, most]: [Group | undefined, number, number] = [undefined, worthNow, 0];
      for (const group of groups) {
        if (isPlanned(group)) continue;
        const result = tried(outlook, group);
        if (result <= slack(worthNow)) continue;
        const gained = (result - worthNow) / (perByte ? Math.max(1, addedBytes(group)) : 1);
        if (gained > most) [best, bestWorth, most] = [group, result, gained];
      }
      if (!best) return worthNow;
      for (const s of best) planned[s] = 1;
      worthNow = bestWorth;
    }
  };
  /** Gives up single groups where what takes their room is worth more. */
  const exchange = (outlook: Outlook, now: number): number => {
    let best = now;
    for (const group of groups) {
      if (!isPlanned(group)) continue;
      const kept = planned.slice();
      for (const s of group) planned[s] = 0;
      const after = grow(outlook, worth(outlook), false);
      if (after > slack(best)) best = after;
      else planned.set(kept);
    }
    return best;
  };
  const planFrom = (outlook: Outlook, perByte: boolean): number => {
    planned.fill(0);
    let now = grow(outlook, worth(outlook), perByte);
    for (let round = 0; round < rounds; round++) {
      const after = exchange(outlook, now);
      if (after <= now) break;
      now = after;
    }
    return now;
  };

  return {
    plan(outlook) {
      isTight = false;
      let best = planFrom(outlook, false);
      if (isTight) {
        // Large variants that gain most first may leave no room for many small ones.
        const kept = planned.slice();
        const other = planFrom(outlook, true);
        if (other > slack(best)) best = other;
        else planned.set(kept);
      }
      allow(outlook.state.slow);
      forget(solver);
      return {worth: best, isTight};
    },
    pagedWorth(outlook, energies) {
      const {columns} = solver;
      const exact = columns.energy.slice();
      columns.energy.set(energies);
      sortByEnergy(columns);
      for (let i = 0; i < needs.length; i++) allowed[i] = addedWhole(needs[i]!) <= memory && outlook.state.slow[i] === 0 ? 1 : 0;
      const result = worthOf(outlook, outlook.limits.energy);
      columns.energy.set(exact);
      sortByEnergy(columns);
      allow(outlook.state.slow);
      forget(solver);
      return result;
    },
    gain(outlook, option, factor) {
      const {columns} = solver;
      const without = worth(outlook);
      const annotated = columns.energy[option]!;
      columns.energy[option] = annotated * factor;
      sortByEnergy(columns);
      const result = tried(outlook, needs[option]!) - without;
      columns.energy[option] = annotated;
      sortByEnergy(columns);
      allow(outlook.state.slow);
      forget(solver);
      return result;
    },
  };
}

const slack = (value: number): number => value + 1e-9 * Math.abs(value);

function distinct(groups: readonly Group[]): readonly Group[] {
  const seen = new Map(groups.map(group => [[...group].sort((a, b) => a - b).join(), group]));
  return [...seen.values()];
}
