/**
 * The two scenarios of the authors' simulator in which contexts matter, by its rule as released and with each of its defects repaired
 * (claim C30). Arrivals are drawn anew; the spells of the second scenario are those of their trace, those of the first are not known.
 */
import {models} from './catalogs.js';
import {type App, type Released, type Repairs, released, type Scenario} from './released.js';

const attribute = (name: string): App => ({
  ...{name, rate: 0.2, reuses: true},
  rows: models.face.flatMap(row => {
    const accuracy = models.attributes[name]![row.id];
    return accuracy === undefined ? [] : [{...row, accuracy}];
  }),
});

const bases = models.face.filter(({id}) => ['D0', 'D6', 'D10'].includes(id));
const object: App = {name: 'object', rate: 0.5, rows: models.object};

export const scenarios: Readonly<Record<'s1' | 's2', Scenario>> = {
  s1: {
    ...{outages: models.outages.s1, targets: 7, share: 0.65},
    spells: [2000, 11_000, 20_000, 29_000].map(from => [from, from + 3600] as const),
    apps: [
      {name: 'face', rate: 0.2, rows: [...bases, ...models.special]},
      object,
      {name: 'scene', rate: 0.01, rows: models.scene},
      attribute('gender'),
      attribute('age'),
    ],
  },
  s2: {
    ...{outages: models.outages.s2, targets: 4, share: 0.9},
    spells: [
      [3152, 10_272],
      [18_505, 25_554],
    ],
    apps: [{name: 'face', rate: 0.2, rows: [...models.face, ...models.special]}, object],
  },
};

/** Percent: the authors' rule run again, as released and with its window repaired, and without specialization. */
export const publishedRepairs = {
  s1: {none: 64.73, released: 66.59, window: 65.39},
  s2: {none: 56.37, released: 60.85, window: 58.56},
} as const;

/** Each beside the repaired window; megabytes where all is roomy, and where hardly two models fit. */
export const repairs: Readonly<Record<string, Repairs | null>> = {
  'no specialization': null,
  released: {},
  window: {window: true},
  'window, fallback': {window: true, fallback: true},
  'window, switches': {window: true, switches: true},
  'window, memory 512 MB': {window: true, memory: 512},
  'window, memory 64 MB': {window: true, memory: 64},
  'all, memory 64 MB': {window: true, fallback: true, switches: true, memory: 64},
};

/** Means of draws of the arrivals. */
export function repaired(name: keyof typeof scenarios, repair: Repairs | null, draws = [1, 2, 3]): Released {
  const all = draws.map(seed => released(scenarios[name], repair ?? {}, seed, repair !== null));
  const mean = (of: keyof Released): number => all.reduce((sum, each) => sum + each[of] / all.length, 0);
  return {
    ...{accuracy: mean('accuracy'), served: mean('served'), energyLeft: mean('energyLeft')},
    ...{specialized: mean('specialized'), face: mean('face')},
  };
}
