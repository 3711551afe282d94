/**
 * The paper's heuristic (MCDNN, Algorithm 1 and section 5.3) with hard budgets: each kind of request gets a share of what is left,
 * in proportion to its frequency, and takes the most accurate option that fits into it. Different from the authors' simulator:
 * loads and transmissions are checked before they are paid, a change of variant pays its load, memory is limited, and of equal
 * accuracies the one that takes the smaller part of what is left wins. Frequencies are those of the catalog.
 */
import type {Explanation, Policy, PolicyName, Scheduler, Setting} from './policy.js';
import type {Option, Problem} from './problem.js';
import {affords, loadEnergy, type State} from './state.js';

export type McdnnRule = {
  readonly places: 'both' | 'device' | 'cloud';
  /** What is not a kind's cheapest way leaves the energy to answer all requests that are still expected in their cheapest way. */
  readonly reserve: boolean;
  /** Energy of transmission must fit into the amortised share too. */
  readonly paced: boolean;
  /** Loads are not spread over the rest of the day: to see what that is good for. Absent: they are. */
  readonly isUndamped?: boolean;
};

/** Of a whole answer when nothing is loaded yet, and of a round trip: milliseconds, as in the paper. */
const coldLimit = 1000;
const roundTrip = 100;
/** Seconds: budgets are not spread over less, at the end of the day and after it. */
const leastHorizon = 60;

/** Where a kind is answered now, as the paper's cache has it. */
type Home = {place: 'device' | 'cloud' | 'none'; movedAt: number};

export const mcdnnPolicy = (name: PolicyName, rule: McdnnRule): Policy => ({
  name,
  begin: (problem, setting) => begin(problem, setting, rule),
});

function begin(problem: Problem, {day, idle}: Setting, rule: McdnnRule): Scheduler {
  const homes = problem.kinds.map((): Home => ({place: 'none', movedAt: Number.NEGATIVE_INFINITY}));
  const squares = problem.kinds.map(({rate}) => rate * rate);
  const cheapestJoules = problem.kinds.map(({options}) => options.reduce((least, {energy}) => Math.min(least, energy), Infinity));
  // Watts that the cheapest way to answer every expected request takes.
  const leastWatts = problem.kinds.reduce(
    (watts, {rate}, k) => watts + (rate > 0 && cheapestJoules[k]! < Infinity ? rate * cheapestJoules[k]! : 0),
    0,
  );
  const offered = problem.kinds.map(({options}) => offersOf(options, rule.places));
  const last = {kind: 0, option: -1, fits: false, energyShare: 0, moneyShare: 0};

  /** Part of a remaining budget that one request of this kind may take at a place. */
  const shareOf = (kind: number, remaining: number, place: 'device' | 'cloud' | 'any'): number => {
    const {rate} = problem.kinds[kind]!;
    let sum = squares[kind]!;
    for (let i = 0; i < homes.length; i++) if (i !== kind && (place === 'any' || homes[i]!.place === place)) sum += squares[i]!;
    return rate === 0 ? 0 : rate / (remaining * sum);
  };

  const choose = (state: State, kind: number): number => {
    const {options} = problem.kinds[kind]!;
    const home = homes[kind]!;
    const remaining = Math.max(day - state.time, leastHorizon);
    const kept = idle * Math.max(day - state.time, 0);
    const energyLeft = Math.max(0, state.left.energy - kept);
    const deviceShare = shareOf(kind, remaining, 'device');
    const cloudShare = shareOf(kind, remaining, 'cloud');
    const pacedShare = rule.paced ? shareOf(kind, remaining, 'any') * energyLeft : Infinity;
    const reserve = kept + (rule.reserve ? leastWatts * remaining : 0);
    const isCold = home.place === 'none';
    const isAffordable = (option: Option, load: number): boolean =>
      affords(state, option, option.energy + load + (option.linked || option.energy <= cheapestJoules[kind]! ? kept : reserve));
    const fits = (option: Option, load: number): boolean => {
      if (isCold && option.coldLatency + (option.linked ? roundTrip : 0) > coldLimit) return false;
      if (option.linked) return option.money <= cloudShare * state.left.money && option.energy <= pacedShare;
      // A load now means loads at the same pace for the rest of the day (the paper's damping of oscillation).
      const isFree = load === 0 || home.movedAt === -Infinity || rule.isUndamped;
      const reloads = isFree ? 0 : (load * remaining) / Math.max(state.time - home.movedAt, 1);
      return option.energy <= deviceShare * (energyLeft - reloads);
    };
    const {byValue, byCost} = offered[kind]!;
    let best = -1;
    for (const i of byValue) {
      const option = options[i]!;
      if (best >= 0 && !isBetter(option, options[best]!, state)) {
        if (option.value < options[best]!.value) break;
        continue;
      }
      const load = loadEnergy(problem, state, option);
      if (fits(option, load) && isAffordable(option, load)) best = i;
    }
    const chosen =
      best >= 0 ? best : (byCost.find(i => isAffordable(options[i]!, loadEnergy(problem, state, options[i]!))) ?? -1);
    // Nothing stands in: what was chosen first is what is explained.
    if (state.onlyReady && chosen < 0) return -1;
    last.kind = kind;
    last.option = chosen;
    last.fits = best >= 0;
    last.energyShare = deviceShare * energyLeft;
    last.moneyShare = cloudShare * state.left.money;
    if (chosen >= 0) {
      const {place} = options[chosen]!;
      if (place !== home.place || loadEnergy(problem, state, options[chosen]!) > 0) home.movedAt = state.time;
      home.place = place === 'device' ? 'device' : 'cloud';
    }
    return chosen;
  };

  const explain = (): Explanation => {
    const {fits, option, energyShare, moneyShare} = last;
    const reason =
      option < 0 ? 'no option is affordable' : fits ? 'most accurate within the share' : 'cheapest: none fits the share';
    return {reason, energyShare, moneyShare};
  };
  return {choose, explain};
}

/** What may be chosen, the most accurate first, and the cheapest first: of the first that will do, the rest is not looked at. */
function offersOf(options: readonly Option[], places: McdnnRule['places']) {
  const allowed = options.flatMap(({place}, i) => (place !== 'split' && (places === 'both' || place === places) ? [i] : []));
  return {
    byValue: allowed.toSorted((a, b) => options[b]!.value - options[a]!.value),
    byCost: allowed.toSorted((a, b) => byPlaceAndCost(options[a]!, options[b]!)),
  };
}

/** The device before the cloud, then by energy and money. */
const byPlaceAndCost = (a: Option, b: Option): number =>
  Number(a.linked) - Number(b.linked) || (a.linked ? a.money - b.money : 0) || a.energy - b.energy;

const isBetter = (a: Option, b: Option, {left}: State): boolean =>
  a.value !== b.value ? a.value > b.value : partOf(a, left) < partOf(b, left);

const partOf = (option: Option, left: State['left']): number =>
  Math.max(option.energy / Math.max(left.energy, 1e-9), option.money / Math.max(left.money, 1e-12));
