/** Policies against bounds and against the paper's heuristic, over the days of `grid.ts`. Seeds here were not used for tuning. */
import {mcdnnPolicy, policies} from 'dnnc/schedule';
import {caseOf, type Family, families, type Point, runCase, type Twist, thinned} from './grid.js';

const seeds = [2001, 2002, 2003];

/** The heuristic with hard budgets, repaired in four ways; the best of them, chosen afterwards, is what ours is held against. */
const heuristics = [
  {places: 'both', reserve: false, paced: false},
  {places: 'both', reserve: true, paced: false},
  {places: 'both', reserve: false, paced: true},
  {places: 'both', reserve: true, paced: true},
] as const;

/** Shares of bounds from 0 to 1, `below` in percentage points of accuracy; each a mean over seeds. */
type PointResult = {
  readonly point: Point;
  readonly charged: number;
  readonly linear: number;
  readonly oracle: number;
  readonly mcdnn: number;
  readonly below: number;
  readonly overspent: number;
  readonly exact: boolean;
};

export type FamilyResult = {
  readonly points: number;
  readonly charged: number;
  readonly linear: number;
  readonly worst: number;
  readonly worstPoint: Point;
  readonly oracle: number;
  readonly worstOracle: number;
  /** Of the best repaired heuristic of each point. */
  readonly mcdnn: number;
  readonly below: number;
  readonly overspent: number;
};

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function resultOf(point: Point, family: Family): PointResult {
  const runs = seeds.map(seed => {
    const one = caseOf(point, family, seed);
    const ours = runCase(one, policies.dnnc);
    const known = runCase(one, policies.oracle);
    const others = heuristics.map(rule => runCase(one, mcdnnPolicy('mcdnn', rule)));
    return {one, ours, known, others, all: [ours, known, ...others]};
  });
  const best = Math.max(...heuristics.map((_, i) => mean(runs.map(({others}) => others[i]!.accuracy))));
  return {
    point,
    charged: mean(runs.map(({ours, one}) => ours.accuracy / one.charged)),
    linear: mean(runs.map(({ours, one}) => ours.accuracy / one.linear)),
    oracle: mean(runs.map(({known, one}) => known.accuracy / one.charged)),
    mcdnn: best / mean(runs.map(({one}) => one.charged)),
    below: best - mean(runs.map(({ours}) => ours.accuracy)),
    overspent: runs.reduce((count, {all}) => count + all.filter(({overspent}) => overspent).length, 0),
    exact: runs.every(({one}) => one.exact),
  };
}

export function compareFamily(family: Family, progress: (text: string) => void): FamilyResult {
  const all = thinned.map((point, i) => {
    progress(`${family}: point ${i + 1} of ${thinned.length}`);
    return resultOf(point, family);
  });
  const worst = all.reduce((least, each) => (each.charged < least.charged ? each : least));
  return {
    points: all.length,
    charged: mean(all.map(each => each.charged)),
    linear: mean(all.map(each => each.linear)),
    ...{worst: worst.charged, worstPoint: worst.point},
    oracle: mean(all.map(each => each.oracle)),
    worstOracle: Math.min(...all.map(each => each.oracle)),
    mcdnn: mean(all.map(each => each.mcdnn)),
    below: Math.max(...all.map(each => each.below)),
    overspent: all.reduce((sum, each) => sum + each.overspent, 0),
  };
}

export const compared = (progress: (text: string) => void): Readonly<Record<Family, FamilyResult>> => {
  const [stationary, bursty, up, down] = families.map(family => compareFamily(family, progress));
  return {stationary: stationary!, bursty: bursty!, 'step-up': up!, 'step-down': down!};
};

/** Mean and worst share of the charged bound on a quarter of the stationary points, one day each. */
export type TwistResult = {readonly charged: number; readonly worst: number; readonly mcdnn: number; readonly overspent: number};

export function twisted(twist: Twist): TwistResult {
  const some = thinned.filter((_, i) => i % 4 === (i >> 3) % 4);
  const runs = some.map(point => {
    const one = caseOf(point, 'stationary', seeds[0]!, twist);
    const ours = runCase(one, policies.dnnc);
    const best = Math.max(...heuristics.map(rule => runCase(one, mcdnnPolicy('mcdnn', rule)).accuracy));
    return {share: ours.accuracy / one.charged, mcdnn: best / one.charged, overspent: ours.overspent ? 1 : 0};
  });
  return {
    charged: mean(runs.map(({share}) => share)),
    worst: Math.min(...runs.map(({share}) => share)),
    mcdnn: mean(runs.map(({mcdnn}) => mcdnn)),
    overspent: runs.reduce((sum, run) => sum + run.overspent, 0),
  };
}

const onOne = (name: string, factor: number) => ({wrong: (variant: string) => (variant.endsWith(name) ? factor : 1)});

/** What a policy is told wrongly, and what it is told about that. */
export const twists: Readonly<Record<string, Twist>> = {
  'day planned half as long, doubt 2': {planned: 0.5, dayDoubt: 2},
  'day planned twice as long, doubt 2': {planned: 2, dayDoubt: 2},
  'day as planned, doubt 2': {dayDoubt: 2},
  'day planned half as long, no doubt': {planned: 0.5},
  'day planned twice as long, no doubt': {planned: 2},
  'D6 takes half the annotated energy': onOne('/D6', 0.5),
  'D6 takes twice the annotated energy': onOne('/D6', 2),
  'D10 takes half the annotated energy': onOne('/D10', 0.5),
  'D10 takes twice the annotated energy': onOne('/D10', 2),
  'rates declared five times too high': {declared: 5},
  'rates declared five times too low': {declared: 0.2},
};
