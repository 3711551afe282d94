/** Catalogs and days at random, small enough to be solved in other ways too. */
import {type Catalog, readCatalog} from '../../runtime/schedule/index.js';
import {alternating, bursts, generate, type Random, steady, step, type Trace} from '../../runtime/simulate/index.js';

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

/** One to four requests of one to three tasks; shared segments, splits, transmissions of 0 to 1 J. */
export function randomCatalog(dice: Random): Catalog {
  const between = (low: number, high: number): number => rounded(low + (high - low) * dice.unit());
  const segments = Array.from({length: 1 + dice.below(8)}, (_, i) => ({
    ...{id: `s${i}`, bytes: 1 + dice.below(50), loadEnergy: dice.below(4) === 0 ? 0 : between(0, 6)},
  }));
  const some = (): readonly string[] => segments.filter(() => dice.below(segments.length) < 2).map(({id}) => id);
  const requests = Array.from({length: 1 + dice.below(4)}, (_, k) => {
    const tasks = Array.from({length: 1 + dice.below(3)}, (_task, i) => ({
      name: `t${i}`,
      weight: dice.below(3) === 0 ? between(0, 3) : 1,
    }));
    const transmit = dice.below(4) === 0 ? 0 : between(0, 1);
    const variants = Array.from({length: 1 + dice.below(5)}, (_variant, i) => ({
      ...{id: `v${k}.${i}`, accuracy: tasks.map(() => between(0, 100))},
      ...(dice.below(4) > 0 && {device: {energy: between(0, 3), latency: between(1, 200), segments: some()}}),
      ...(dice.below(4) > 0 && {
        cloud: {money: between(0, 2), latency: between(1, 200), bytes: dice.below(100), energy: transmit},
      }),
      ...(dice.below(4) === 0 && {
        splits: [{cut: 'c', energy: between(0, 2), latency: 20, segments: some(), money: between(0, 1), bytes: dice.below(50)}],
      }),
    }));
    return {name: `r${k}`, tasks, rate: between(0, 0.5), variants, ...(dice.below(3) === 0 && {latencyLimit: 150})};
  });
  return readCatalog({schema: 1, name: 'random', segments, requests});
}

/** Rates may be far from those of the catalog, and the connection comes and goes. */
export function randomTrace(dice: Random, catalog: Catalog, length: number): Trace {
  const shapes = [steady, bursts(0.1, 100, 5, 30), step(0.2, 2, length / 2), step(2, 0.2, length / 2)];
  const seed = dice.below(1e9);
  return generate({
    ...{length, seed, outages: dice.below(3) === 0 ? [] : alternating(seed, length, 5, 300)},
    arrivals: catalog.requests.map(({rate}, kind) => ({kind, rate: 3 * rate * dice.unit(), shape: shapes[dice.below(4)]!})),
  });
}
