/**
 * Many days, to compare policies: budgets, prices of sending, connectivity, one request for all face tasks or one for each, and
 * four ways in which requests come. Rates that a policy is told are averages of the day.
 */
import {boundsOf, type Policy, type Problem, problemOf, type Setting} from 'dnnc/schedule';
import {
  alternating,
  bursts,
  futureOf,
  generate,
  type Outages,
  type Shape,
  type Summary,
  simulate,
  steady,
  step,
  type Trace,
  type Truth,
} from 'dnnc/simulate';
import {catalogOf, models} from './catalogs.js';

export const day = 36_000;
export const memory = 512e6;
/** Half a watt-hour, and two dollars a month. */
export const energy = 1800;
export const money = 0.0667;

export const families = ['stationary', 'bursty', 'step-up', 'step-down'] as const;
export type Family = (typeof families)[number];

const shapeOf: Readonly<Record<Family, Shape>> = {
  stationary: steady,
  bursty: bursts(0.25, 600, 3.25, 200),
  'step-up': step(0.4, 1.6, day / 2),
  'step-down': step(1.6, 0.4, day / 2),
};

/** Energy and money as parts of the usual ones. */
export type Point = {
  readonly shape: 'share' | 'separate' | 'rich';
  readonly energy: number;
  readonly money: number;
  readonly transmit: number;
  readonly link: 's3' | 'half' | 'always';
};

export function points(
  energies: readonly number[],
  transmits: readonly number[],
  links: readonly Point['link'][],
): readonly Point[] {
  const all: Point[] = [];
  for (const shape of ['share', 'separate'] as const)
    for (const part of energies)
      for (const dollars of [0.2, 1])
        for (const transmit of transmits)
          for (const link of links) all.push({shape, energy: part, money: dollars, transmit, link});
  return all;
}

/** 64 points. */
export const thinned = points([0.05, 0.2, 1, 4], [0.0038, 0.5], ['s3', 'half']);

/** How much an operator who has modelled energies doubts them. */
const wrongDoubt = 0.05;

const outagesOf = (link: Point['link'], seed: number): Outages =>
  link === 'always' ? [] : link === 's3' ? models.outages.s3 : alternating(seed, day, 2000, 7000);

/** `planned`: what the policy takes for the length of the day, as a factor. `wrong`: true energies, as a factor of annotated ones. `declared`: rates that it is told, as a factor of true ones. */
export type Twist = {
  readonly planned?: number;
  readonly dayDoubt?: number;
  readonly wrong?: (variant: string) => number;
  readonly declared?: number;
};

export type Case = {
  readonly problem: Problem;
  readonly setting: Setting;
  readonly trace: Trace;
  readonly truth?: Truth;
  /** Accuracies that no scheduler can beat. */
  readonly linear: number;
  readonly charged: number;
  readonly exact: boolean;
};

export function caseOf(
  point: Point,
  family: Family,
  seed: number,
  {planned = 1, dayDoubt = 1, wrong, declared = 1}: Twist = {},
): Case {
  const catalog = catalogOf(point.shape, {transmit: point.transmit});
  const problem = problemOf({...catalog, requests: catalog.requests.map(each => ({...each, rate: declared * each.rate}))});
  const trace = generate({
    ...{length: day, seed, outages: outagesOf(point.link, seed)},
    arrivals: catalog.requests.map(({rate}, kind) => ({kind, rate, shape: shapeOf[family]})),
  });
  const limits = {energy: point.energy * energy, money: point.money * money, data: Number.POSITIVE_INFINITY, memory};
  const truth =
    wrong && problem.kinds.map(({options}) => options.map(({variant, place}) => (place === 'cloud' ? 1 : wrong(variant))));
  const energies = truth && problem.kinds.map(({options}, k) => options.map((option, i) => option.energy * truth[k]![i]!));
  const future = futureOf(problem, trace);
  const results = problem.kinds.reduce((sum, kind, k) => sum + kind.results * (future.connected[k]! + future.alone[k]!), 0);
  const bounds = boundsOf(problem, future, limits, energies);
  return {
    ...{problem, trace, setting: {limits, day: planned * day, dayDoubt, idle: 0, energyDoubt: wrong ? wrongDoubt : 0}},
    ...(truth && {truth}),
    ...{linear: bounds.linear / results, charged: bounds.charged / results, exact: bounds.exact},
  };
}

export function runCase({problem, setting, trace, truth}: Case, policy: Policy): Summary {
  return simulate({problem, setting, policy, trace, ...(truth && {truth})});
}
