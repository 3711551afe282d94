/**
 * Figure 12: where to run when sending is dear. A request per second, always connected, 6840 J; a part of the requests has a
 * specialized or shared variant that the device runs for 0.085 J (the paper's closed form; MCDNN, section 6.2).
 */
import {type Policy, policies, problemOf, readCatalog} from 'dnnc/schedule';
import {generate, simulate} from 'dnnc/simulate';

export const proportions = [1 / 9, 2 / 9, 3 / 9, 4 / 9, 5 / 9];
export const transmits = [0.1, 0.3, 0.5] as const;

/** Percent served: MCDNN and server-first, by joules of a transmission. */
export const published: Readonly<
  Record<(typeof transmits)[number], {readonly mcdnn: readonly number[]; readonly server: readonly number[]}>
> = {
  0.1: {mcdnn: [100, 100, 100, 100, 100], server: [100, 100, 100, 100, 100]},
  0.3: {mcdnn: [71.65, 79.23, 88.92, 96.86, 100], server: [63.43, 63.45, 63.37, 64.1, 63.05]},
  0.5: {mcdnn: [47.1, 55.36, 66.01, 74.34, 80.68], server: [38.06, 38.07, 38.02, 38.46, 37.83]},
};

const cloud = (energy: number) => ({money: 1e-6, latency: 22, bytes: 10_000, energy});

function problemFor(proportion: number, transmit: number) {
  const device = (id: string, energy: number) => ({energy, latency: 10, segments: [id]});
  return problemOf(
    readCatalog({
      ...{schema: 1, name: 'figure12'},
      segments: ['cheap', 'whole'].map(id => ({id, bytes: 1e6, loadEnergy: 0})),
      requests: [
        {
          ...{name: 'special', tasks: [{name: 'special'}], rate: proportion},
          variants: [{id: 'special', accuracy: [75], device: device('cheap', 0.085), cloud: cloud(transmit)}],
        },
        {
          ...{name: 'general', tasks: [{name: 'general'}], rate: 1 - proportion},
          variants: [{id: 'general', accuracy: [75], device: device('whole', 6.82), cloud: cloud(transmit)}],
        },
      ],
    }),
  );
}

/** Percent of requests that are served. */
export function servedAt(proportion: number, transmit: number, policy: Policy): number {
  const problem = problemFor(proportion, transmit);
  const limits = {energy: 6840, money: 1, data: Number.POSITIVE_INFINITY, memory: Number.POSITIVE_INFINITY};
  const arrivals = problem.kinds.map(({rate}, kind) => ({kind, rate}));
  const trace = generate({length: 36_000, seed: 12, arrivals});
  const {served, requests} = simulate({problem, setting: {limits, day: 36_000, idle: 0}, policy, trace});
  return 100 * (1 - served.none / requests);
}

export const figure12Policies = {server: policies['cloud-only'], mcdnn: policies.mcdnn, dnnc: policies.dnnc};
