import {policies, problemOf, readCatalog} from 'dnnc/schedule';
import {generate, simulate} from 'dnnc/simulate';
import {caseOf, runCase} from './grid.js';

for (let i = 0; i < 3; i++)
  for (const shape of ['share', 'separate'] as const) {
    const one = caseOf({shape, energy: 1, money: 1, transmit: 0.0038, link: 's3'}, 'stationary', 7);
    console.log(
      shape,
      ...(['dnnc', 'mcdnn', 'device-only', 'oracle'] as const).map(n => {
        const r = runCase(one, policies[n]);
        return `${n} ${r.accuracy.toFixed(2)} ${Math.round(r.decisionsPerSecond)}/s`;
      }),
    );
  }
// 100 variants of one kind and of several
const many = readCatalog({
  schema: 1,
  name: 'many',
  segments: Array.from({length: 100}, (_, i) => ({id: `s${i}`, bytes: 1e6 * (1 + i), loadEnergy: 1 + i / 10})),
  requests: Array.from({length: 4}, (_, k) => ({
    name: `k${k}`,
    tasks: [{name: `t${k}`}],
    rate: 1.25,
    variants: Array.from({length: 25}, (_, i) => ({
      id: `v${k}.${i}`,
      accuracy: [40 + 10 * Math.log2(1 + i) + ((i * 7) % 3)],
      device: {energy: 0.05 * (1 + i), latency: 10, segments: [`s${25 * k + i}`]},
      cloud: {money: 1e-7 * (1 + i), latency: 5, bytes: 10000, energy: 0.1},
    })),
  })),
});
const problem = problemOf(many);
for (let i = 0; i < 2; i++) {
  const r = simulate({
    problem,
    setting: {limits: {energy: 20000, money: 0.05, data: 1e9, memory: 200e6}, day: 36000, idle: 0},
    policy: policies.dnnc,
    trace: generate({
      length: 36000,
      seed: 1,
      arrivals: problem.kinds.map((k, i) => ({kind: i, rate: k.rate})),
      outages: [
        [5000, 9000],
        [20000, 22000],
      ],
    }),
  });
  console.log(JSON.stringify(r));
}
