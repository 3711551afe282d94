/**
 * Which segments are worth their load and their room for the rest of the day: from none, the variant that helps most is added
 * while there is room, then single ones are given up for others as long as that helps.
 */
import {fill, findSteps, newFilled, sortByEnergy} from '../hulls.js';
import {forget, type Solver} from '../linear.js';
import type {Problem} from '../problem.js';
import type {Amounts, State} from '../state.js';
import {newCeilings} from './ceilings.js';
import type {Scenario} from './forecast.js';
import {addedBytes, type Group, groupsOf, isPlanned} from './groups.js';

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
  const {needs, groups, touched} = groupsOf(problem);
  const ceilings = newCeilings(solver.columns);
  const heights = new Float64Array(groups.length);
  const {planned, allowed} = into;
  /** Whether memory kept something out. */
  let isTight = false;

  const allow = (slow: Uint8Array): void => {
    for (let i = 0; i < needs.length; i++) allowed[i] = isPlanned(needs[i]!, planned) && slow[i] === 0 ? 1 : 0;
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
  const worthOf = (outlook: Outlook, joules: number): number => {
    const {scenarios, moneyPrice, bytePrice} = outlook;
    const {columns, pricedSteps} = solver;
    forget(solver);
    findSteps(columns, pricedSteps, allowed, moneyPrice, bytePrice, null);
    ceilings.begin(outlook);
    let sum = 0;
    for (const scenario of scenarios) {
      fill(columns, pricedSteps, scenario.counts, joules, filled);
      ceilings.see(scenario, filled);
      sum += scenario.weight * (filled.value - moneyPrice * filled.money - bytePrice * filled.data);
    }
    return sum;
  };
  /** The same with a group added; minus infinity where there is no room. */
  const tried = (outlook: Outlook, group: Group): number => {
    if (plannedBytes() + addedBytes(problem, group, planned) > memory) {
      isTight = true;
      return Number.NEGATIVE_INFINITY;
    }
    before.set(planned);
    for (const s of group) planned[s] = 1;
    const result = worth(outlook);
    planned.set(before);
    return result;
  };
  /** How much a group could gain beside what is planned, whose worth was found last. */
  const heightOf = ({state}: Outlook, g: number): number => {
    let loads = 0;
    before.set(planned);
    for (const s of groups[g]!) {
      if (planned[s] === 0 && state.resident[s] === 0) loads += segments[s]!.loadEnergy;
      planned[s] = 1;
    }
    const height = ceilings.of(
      touched[g]!.filter(at => isPlanned(needs[at]!, planned) && state.slow[at] === 0),
      loads,
    );
    planned.set(before);
    return height;
  };
  /** Most that each group could gain, in all or per byte; minus infinity where it gains nothing or there is no room. */
  const findHeights = (outlook: Outlook, worthNow: number, perByte: boolean): void => {
    const bytes = plannedBytes();
    const margin = rounding * Math.abs(worthNow);
    for (let g = 0; g < groups.length; g++) {
      const group = groups[g]!;
      heights[g] = Number.NEGATIVE_INFINITY;
      if (isPlanned(group, planned)) continue;
      const added = addedBytes(problem, group, planned);
      if (bytes + added > memory) {
        isTight = true;
        continue;
      }
      const height = heightOf(outlook, g);
      if (height > margin) heights[g] = (height + margin) / (perByte ? Math.max(1, added) : 1);
    }
  };
  /** Adds groups one by one, each time the one that gains most, in all or per byte; gives the worth at the end. */
  const grow = (outlook: Outlook, now: number, perByte: boolean): number => {
    let worthNow = now;
    for (;;) {
      findHeights(outlook, worthNow, perByte);
      let [best, bestWorth, most] = [-1, worthNow, 0];
      for (;;) {
        // What could gain most is tried first, so that little else needs to be.
        const g = highest(heights);
        if (g < 0 || heights[g]! < most) break;
        const group = groups[g]!;
        heights[g] = Number.NEGATIVE_INFINITY;
        const result = tried(outlook, group);
        if (result <= slack(worthNow)) continue;
        const gained = (result - worthNow) / (perByte ? Math.max(1, addedBytes(problem, group, planned)) : 1);
        if (gained > most || (gained === most && g < best)) [best, bestWorth, most] = [g, result, gained];
      }
      if (best < 0) return worthNow;
      for (const s of groups[best]!) planned[s] = 1;
      worthNow = bestWorth;
      // Solved once more, for the next heights.
      worth(outlook);
    }
  };
  /** Gives up single groups where what takes their room is worth more. */
  const exchange = (outlook: Outlook, now: number): number => {
    let best = now;
    for (const group of groups) {
      if (!isPlanned(group, planned)) continue;
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

/** Far more than sums are rounded by, and less than what counts as a gain. Of the worth. */
const rounding = 0.5e-9;
const slack = (value: number): number => value + 1e-9 * Math.abs(value);

/** -1 where all are minus infinity. */
function highest(heights: Float64Array): number {
  let [at, most] = [-1, Number.NEGATIVE_INFINITY];
  for (let g = 0; g < heights.length; g++) if (heights[g]! > most) [at, most] = [g, heights[g]!];
  return at;
}
