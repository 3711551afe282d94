/**
 * Which segments are worth their load and their room for the rest of the day: from none, the variant that helps most is added
 * while there is room, then single ones are exchanged as long as that helps.
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
  /** 1: needs nothing but planned segments. By option. */
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
  /** Fills `planned` and `allowed`. */
  plan(outlook: Outlook): void;
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

  const isPlanned = (group: Group): boolean => {
    for (let i = 0; i < group.length; i++) if (planned[group[i]!] === 0) return false;
    return true;
  };
  const allow = (): void => {
    for (let i = 0; i < needs.length; i++) allowed[i] = isPlanned(needs[i]!) ? 1 : 0;
  };
  const isRoomFor = (group: Group): boolean => {
    let bytes = 0;
    for (let s = 0; s < planned.length; s++) if (planned[s] === 1) bytes += segments[s]!.bytes;
    for (let i = 0; i < group.length; i++) if (planned[group[i]!] === 0) bytes += segments[group[i]!]!.bytes;
    return bytes <= memory;
  };

  /** Weighted worth of the rest of the day with what is planned now. */
  const worth = ({state, scenarios, limits, moneyPrice, bytePrice}: Outlook): number => {
    let loads = 0;
    for (let s = 0; s < planned.length; s++) if (planned[s] === 1 && state.resident[s] === 0) loads += segments[s]!.loadEnergy;
    if (loads > limits.energy) return Number.NEGATIVE_INFINITY;
    allow();
    const {columns, pricedSteps} = solver;
    forget(solver);
    findSteps(columns, pricedSteps, allowed, moneyPrice, bytePrice, null);
    let sum = 0;
    for (const {weight, counts} of scenarios) {
      fill(columns, pricedSteps, counts, limits.energy - loads, filled);
      sum += weight * (filled.value - moneyPrice * filled.money - bytePrice * filled.data);
    }
    return sum;
  };
  /** The same with a group added; minus infinity where there is no room. */
  const tried = (outlook: Outlook, group: Group): number => {
    if (!isRoomFor(group)) return Number.NEGATIVE_INFINITY;
    before.set(planned);
    for (const s of group) planned[s] = 1;
    const result = worth(outlook);
    planned.set(before);
    return result;
  };
  const addBest = (outlook: Outlook, least: number): number => {
    let [best, most]: [Group | undefined, number] = [undefined, least];
    for (const group of groups) {
      if (isPlanned(group)) continue;
      const result = tried(outlook, group);
      if (result > most) [best, most] = [group, result];
    }
    for (const s of best ?? []) planned[s] = 1;
    return most;
  };
  const exchange = (outlook: Outlook, now: number): number => {
    let best = now;
    for (const group of groups) {
      if (!isPlanned(group)) continue;
      const kept = planned.slice();
      for (const s of group) planned[s] = 0;
      const after = addBest(outlook, slack(best));
      if (after > slack(best)) best = after;
      else planned.set(kept);
    }
    return best;
  };

  return {
    plan(outlook) {
      planned.fill(0);
      let now = worth(outlook);
      for (let least = Number.NEGATIVE_INFINITY; now > least; ) {
        least = slack(now);
        now = addBest(outlook, least);
      }
      for (let round = 0; round < rounds; round++) {
        const after = exchange(outlook, now);
        if (after <= now) break;
        now = after;
      }
      allow();
      forget(solver);
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
      allow();
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
