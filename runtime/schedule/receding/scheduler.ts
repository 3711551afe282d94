/**
 * A receding-horizon scheduler. Now and then it solves the linear program of the rest of the day for a few scenarios; between,
 * each request takes the option whose value exceeds its costs at the mean prices by most. Where options tie, which is what a
 * price cannot decide, they take turns as the solution divides the class (credits). README.md tells the method and its sources.
 */
import {columnsOf, sortByEnergy} from '../hulls.js';
import {forget, newSolver} from '../linear.js';
import type {Explanation, Scheduler, Setting} from '../policy.js';
import type {Problem} from '../problem.js';
import {affords, loadEnergy, type State} from '../state.js';
import {newCorrections} from './corrections.js';
import type {Forecast} from './forecast.js';
import {newPaging} from './paging.js';
import {findPrices, type Prices} from './prices.js';
import {newResidency, type Outlook, residencyPlanner} from './residency.js';

/** Seconds, and parts of a budget, after which prices are found anew; seconds after which the residency plan is. */
const pricesEvery = 120;
/** The same as parts of the day, where it is short. */
const pricesPart = 1 / 300;
const planPart = 1 / 30;
const budgetStep = 0.01;
/** Requests that must come before a budget's step counts. */
const leastWait = 12;
/** A part of a budget that is not waited for. */
const largeStep = 0.08;
const planEvery = 1200;
/** Seconds that they hold at least when the connection comes and goes. */
const leastPrices = 15;
const leastPlan = 300;
/** Scores that differ by less, as a part of the largest value of the kind, tie. */
const tie = 0.003;
const mostCredit = 5;
/** How much more it must be worth to load whenever that pays: what such loads take is only estimated. */
const pagedGain = 1.01;
/** What doubt about an annotated energy fears: that it is so many times the true one. */
const probeFactor = 0.5;

export function recedingScheduler(
  problem: Problem,
  {day, idle, energyDoubt = 0, limits: {memory}}: Setting,
  forecast: Forecast,
): Scheduler {
  const columns = columnsOf(problem);
  const {first, value, money, bytes} = columns;
  /** Of executions, corrected; those of the columns may have a part of loads in them. */
  const energy = columns.energy.slice();
  const paging = newPaging(problem);
  let isPaged = false;
  const total = first[columns.kinds]!;
  const solver = newSolver(columns);
  const corrections = newCorrections(energy);
  const residency = newResidency(problem);
  const {planned, allowed} = residency;
  const planner = residencyPlanner(problem, solver, memory, residency);
  const prices: Prices = {energy: 0, money: 0, data: 0, use: new Float64Array(2 * total)};
  const credits = new Float64Array(2 * (total + columns.kinds));
  const scores = new Float64Array(total);
  const largest = problem.kinds.map(({options}) => options.reduce((most, option) => Math.max(most, option.value), 0));
  const never = Number.NEGATIVE_INFINITY;
  /** When prices and plan are to be found anew; when they were, and what was left then. */
  const due = {...{prices: never, plan: never, pricedAt: never, plannedAt: never}, ...{energy: 0, money: 0, data: 0}};
  const last = {kind: 0, option: -1, ties: 0};
  const all = problem.kinds.flatMap(({options}) => options);
  const charged = new Float64Array(total);
  let waiting = 0;
  let probe = -1;

  /** Joules to be kept for loads; where everything is paged, uses are charged for them. */
  const plannedLoads = (state: State): number => {
    if (isPaged) return 0;
    let joules = 0;
    for (let s = 0; s < planned.length; s++)
      if (planned[s] === 1 && state.resident[s] === 0) joules += problem.segments[s]!.loadEnergy;
    return joules;
  };

  /**
   * What is annotated too dear would never run, and never be corrected. So an option is run once where it would gain more than
   * that costs, times the chance that it takes far less than its annotation.
   */
  const findProbe = (outlook: Outlook): void => {
    probe = -1;
    if (energyDoubt === 0) return;
    let most = 0;
    for (const [at, option] of all.entries()) {
      if (option.segments.length === 0 || corrections.hasRun(at)) continue;
      const cost = prices.energy * (corrections.most(at) + loadEnergy(problem, outlook.state, option));
      if (cost === 0) continue;
      const net = energyDoubt * planner.gain(outlook, at, probeFactor) - cost;
      if (net > most) [probe, most] = [at, net];
    }
  };

  const setEnergies = (paged: boolean): void => {
    if (paged) paging.charge(energy, columns.energy);
    else columns.energy.set(energy);
    sortByEnergy(columns);
    forget(solver);
  };

  /** A fixed set of segments for the rest of the day, or, where they do not all fit, loads whenever they pay. */
  const plan = (outlook: Outlook): void => {
    setEnergies(false);
    const {worth: fixed, isTight} = planner.plan(outlook);
    findProbe(outlook);
    paging.charge(energy, charged);
    isPaged = isTight && planner.pagedWorth(outlook, charged) > pagedGain * fixed;
    if (!isPaged) return;
    planned.fill(0);
    const {slow} = outlook.state;
    for (let at = 0; at < total; at++) allowed[at] = all[at]!.weightBytes <= memory && slow[at] === 0 ? 1 : 0;
  };

  const refresh = (state: State): void => {
    const {left, time, connected} = state;
    const energyLeft = Math.max(0, left.energy - idle * forecast.remaining(state));
    const scenarios = forecast.scenarios(state);
    if (time >= due.plan) {
      const outlook: Outlook = {
        ...{state, scenarios, limits: {...left, energy: energyLeft}},
        ...{moneyPrice: prices.money, bytePrice: prices.data},
      };
      plan(outlook);
      due.plan = time + Math.min(planEvery, planPart * day);
      due.plannedAt = time;
    }
    if (isPaged) setEnergies(true);
    findPrices(solver, scenarios, allowed, {...left, energy: energyLeft - plannedLoads(state)}, connected, prices);
    due.prices = time + Math.min(pricesEvery, pricesPart * day);
    due.pricedAt = time;
    due.energy = left.energy;
    due.money = left.money;
    due.data = left.data;
    waiting = 0;
  };

  const isDue = ({time, left}: State): boolean => {
    if (time >= due.prices) return true;
    const part = 1 - (waiting >= leastWait ? budgetStep : largeStep);
    return left.energy < part * due.energy || left.money < part * due.money || left.data < part * due.data;
  };

  /** Value less costs at the present prices; loads are not in it. */
  const scoreOf = (at: number): number =>
    value[at]! - prices.energy * energy[at]! - prices.money * money[at]! - prices.data * bytes[at]!;

  const choose = (state: State, kind: number, again = false): number => {
    if (!again) {
      forecast.arrived(state, kind);
      paging.arrived(state, kind);
      waiting++;
    }
    if (isDue(state)) refresh(state);
    const {options} = problem.kinds[kind]!;
    const start = first[kind]!;
    const kept = idle * forecast.remaining(state);
    const window = tie * largest[kind]!;
    const missRate = isPaged ? paging.missRate(kind) : 0;
    const before = state.onlyReady ? {...last} : undefined;
    last.kind = kind;
    let best = 0;
    for (let i = 0; i < options.length; i++) {
      const option = options[i]!;
      const at = start + i;
      scores[at] = Number.NEGATIVE_INFINITY;
      if (option.linked && !state.connected) continue;
      const plain = scoreOf(at);
      // What cannot be among the best need not be looked at further.
      if (plain < best - window && at !== probe) continue;
      const load = option.segments.length === 0 ? 0 : loadEnergy(problem, state, option);
      const isPlanned = allowed[at] === 1;
      // Where what is planned takes too long now, a load is worth what it gives this once.
      if (load > 0 && !isPlanned && !state.pressed && at !== probe) continue;
      if (!affords(state, option, corrections.most(at) + load + kept)) continue;
      if (at === probe) {
        probe = -1;
        last.ties = -1;
        last.option = i;
        return i;
      }
      const score = plain - prices.energy * (isPlanned ? missRate : 1) * load;
      scores[at] = score;
      if (score > best) best = score;
    }
    last.option = pick(kind, state.connected, best - window, best);
    if (before === undefined || last.option >= 0) return last.option;
    // Nothing stands in: what was chosen first is what is explained.
    Object.assign(last, before);
    return -1;
  };

  /** One of the options whose score is at least `enough`; nothing counts 0 and may be among them. */
  const pick = (kind: number, connected: boolean, enough: number, best: number): number => {
    const start = first[kind]!;
    const end = first[kind + 1]!;
    const row = connected ? total : 0;
    let ties = enough <= 0 ? 1 : 0;
    let parts = 0;
    let single = -1;
    let used = 0;
    for (let at = start; at < end; at++) {
      used += prices.use[row + at]!;
      if (scores[at]! < enough) continue;
      ties++;
      parts += prices.use[row + at]!;
      if (single < 0 || scores[at]! > scores[single]!) single = at;
    }
    const idlePart = Math.max(0, 1 - used);
    if (enough <= 0) parts += idlePart;
    last.ties = ties;
    if (ties === 1 || parts <= 1e-12) return single >= 0 && best >= 0 && scores[single]! >= 0 ? single - start : -1;
    // Credits of a kind: one for each option, and one for nothing.
    const creditRow = (connected ? total + columns.kinds : 0) + start + kind;
    let winner = -1;
    let most = Number.NEGATIVE_INFINITY;
    const count = (slot: number, part: number): void => {
      const credit = credits[creditRow + slot]! + part / parts;
      credits[creditRow + slot] = credit;
      if (credit > most) [winner, most] = [slot, credit];
    };
    for (let at = start; at < end; at++) if (scores[at]! >= enough) count(at - start, prices.use[row + at]!);
    if (enough <= 0) count(end - start, idlePart);
    credits[creditRow + winner] = Math.max(-mostCredit, Math.min(mostCredit, most - 1));
    return winner === end - start ? -1 : winner;
  };

  /** New prices and a new plan, unless the connection comes and goes so fast that those of just now will do. */
  const linkChanged = (state: State): void => {
    forecast.linkChanged(state);
    due.prices = Math.min(due.prices, due.pricedAt + leastPrices);
    due.plan = Math.min(due.plan, due.plannedAt + leastPlan);
  };

  const observe = (kind: number, option: number, joules: number): void => {
    paging.served(kind, option);
    if (!corrections.observe(first[kind]! + option, joules)) return;
    setEnergies(isPaged);
    due.prices = due.plan = never;
  };

  /** What is too slow was planned with, and what may be tried again was not. */
  const optionsChanged = (): void => {
    due.prices = due.plan = never;
  };

  const most = (kind: number, option: number): number => corrections.most(first[kind]! + option);

  /** What is paged in and out, or run once to learn what it takes, is loaded for the request that needs it. */
  const stays = (): boolean => !isPaged && last.ties >= 0;

  /** Unplanned segments go first, the one that was not used for longest before the others. */
  const worth = ({usedAt}: State, segment: number): number => {
    if (isPaged) return usedAt[segment]!;
    if (planned[segment] === 0) return usedAt[segment]! - 1e12;
    return problem.segments[segment]!.loadEnergy / Math.max(1, problem.segments[segment]!.bytes);
  };

  const explain = (): Explanation => {
    const {options} = problem.kinds[last.kind]!;
    const scored = options.map(({variant, place}, i) => [`${variant} ${place}`, scoreOf(first[last.kind]! + i)] as const);
    const reason =
      last.ties < 0
        ? 'to learn what it takes'
        : last.ties > 1
          ? `${last.ties} options tie: they take turns`
          : last.option < 0
            ? 'nothing is worth its cost'
            : 'best score';
    const {energy: perJoule, money: perDollar, data: perByte} = prices;
    return {
      ...{reason, prices: {perJoule, perDollar, perByte}, scores: Object.fromEntries(scored)},
      planned: problem.segments.filter((_, s) => planned[s] === 1).map(({id}) => id),
      forecast: forecast.details(),
    };
  };
  return {choose, linkChanged, observe, most, optionsChanged, stays, worth, explain};
}
