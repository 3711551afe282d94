/**
 * The day of figure 13: four face tasks and a scene, connectivity s3, half a watt-hour and two dollars a month. Arrivals are drawn
 * anew, as their original trace was drawn once; figures are means over draws.
 */
import {type Policy, policies, problemOf} from 'dnnc/schedule';
import {generate, type Summary, simulate, type Trace} from 'dnnc/simulate';
import {type CatalogShape, type Choices, catalogOf, models} from './catalogs.js';

export const day = 36_000;
export const usualEnergy = 1800;
export const usualMoney = 0.0667;

export type DayOptions = Choices & {readonly energy?: number; readonly money?: number};

/** The paper's day; memory has no limit there. */
export function paperDay(shape: CatalogShape, seed: number, policy: Policy, options: DayOptions = {}): Summary {
  const problem = problemOf(catalogOf(shape, options));
  const {energy = usualEnergy, money = usualMoney} = options;
  const limits = {energy, money, data: Number.POSITIVE_INFINITY, memory: Number.POSITIVE_INFINITY};
  return simulate({problem, setting: {limits, day, idle: 0}, policy, trace: paperTrace(shape, seed, options)});
}

export const paperTrace = (shape: CatalogShape, seed: number, options: Choices = {}): Trace =>
  generate({
    ...{length: day, seed, outages: models.outages.s3},
    arrivals: problemOf(catalogOf(shape, options)).kinds.map(({rate}, kind) => ({kind, rate})),
  });

export type Mean = {readonly accuracy: number; readonly served: number; readonly least: number; readonly most: number};

/** Over draws of the arrivals: accuracy and served part in percent, and the range of the accuracies. */
export function meanOf(seeds: readonly number[], run: (seed: number) => Summary): Mean {
  const all = seeds.map(run);
  const accuracies = all.map(({accuracy}) => accuracy);
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    accuracy: mean(accuracies),
    served: mean(all.map(({served, requests}) => 100 * (1 - served.none / requests))),
    ...{least: Math.min(...accuracies), most: Math.max(...accuracies)},
  };
}

const draws = [1, 2, 3, 4, 5];

export const goldenPolicies = {
  mcdnn: policies.mcdnn,
  server: policies['cloud-only'],
  client: policies['device-only'],
  dnnc: policies.dnnc,
  oracle: policies.oracle,
};
export type Golden = Readonly<Record<keyof typeof goldenPolicies, Mean>>;

export function golden(shape: CatalogShape = 'share', options: DayOptions = {}): Golden {
  const of = (policy: Policy): Mean => meanOf(draws, seed => paperDay(shape, seed, policy, options));
  const {mcdnn, server, client, dnnc, oracle} = goldenPolicies;
  return {mcdnn: of(mcdnn), server: of(server), client: of(client), dnnc: of(dnnc), oracle: of(oracle)};
}

/** Accuracy of the face task after each request, where it changes: [second, percent], as figure 13 draws it. */
export function faceSteps(seed: number, policy: Policy): readonly (readonly [number, number])[] {
  const catalog = catalogOf('share');
  const problem = problemOf(catalog);
  const limits = {energy: usualEnergy, money: usualMoney, data: Number.POSITIVE_INFINITY, memory: Number.POSITIVE_INFINITY};
  const accuracyOf = new Map(catalog.requests[0]!.variants.map(({id, accuracy}) => [id, accuracy[0]!]));
  const steps: (readonly [number, number])[] = [];
  simulate({
    ...{problem, setting: {limits, day, idle: 0}, policy, trace: paperTrace('share', seed)},
    watch({time, kind, option}) {
      if (kind !== 0) return;
      const chosen = problem.kinds[0]!.options[option];
      const accuracy = chosen ? accuracyOf.get(chosen.variant)! : 0;
      if (steps.at(-1)?.[1] !== accuracy) steps.push([Math.round(time), accuracy]);
    },
  });
  return steps;
}
