/** Accuracy by energy budget, cloud budget and energy of a transmission, beside the re-run of the authors' simulator. */
import {policies} from 'dnnc/schedule';
import {type DayOptions, paperDay} from './golden.js';

const none = Number.NaN;
export const energies = [90, 180, 360, 720, 1080, 1440, 1800, 2700, 3600, 7200, 14_400, 36_000];

/** Percent by energy, scenario 3 with sharing: the authors' rule, whose budgets are not hard, and the bound of that re-run. */
export const releasedByEnergy = [53.72, 56.36, 61.64, 71.42, 80.57, 80.63, 80.69, 80.74, 80.83, 80.97, 81.16, 81.95];
export const releasedBound = [54.7, 57.36, 62.67, 73.28, 80.62, 80.75, 80.81, 80.95, 81.1, 81.66, 81.95, 81.95];
/** Without sharing, at some of the energies. */
export const releasedSeparate = [none, none, 52.77, none, none, none, 63.42, none, 75.28, 80.17, 80.53, 80.8];

export const moneys = [0.005, 0.01, 0.02, 0.0274, 0.0333, 0.0667];
export const releasedByMoney = [78.28, 78.98, 80.15, 80.49, 80.69, 80.69];

/** Joules left at the end under the authors' rule, by joules of a transmission: it does not check them. */
export const transmits = [0.0038, 0.1, 0.3, 0.5, 0.9];
export const releasedLeft = [47, 45, -396, -1279, -3210];

export type Row = {readonly mcdnn: number; readonly dnnc: number; readonly oracle: number; readonly left: number};

/** Accuracies in percent, one draw; `left`: joules that remain under dnnc. */
export function rowOf(shape: 'share' | 'separate', options: DayOptions): Row {
  const run = (name: 'mcdnn' | 'dnnc' | 'oracle') => paperDay(shape, 1, policies[name], options);
  const ours = run('dnnc');
  return {
    ...{mcdnn: run('mcdnn').accuracy, dnnc: ours.accuracy, oracle: run('oracle').accuracy},
    left: (options.energy ?? 1800) - ours.used.energy,
  };
}
