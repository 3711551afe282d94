/** What the planner leaves out untried gains no more than its ceiling says, whatever the catalog, the prices and the budget. */
import test from 'ava';
import {columnsOf, fill, findSteps, newFilled, newSteps} from '../runtime/schedule/hulls.js';
import {problemOf} from '../runtime/schedule/index.js';
import {newCeilings} from '../runtime/schedule/receding/ceilings.js';
import {random} from '../runtime/simulate/index.js';
import {randomCatalog} from './support/random-catalog.js';

test('no ceiling is below what options gain, and many are near it', t => {
  let [near, gains] = [0, 0];
  for (let seed = 1; seed <= 400; seed++) {
    const dice = random(seed, 83);
    const problem = problemOf(randomCatalog(dice));
    const columns = columnsOf(problem);
    const count = columns.value.length;
    if (count === 0) continue;
    const prices = {moneyPrice: dice.below(2) * 20 * dice.unit(), bytePrice: dice.below(2) * dice.unit()};
    const scenarios = Array.from({length: 1 + dice.below(4)}, () => ({
      weight: dice.unit(),
      counts: Float64Array.from({length: 2 * problem.kinds.length}, () => 100 * dice.unit()),
    }));
    const joules = dice.below(5) === 0 ? Number.POSITIVE_INFINITY : 300 * dice.unit();
    const allowed = Uint8Array.from({length: count}, () => dice.below(2));
    const ceilings = newCeilings(columns);
    const filled = newFilled(problem.kinds.length);
    const worth = (most: number, isSeen: boolean): number => {
      const {moneyPrice, bytePrice} = prices;
      const steps = newSteps(columns);
      findSteps(columns, steps, allowed, moneyPrice, bytePrice, null);
      ceilings.begin(prices);
      return scenarios.reduce((sum, scenario) => {
        fill(columns, steps, scenario.counts, most, filled);
        if (isSeen) ceilings.see(scenario, filled);
        return sum + scenario.weight * (filled.value - moneyPrice * filled.money - bytePrice * filled.data);
      }, 0);
    };
    const without = worth(joules, true);
    const opened = Array.from({length: 1 + dice.below(3)}, () => dice.below(count)).filter((at, i, all) => all.indexOf(at) === i);
    const loads = joules === Number.POSITIVE_INFINITY ? 5 : joules * 0.2 * dice.unit() * dice.below(2);
    const ceiling = ceilings.of(opened, loads);
    for (const at of opened) allowed[at] = 1;
    const gain = worth(joules - loads, false) - without;
    t.true(gain <= ceiling + 1e-9 * (1 + Math.abs(without)), `seed ${seed}: ${gain} is more than ${ceiling}`);
    if (gain <= 1e-9) continue;
    gains++;
    if (ceiling <= 2 * gain) near++;
  }
  t.true(gains > 100 && near > gains / 2, `${near} of ${gains}`);
});
