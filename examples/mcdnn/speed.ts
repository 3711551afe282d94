/** How long a decision takes: 100 variants in four kinds of requests, five requests per second for ten hours, re-plans included. */
import {type Policy, policies, problemOf, readCatalog} from 'dnnc/schedule';
import {generate, simulate} from 'dnnc/simulate';

const day = 36_000;

function manyVariants() {
  const segments = Array.from({length: 100}, (_, i) => ({id: `s${i}`, bytes: 1e6 * (1 + i), loadEnergy: 1 + i / 10}));
  const requests = Array.from({length: 4}, (_kind, k) => ({
    ...{name: `kind${k}`, tasks: [{name: `task${k}`}], rate: 1.25},
    variants: Array.from({length: 25}, (_variant, i) => ({
      ...{id: `v${k}.${i}`, accuracy: [40 + 10 * Math.log2(1 + i) + ((i * 7) % 3)]},
      device: {energy: 0.05 * (1 + i), latency: 10, segments: [`s${25 * k + i}`]},
      cloud: {money: 1e-7 * (1 + i), latency: 5, bytes: 10_000, energy: 0.1},
    })),
  }));
  return problemOf(readCatalog({schema: 1, name: 'many', segments, requests}));
}

/** Microseconds of CPU per decision with 100 variants, the trace made on the way; the first day warms up. */
export function decisionTimes(names: readonly (keyof typeof policies)[]): readonly (readonly [string, number])[] {
  const problem = manyVariants();
  const limits = {energy: 20_000, money: 0.05, data: 1e9, memory: 200e6};
  const outages = [
    [5000, 9000],
    [20_000, 22_000],
  ] as const;
  const run = (policy: Policy): number => {
    const arrivals = problem.kinds.map(({rate}, kind) => ({kind, rate}));
    const trace = generate({length: day, seed: 1, arrivals, outages});
    const started = process.cpuUsage();
    const {requests} = simulate({problem, setting: {limits, day, idle: 0}, policy, trace});
    const {user, system} = process.cpuUsage(started);
    return (user + system) / requests;
  };
  return names.map(name => {
    run(policies[name]);
    return [name, Math.min(run(policies[name]), run(policies[name]))] as const;
  });
}
