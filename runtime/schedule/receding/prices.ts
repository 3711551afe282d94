/**
 * What a joule, a dollar and a byte are worth now: means of the linear program's prices over all scenarios. Averaging prices, not
 * demands, matters: the worth of a joule jumps by orders of magnitude where the next cheaper option begins.
 */
import {type Solver, solve} from '../linear.js';
import type {Amounts} from '../state.js';
import type {Scenario} from './forecast.js';

export type Prices = {
  energy: number;
  money: number;
  data: number;
  /** Mean part of each class that takes each option: as in `Solution`. */
  readonly use: Float64Array;
};

/** Values of what can be served now count this much more: spend now rather than later among equals. */
const nowFactor = 1 + 1e-5;
/** Relative width of a price. */
const tolerance = 1e-3;

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
  const favoured = {connected, factor: nowFactor};
  for (const {weight, counts} of scenarios) {
    const {energyPrice, moneyPrice, bytePrice, use} = solve(solver, {counts, allowed, limits, favoured, tolerance});
    into.energy += weight * energyPrice;
    into.money += weight * moneyPrice;
    into.data += weight * bytePrice;
    for (let i = 0; i < use.length; i++) into.use[i]! += weight * use[i]!;
  }
}
