/** What a choice of sizes spares, and what layers cost of it. */
import {elements} from '../../ir/tensor.js';
import type {Costs, Sized} from './costs.js';
import {stageMacs} from './stage.js';

/** Microseconds as estimated; multiply-adds, which energy follows on small devices; bytes of weights, which downloads and flash do. */
export const sparable = ['time', 'macs', 'bytes'] as const;
export type Spared = (typeof sparable)[number];

/** Of some stages, each of what can be spared. */
export type Cost = Readonly<Record<Spared, number>>;

export function costOf(sizes: readonly Sized[], microseconds: Costs): Cost {
  const sum = (of: (sized: Sized) => number): number => sizes.reduce((all, sized) => all + of(sized), 0);
  return {
    time: sum(microseconds),
    macs: sum(({stage, input}) => stageMacs(stage, input)),
    bytes: sum(({stage: {shape}}) => 4 * elements(shape)),
  };
}

/** What goes where a layer that costs so much goes, and stands against others that stay. */
export const negated = ({time, macs, bytes}: Cost): Cost => ({time: -time, macs: -macs, bytes: -bytes});

/** Whether it has less of what is spared, and buys that with time only where it is smaller too. */
export const isCheaper = (own: Cost, whole: Cost, spared: Spared): boolean =>
  own[spared] < whole[spared] && (own.time < whole.time || own.bytes < whole.bytes);
