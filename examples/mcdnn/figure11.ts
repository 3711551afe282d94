/**
 * Figure 11: a cache of 600 MB for models that are asked for in turn, one request per second for ten hours, 72 kJ. The authors'
 * traces are not published, so requests here change their model with a probability that gives the load rates of the figure.
 * `original` has one full variant per model, `best` the knee of its memory curve, `all` every variant (MCDNN, section 6.1).
 */
import {type Catalog, type Policy, policies, problemOf, readCatalog} from 'dnnc/schedule';
import {random, simulate, type Trace} from 'dnnc/simulate';
import {models, type Row} from './catalogs.js';

export const loadRates = [1, 12.3, 47.8, 95.4, 190.7, 285.8, 324.2];
const published = {
  original: {
    served: [0.482, 0.463, 0.331, 0.254, 0.171, 0.134, 0.12],
    joules: [4.428, 4.35, 6.028, 7.903, 11.67, 14.983, 16.647],
    accuracy: [67.3, 66, 66.8, 67.1, 67, 66.1, 66.1],
  },
  best: {
    served: [0.484, 0.488, 0.392, 0.336, 0.254, 0.212, 0.193],
    joules: [4.355, 4.126, 5.089, 5.995, 7.893, 9.484, 10.35],
    accuracy: [68.2, 66.7, 67.9, 68, 67.9, 67, 67],
  },
  all: {
    served: [0.701, 0.815, 0.721, 0.729, 0.711, 0.808, 0.75],
    joules: [3.156, 2.475, 2.766, 2.757, 2.812, 2.483, 2.664],
    accuracy: [67.5, 64.9, 65.9, 65.9, 65.9, 65.2, 65.2],
  },
};

const day = 36_000;
/** How many models of each sort take turns. */
const copies = 3;
const sorts: readonly (readonly Row[])[] = [models.video, models.object, models.scene, models.face];
/** Positions of the knees of figure 4: SVD at 512 and 256, A1, SVD at 256 and 512, D12. */
const knees = [3, 1, 2, 12];

function catalogWith(which: keyof typeof published): Catalog {
  const segments = new Map<string, Catalog['segments'][number]>();
  const requests = Array.from({length: copies * sorts.length}, (_, i) => {
    const sort = i % sorts.length;
    const rows = sorts[sort]!;
    const chosen = which === 'all' ? rows : [rows[which === 'best' ? knees[sort]! : 0]!];
    return {
      ...{name: `model${i}`, tasks: [{name: `model${i}`}], rate: 1 / (copies * sorts.length)},
      variants: chosen.map(row => {
        const id = `model${i}/${row.id}`;
        segments.set(id, {id, bytes: Math.round(row.megabytes * 1e6), loadEnergy: row.loadJoules});
        return {
          id,
          accuracy: [row.accuracy],
          device: {energy: row.deviceJoules, latency: row.deviceMilliseconds, segments: [id]},
        };
      }),
    };
  });
  return readCatalog({schema: 1, name: `figure11-${which}`, segments: [...segments.values()], requests});
}

/** A request per second; each asks for another model than the one before with the given probability. */
const switching = (chance: number): Trace => ({
  *[Symbol.iterator]() {
    const dice = random(11);
    const count = copies * sorts.length;
    let kind = 0;
    for (let time = 1; time <= day; time++) {
      if (dice.unit() < chance) kind = (kind + 1 + dice.below(count - 1)) % count;
      yield {time, kind, up: true};
    }
  },
});

/** Megabytes of full models that miss, per request: they are loaded one after the other, the last used stay. */
function loadRateOf(chance: number): number {
  const problem = problemOf(catalogWith('original'));
  const limits = {energy: Number.POSITIVE_INFINITY, money: 0, data: 0, memory: 600e6};
  let bytes = 0;
  let requests = 0;
  simulate({
    ...{problem, setting: {limits, day, idle: 0}, policy: policies['device-only'], trace: switching(chance)},
    watch({paged}) {
      requests++;
      for (const s of paged.loaded) bytes += problem.segments[s]!.bytes;
    },
  });
  return bytes / 1e6 / requests;
}

export type Paging = {readonly name: string; readonly rows: readonly (readonly [string, readonly number[]])[]};

/** At all load rates of the figure, or one of them. */
export function figure11(only?: number): readonly Paging[] {
  const whole = loadRateOf(1);
  const isWanted = (_: unknown, i: number): boolean => only === undefined || loadRates[i] === only;
  const chances = loadRates.filter(isWanted).map(rate => Math.min(1, rate / whole));
  const run = (which: keyof typeof published, policy: Policy) => {
    const problem = problemOf(catalogWith(which));
    const limits = {energy: 72_000, money: 0, data: 0, memory: 600e6};
    return chances.map(chance => {
      const {served, requests, accuracy, used} = simulate({
        problem,
        setting: {limits, day, idle: 0},
        policy,
        trace: switching(chance),
      });
      const answered = requests - served.none;
      return {served: answered / requests, joules: used.energy / answered, accuracy: (accuracy * requests) / answered};
    });
  };
  const sections = [
    ['original', 'original', policies['device-only']],
    ['best', 'best', policies['device-only']],
    ['all, mcdnn', 'all', policies.mcdnn],
    ['all, dnnc', 'all', policies.dnnc],
  ] as const;
  return sections.map(([name, which, policy]) => {
    const results = run(which, policy);
    const paper = published[which];
    return {
      name,
      rows: [
        ['load rate, MB/request', chances.map(loadRateOf)],
        ['served: paper', paper.served.filter(isWanted)],
        ['served: ours', results.map(({served}) => served)],
        ['J/request: paper', paper.joules.filter(isWanted)],
        ['J/request: ours', results.map(({joules}) => joules)],
        ['accuracy: paper', paper.accuracy.filter(isWanted)],
        ['accuracy: ours', results.map(({accuracy}) => accuracy)],
      ],
    };
  });
}
