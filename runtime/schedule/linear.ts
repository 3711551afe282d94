/**
 * The linear program over all budgets: energy by hulls, money and data by prices. The worth at a price is a convex function of it,
 * made of straight pieces; the price that matters is where the best solution that uses too much meets the best one that does not
 * (Kelley's cutting planes on a line). Both are then mixed so that the limit is met exactly. Every price tried gives an upper
 * bound (weak duality); the least is kept.
 */
import {type Columns, type Filled, fill, findSteps, newFilled, newSteps, type Steps} from './hulls.js';
import type {Amounts} from './state.js';

/** What a solution gives and takes, and the worth of one more joule, dollar and byte. */
type Totals = {
  value: number;
  /** No solution is worth more. */
  bound: number;
  money: number;
  data: number;
  energyPrice: number;
  moneyPrice: number;
  bytePrice: number;
};

type Vertex = Totals & Filled;
/** `part` of one solution and the rest of another one; `guess` is the price of last time, where the search begins. */
type Mixed<T> = Totals & {readonly sides: {over: T; under: T; trial: T}; part: number; isMixed: boolean; guess: number};
export type Solution = Mixed<Mixed<Vertex>>;

export type Program = {
  /** By class: see `Filled`. */
  readonly counts: Float64Array;
  /** 1: may be used. By option. */
  readonly allowed: Uint8Array;
  readonly limits: Amounts;
  /** The present connection: of equal choices that for now is made. Null: none is. */
  readonly favour: boolean | null;
};

/** Room for one program after another. A solution is overwritten by the next call. */
export type Solver = {
  readonly columns: Columns;
  /** At no price of money and data, which is frequent, and at others. */
  readonly freeSteps: Steps;
  readonly pricedSteps: Steps;
  readonly solution: Solution;
};

const noTotals: Totals = {value: 0, bound: 0, money: 0, data: 0, energyPrice: 0, moneyPrice: 0, bytePrice: 0};

export function newSolver(columns: Columns): Solver {
  const vertex = (): Vertex => ({...noTotals, ...newFilled(columns.kinds)});
  const mixed = <T>(make: () => T): Mixed<T> => ({
    ...noTotals,
    ...{sides: {over: make(), under: make(), trial: make()}, part: 1, isMixed: false, guess: 0},
  });
  return {
    ...{columns, freeSteps: newSteps(columns), pricedSteps: newSteps(columns)},
    solution: mixed(() => mixed(vertex)),
  };
}

/** To be called after energies, or what is allowed, have changed. */
export function forget({freeSteps, pricedSteps}: Solver): void {
  freeSteps.moneyPrice = pricedSteps.moneyPrice = Number.NaN;
}

export function solve(solver: Solver, program: Program): Solution {
  const {money, data} = program.limits;
  const tolerance = program.favour === null ? exact : planning;
  return priced(solver.solution, 'data', data, 0, tolerance, (bytePrice, byMoney) =>
    priced(byMoney, 'money', money, bytePrice, tolerance, (moneyPrice, vertex) =>
      solveAt(solver, program, moneyPrice, bytePrice, vertex),
    ),
  );
}

const mostTrials = 60;
/** Of relative gains. A favour shifts values by 1e-5. */
const exact = 1e-12;
const planning = 1e-5;

/** The best mixture whose use of `what` stays within the limit; where that is money, data cost `bytePrice`. */
function priced<T extends Totals>(
  into: Mixed<T>,
  what: 'money' | 'data',
  limit: number,
  bytePrice: number,
  tolerance: number,
  solveInto: (price: number, into: T) => T,
): Mixed<T> {
  const {sides} = into;
  solveInto(0, sides.over);
  let {bound} = sides.over;
  into.isMixed = sides.over[what] > limit;
  if (!into.isMixed) {
    into.part = 1;
    mix(sides.over, noTotals, 1, into);
    return into;
  }
  const worth = (totals: Totals): number => totals.value - bytePrice * totals.data;
  // Nothing at all, as a first solution that stays within the limit.
  let [littleWorth, little] = [0, 0];
  let isNothing = true;
  let price = 0;
  // Prices of the other budgets where this one's price is `price`: those of either side were found elsewhere.
  const others = {energyPrice: 0, moneyPrice: 0};
  if (into.guess > 0) {
    const {over} = sides;
    const trial = solveInto(into.guess, sides.trial);
    bound = Math.min(bound, trial.bound);
    if (trial[what] > limit) [sides.over, sides.trial] = [trial, over];
    else {
      [sides.under, sides.trial] = [trial, sides.under];
      [littleWorth, little, isNothing] = [worth(trial), trial[what], false];
    }
  }
  for (let i = 0; i < mostTrials; i++) {
    const {over} = sides;
    price = (worth(over) - littleWorth) / (over[what] - little);
    const trial = solveInto(price, sides.trial);
    bound = Math.min(bound, trial.bound);
    others.energyPrice = trial.energyPrice;
    others.moneyPrice = trial.moneyPrice;
    // Both sides are best at this price: so is every mixture of them.
    const gained = worth(trial) - price * trial[what] - (worth(over) - price * over[what]);
    const isSame = gained <= tolerance * Math.abs(over.value);
    if (isSame && !isNothing) break;
    if (trial[what] > limit) {
      if (isSame) break;
      [sides.over, sides.trial] = [trial, over];
    } else {
      [sides.under, sides.trial] = [trial, sides.under];
      [littleWorth, little, isNothing] = [worth(trial), trial[what], false];
      if (isSame) break;
    }
  }
  const {over, under} = sides;
  into.part = (limit - little) / (over[what] - little);
  into.isMixed = !isNothing;
  mix(over, isNothing ? noTotals : under, into.part, into);
  into.energyPrice = others.energyPrice;
  into.moneyPrice = what === 'money' ? price : others.moneyPrice;
  into.bytePrice = what === 'data' ? price : into.bytePrice;
  into.bound = bound;
  into.guess = price;
  return into;
}

function mix(a: Totals, b: Totals, part: number, into: Totals): void {
  const rest = 1 - part;
  into.value = part * a.value + rest * b.value;
  into.bound = a.bound;
  into.money = part * a.money + rest * b.money;
  into.data = part * a.data + rest * b.data;
  into.energyPrice = part * a.energyPrice + rest * b.energyPrice;
  into.moneyPrice = part * a.moneyPrice + rest * b.moneyPrice;
  into.bytePrice = part * a.bytePrice + rest * b.bytePrice;
}

function solveAt(solver: Solver, program: Program, moneyPrice: number, bytePrice: number, into: Vertex): Vertex {
  const {columns, freeSteps, pricedSteps} = solver;
  const {counts, allowed, limits, favour} = program;
  const steps = moneyPrice === 0 && bytePrice === 0 ? freeSteps : pricedSteps;
  findSteps(columns, steps, allowed, moneyPrice, bytePrice, favour);
  fill(columns, steps, counts, limits.energy, into);
  into.moneyPrice = moneyPrice;
  into.bytePrice = bytePrice;
  const worth = into.value - moneyPrice * into.money - bytePrice * into.data;
  into.bound = worth + (moneyPrice > 0 ? moneyPrice * limits.money : 0) + (bytePrice > 0 ? bytePrice * limits.data : 0);
  return into;
}

/**
 * Adds `weight` times the part of each class that takes each option: at `option`, and `total + option` for classes with a
 * connection.
 */
export function addUse({columns}: Solver, {sides, part, isMixed}: Solution, weight: number, into: Float64Array): void {
  addMixture(columns, sides.over, weight * part, into);
  if (isMixed) addMixture(columns, sides.under, weight * (1 - part), into);
}

function addMixture(columns: Columns, {sides, part, isMixed}: Mixed<Vertex>, weight: number, into: Float64Array): void {
  addVertex(columns, sides.over, weight * part, into);
  if (isMixed) addVertex(columns, sides.under, weight * (1 - part), into);
}

function addVertex({first, kinds}: Columns, {from, to, part}: Vertex, weight: number, into: Float64Array): void {
  const total = first[kinds]!;
  for (let c = 0; c < from.length; c++) {
    const row = (c & 1) * total;
    if (from[c]! >= 0) into[row + from[c]!]! += weight * (1 - part[c]!);
    if (to[c]! >= 0) into[row + to[c]!]! += weight * part[c]!;
  }
}
