/**
 * What a joule, a dollar and a byte are worth now: means of the linear program's prices over all scenarios. Averaging prices, not
 * demands, matters: the worth of a joule jumps by orders of magnitude where the next cheaper option begins.
 */
import {addUse, type Solver, solve} from '../linear.js';
import type {Amounts} from '../state.js';
import type {Scenario} from './forecast.js';

export type Prices = {
  energy: number;
  money: number;
  data: number;
  /** Mean part of each class that takes each option: see `addUse`. */
  readonly use: Float64Array;
};

export function findPrices(
  solver: Solver,
  scenarios: readonly Scenario[],
  allowed: Uint8Array,
  limits: Amounts,
  connected: boolean,
  into: Prices,
): void {
  into.energy = into.money = into.data = 0;
  into.use.fill(0);
  for (const {weight, counts} of scenarios) {
    const solution = solve(solver, {counts, allowed, limits, favour: connected});
    into.energy += weight * solution.energyPrice;
    into.money += weight * solution.moneyPrice;
    into.data += weight * solution.bytePrice;
    addUse(solver, solution, weight, into.use);
  }
}
