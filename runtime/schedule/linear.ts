/**
 * The linear program over all budgets: energy by hulls, money and data by prices that are found by bisection, since what is used
 * falls as its price rises. Where use jumps over a limit, both sides are mixed so that the limit is met exactly. Every price
 * tried gives an upper bound of the optimum (weak duality); the least one is kept.
 */
import {type Asked, type Columns, type Filled, fill, type HullRoom, newFilled, newHullRoom} from './hulls.js';
import type {Amounts} from './state.js';

export type Solution = {
  value: number;
  /** No solution is worth more. */
  bound: number;
  money: number;
  data: number;
  /** Worth of one more joule, dollar, byte. */
  energyPrice: number;
  moneyPrice: number;
  bytePrice: number;
  /** Part of a class that takes an option: at `option`, and `total + option` for classes with a connection. */
  readonly use: Float64Array;
};

export type Program = {
  readonly counts: Float64Array;
  readonly allowed: Uint8Array;
  readonly limits: Amounts;
  readonly favoured?: Asked['favoured'];
  /** Relative width at which the search for a price ends. */
  readonly tolerance: number;
};

/** Room for solving one program after another. Solutions are overwritten by the next call. */
export type Solver = {
  readonly columns: Columns;
  readonly hulls: HullRoom;
  readonly filled: Filled;
  readonly atOnce: Solution;
  readonly byMoney: Sides;
  readonly byData: Sides;
};

type Sides = {over: Solution; under: Solution; readonly mixed: Solution; guess: number};

export function newSolver(columns: Columns): Solver {
  const sides = (): Sides => ({over: newSolution(columns), under: newSolution(columns), mixed: newSolution(columns), guess: 0});
  return {
    ...{columns, hulls: newHullRoom(columns), filled: newFilled(columns.kinds), atOnce: newSolution(columns)},
    ...{byMoney: sides(), byData: sides()},
  };
}

const newSolution = ({first, kinds}: Columns): Solution => ({
  ...{value: 0, bound: 0, money: 0, data: 0, energyPrice: 0, moneyPrice: 0, bytePrice: 0},
  use: new Float64Array(2 * first[kinds]!),
});

export function solve(solver: Solver, program: Program): Solution {
  const {money, data} = program.limits;
  const ofMoney = (bytePrice: number): Solution =>
    priced(
      solver.byMoney,
      program.tolerance,
      money,
      solution => solution.money,
      price => atPrices(solver, program, price, bytePrice),
    );
  return priced(solver.byData, program.tolerance, data, solution => solution.data, ofMoney);
}

/** The best solution whose use stays within the limit, over all prices of it. */
function priced(
  sides: Sides,
  tolerance: number,
  limit: number,
  usedBy: (solution: Solution) => number,
  solveAt: (price: number) => Solution,
): Solution {
  const free = solveAt(0);
  if (usedBy(free) <= limit) return free;
  copy(free, sides.over);
  let {bound} = free;
  let low = 0;
  let high = sides.guess > 0 ? sides.guess : free.value / usedBy(free);
  const tryAt = (price: number): boolean => {
    const solution = solveAt(price);
    bound = Math.min(bound, solution.bound);
    const isOver = usedBy(solution) > limit;
    copy(solution, isOver ? sides.over : sides.under);
    if (isOver) low = price;
    else high = price;
    return isOver;
  };
  for (let price = high; tryAt(price) && price < 1e300; price *= 4);
  // A good guess is near: look just below it before the interval is halved.
  if (sides.guess > 0 && low === 0) tryAt(high * 0.9);
  while (high - low > tolerance * high && usedBy(sides.over) > usedBy(sides.under)) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    tryAt(middle);
  }
  sides.guess = high;
  return mix(sides, limit, usedBy, bound);
}

function mix({over, under, mixed}: Sides, limit: number, usedBy: (solution: Solution) => number, bound: number): Solution {
  const [much, little] = [usedBy(over), usedBy(under)];
  const part = much > little ? Math.min(1, Math.max(0, (limit - little) / (much - little))) : 0;
  const between = (a: number, b: number): number => part * a + (1 - part) * b;
  for (const field of ['value', 'money', 'data', 'energyPrice', 'moneyPrice', 'bytePrice'] as const)
    mixed[field] = between(over[field], under[field]);
  for (let i = 0; i < mixed.use.length; i++) mixed.use[i] = between(over.use[i]!, under.use[i]!);
  mixed.bound = bound;
  return mixed;
}

function copy(from: Solution, to: Solution): void {
  to.value = from.value;
  to.bound = from.bound;
  to.money = from.money;
  to.data = from.data;
  to.energyPrice = from.energyPrice;
  to.moneyPrice = from.moneyPrice;
  to.bytePrice = from.bytePrice;
  to.use.set(from.use);
}

function atPrices(solver: Solver, {counts, allowed, limits, favoured}: Program, moneyPrice: number, bytePrice: number): Solution {
  const {columns, hulls, filled, atOnce} = solver;
  const asked = {counts, allowed, energy: limits.energy, moneyPrice, bytePrice};
  fill(columns, hulls, favoured ? {...asked, favoured} : asked, filled);
  atOnce.value = filled.value;
  atOnce.money = filled.money;
  atOnce.data = filled.data;
  atOnce.energyPrice = filled.price;
  atOnce.moneyPrice = moneyPrice;
  atOnce.bytePrice = bytePrice;
  atOnce.bound = filled.worth + (moneyPrice > 0 ? moneyPrice * limits.money : 0) + (bytePrice > 0 ? bytePrice * limits.data : 0);
  const total = columns.first[columns.kinds]!;
  atOnce.use.fill(0);
  for (let c = 0; c < counts.length; c++) {
    const row = (c & 1) * total;
    const part = filled.part[c]!;
    if (filled.from[c]! >= 0) atOnce.use[row + filled.from[c]!]! += 1 - part;
    if (filled.to[c]! >= 0) atOnce.use[row + filled.to[c]!]! += part;
  }
  return atOnce;
}
