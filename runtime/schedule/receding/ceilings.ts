/**
 * How much more the rest of the day could be worth at most if some options were allowed too: weak duality at the energy prices of a
 * solution without them. Far cheaper than to solve it anew, and enough to leave out most of what is tried.
 */
import type {Columns, Filled} from '../hulls.js';
import type {Scenario} from './forecast.js';

/** What money and data cost. */
type OtherPrices = {readonly moneyPrice: number; readonly bytePrice: number};

export type Ceilings = {
  /** Before the solutions of one set of allowed options. */
  begin(prices: OtherPrices): void;
  /** The best that can be done in one scenario. */
  see(scenario: Scenario, filled: Filled): void;
  /** Of the gain by these options, which take `joules` for loads before: no solution with them is worth more. */
  of(options: readonly number[], joules: number): number;
};

/** Of one scenario's solution: worth of a joule, and by class requests and what one of them is worth less its energy. Requests and `weight` are weighted. */
type Seen = {weight: number; energyPrice: number; readonly requests: Float64Array; readonly net: Float64Array};

export function newCeilings({kinds, first, value, energy, money, bytes, linked}: Columns): Ceilings {
  const kindOf = Int32Array.from(value, (_, option) => first.findIndex(begin => begin > option) - 1);
  const all: Seen[] = [];
  let [moneyPrice, bytePrice, count] = [0, 0, 0];
  const worthOf = (option: number): number => value[option]! - moneyPrice * money[option]! - bytePrice * bytes[option]!;
  const newSeen = (): Seen => ({
    ...{weight: 0, energyPrice: 0, requests: new Float64Array(2 * kinds), net: new Float64Array(2 * kinds)},
  });

  return {
    begin(prices) {
      ({moneyPrice, bytePrice} = prices);
      count = 0;
    },
    see({weight, counts}, {energyPrice, to}) {
      if (count === all.length) all.push(newSeen());
      const seen = all[count++]!;
      seen.weight = weight;
      seen.energyPrice = energyPrice;
      for (let c = 0; c < to.length; c++) {
        const option = to[c]!;
        seen.requests[c] = weight * counts[c]!;
        seen.net[c] = option < 0 ? 0 : worthOf(option) - energyPrice * energy[option]!;
      }
    },
    of(options, joules) {
      let sum = 0;
      for (let i = 0; i < count; i++) {
        const {weight, energyPrice, requests, net} = all[i]!;
        sum -= weight * energyPrice * joules;
        for (let j = 0; j < options.length; j++) {
          const option = options[j]!;
          const each = worthOf(option) - energyPrice * energy[option]!;
          const [alone, connected] = [2 * kindOf[option]!, 2 * kindOf[option]! + 1];
          if (linked[option] === 0 && each > net[alone]!) sum += requests[alone]! * (each - net[alone]!);
          if (each > net[connected]!) sum += requests[connected]! * (each - net[connected]!);
        }
      }
      return sum;
    },
  };
}
