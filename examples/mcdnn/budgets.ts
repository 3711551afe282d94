/** Accuracy by energy budget, cloud budget and energy of a transmission, beside the re-run of the authors' simulator. */
import {mcdnnPolicy, type PolicyName, policies, problemOf} from 'dnnc/schedule';
import {generate, type Summary, simulate} from 'dnnc/simulate';
import {catalogOf} from './catalogs.js';
import {type DayOptions, day, paperDay} from './golden.js';

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

/** The same rule, all by the server and all on the device. */
export const releasedServer = 51.57;
export const releasedClient = [2.39, 5.03, 10.3, 20.86, 31.4, 41.95, 52.51, 78.09, 78.43, 79.08, 80.24, 81.95];

export type Row = {
  readonly server: number;
  readonly client: number;
  readonly mcdnn: number;
  readonly dnnc: number;
  readonly oracle: number;
  /** Joules that remain under dnnc. */
  readonly left: number;
};

/** Accuracies in percent, one draw. */
export function rowOf(shape: 'share' | 'separate', options: DayOptions): Row {
  const run = (name: PolicyName): Summary => paperDay(shape, 1, policies[name], options);
  const accuracyOf = (name: PolicyName): number => run(name).accuracy;
  const ours = run('dnnc');
  return {
    ...{server: accuracyOf('cloud-only'), client: accuracyOf('device-only'), mcdnn: accuracyOf('mcdnn')},
    ...{dnnc: ours.accuracy, oracle: accuracyOf('oracle')},
    left: (options.energy ?? 1800) - ours.used.energy,
  };
}

/** Joules of the days below. */
export const boundaries = [1800, 3600];

/**
 * Where the server's budget and 50 MB of memory are both short: changes of a request's place, and loads, of the paper's rule with and without
 * the part of a budget that it keeps for loads to come (section 5.3), and of ours.
 */
export function damping(energy: number): readonly (readonly [name: string, moves: number, loads: number, accuracy: number])[] {
  const problem = problemOf(catalogOf('share'));
  const arrivals = problem.kinds.map(({rate}, kind) => ({kind, rate}));
  const limits = {energy, money: 0.005, data: Number.POSITIVE_INFINITY, memory: 50e6};
  const rule = {places: 'both', reserve: true, paced: false} as const;
  const all = [
    ['mcdnn', policies.mcdnn],
    ['mcdnn, undamped', mcdnnPolicy('mcdnn', {...rule, isUndamped: true})],
    ['dnnc', policies.dnnc],
  ] as const;
  return all.map(([name, policy]) => {
    const places = new Map<number, string>();
    let moves = 0;
    const {paged, accuracy} = simulate({
      ...{problem, policy, setting: {limits, day, idle: 0}, trace: generate({length: day, seed: 1, arrivals})},
      watch({kind, option}) {
        const place = problem.kinds[kind]!.options[option]?.place;
        if (place === undefined) return;
        if ((places.get(kind) ?? place) !== place) moves++;
        places.set(kind, place);
      },
    });
    return [name, moves, paged, accuracy];
  });
}
