import type {Feature} from '../codegen/kernels/inventory.js';
import {type ConvolutionSize, rankedTiles, type Tile, tiledSize} from '../codegen/kernels/tiles.js';
import {type Chooser, type Preference, preferences, rankedWays, wayedSizes, wayOf} from '../codegen/kernels/ways.js';
import type {Target} from '../codegen/targets/index.js';
import type {Sizes} from '../ir/op.js';
import type {Step} from '../ir/plan.js';
import {keep, recall} from './cache.js';
import {compilerVersion} from './cc.js';
import {type Compiled, compile} from './compile.js';
import {collectHeaders} from './headers.js';
import {cpuModel, targetsNamed} from './host.js';
import {loadTasks} from './load.js';
import type {Task} from './tasks.js';
import {buildTraced, type Traced, timeSteps} from './traced.js';

export type TuneOptions = {
  readonly prefer: Preference;
  /** Sizes of symbolic dimensions. */
  readonly bind: ReadonlyMap<string, number>;
  /** As for `build`. */
  readonly share?: boolean;
  readonly progress?: (doing: string) => void;
};

export type Tuning = {
  readonly chooser: Chooser;
  /** Layers with a choice, and for how many of them something else than the cost models' choice was faster. */
  readonly layers: number;
  readonly changed: number;
  /** What all layers with a choice take, in microseconds: as the cost models chose, and as was found here. */
  readonly modelMicroseconds: number;
  readonly tunedMicroseconds: number;
};

/** Choices by the key of what is chosen for. */
type Found = Omit<Tuning, 'chooser'> & {
  readonly ways: Readonly<Record<string, string>>;
  readonly tiles: Readonly<Record<string, Tile>>;
};

/** A choice must be better by this factor to be taken: less is noise. */
const margin = 0.98;
/** Ranks of the cost models' lists that are tried beyond the first. */
const [wayRanks, tileRanks] = [
  [1, 2],
  [1, 2, 3],
] as const;

const keyOfWay = (sizes: Sizes): string => ['n', 'oh', 'ow', 'kh', 'kw', 'ic', 'oc'].map(name => sizes[name] ?? 1).join(' ');
const keyOfTile = (size: ConvolutionSize, features: readonly Feature[]): string =>
  JSON.stringify([...Object.values(size), ...features]);

/** Builds and times the network some six times, for the best target of this machine. */
export async function tune(tasks: readonly Task[], options: TuneOptions): Promise<Tuning> {
  const [target] = targetsNamed(['native']);
  const base = preferences[options.prefer];
  const ranked = (wayRank: number, tileRank: number): Chooser => ({
    way:
      wayRank === 0 || options.prefer === 'size'
        ? base.way
        : (_contract, sizes, ways) => {
            const list = rankedWays(sizes, ways);
            return list[wayRank] ?? list[0];
          },
    tile: (size, features) => {
      const list = rankedTiles(size, features);
      return list[tileRank] ?? list[0];
    },
  });
  const {module} = loadTasks(tasks, {
    name: 'trial',
    bind: options.bind,
    ...(options.share !== undefined && {share: options.share}),
  });
  const compiled = (chooser: Chooser): Compiled => compile(module, {targets: [target!], sources: [], chooser});
  const first = ranked(0, 0);
  const {hash, texts} = compiled(first);
  const headers = collectHeaders([...texts.values()].flatMap(text => text.headers));
  const key = [cpuModel(), compilerVersion(), hash, ...Array.from(headers, ([, text]) => text)].join('\n');
  const known = foundOf(recall('tune', key));
  if (known) return tuningOf(known, base);
  const ways = options.prefer === 'size' ? [] : wayRanks.map(rank => ranked(rank, 0));
  const tiles = tileRanks.map(rank => ranked(0, rank));
  const different = new Map([first, ...ways, ...tiles].map(chooser => [compiled(chooser).hash, chooser]));
  different.set(hash, first);
  const trials: Trial[] = [];
  for (const chooser of different.values()) trials.push(await trial(tasks, target!, chooser, options, trials.length + 1));
  options.progress?.('timing all trials');
  const found = decide(layersOf(trials, timeSteps(trials), target!.features));
  keep('tune', key, found);
  return tuningOf(found, base);
}

type TrialStep = Step & {readonly entry: number};
type Trial = Traced & {readonly chooser: Chooser; readonly steps: readonly TrialStep[]};

async function trial(
  tasks: readonly Task[],
  target: Target,
  chooser: Chooser,
  {prefer, bind, share = true, progress}: TuneOptions,
  at: number,
): Promise<Trial> {
  const show = (doing: string): void => progress?.(`trial ${at}: ${doing}`);
  const traced = await buildTraced(tasks, {targets: [target], prefer, chooser, bind, share, progress: show});
  const {entries} = traced.built.compiled.plan;
  return {...traced, chooser, steps: entries.flatMap(({steps}, entry) => steps.map(step => ({...step, entry})))};
}

/** How one convolution is computed. */
type Choice = {readonly way: string; readonly tile: Tile};
/** A convolution, by trial; the first is the cost models'. Equal ones have one key, since they must choose alike. */
export type Layer = {
  readonly wayKey: string | null;
  readonly tileKey: string;
  readonly trials: readonly (Choice & {readonly microseconds: number})[];
};

function layersOf(
  trials: readonly Trial[],
  times: readonly (readonly number[])[],
  features: readonly Feature[],
): readonly Layer[] {
  const made = trials.map(({chooser, steps}, at) => {
    const tiled = steps.flatMap(({work, entry, value}, step) => {
      const size = work.kind === 'kernel' ? tiledSize(work) : null;
      if (work.kind !== 'kernel' || !size) return [];
      const choice = {way: wayOf(work), tile: chooser.tile(size, features), microseconds: times[at]![step]!};
      const sizes = wayedSizes(work);
      const wayKey = sizes && keyOfWay(sizes);
      return [[`${entry} ${value}`, {wayKey, tileKey: keyOfTile(size, features), choice}] as const];
    });
    return new Map(tiled);
  });
  return Array.from(made[0] ?? [], ([name, {wayKey, tileKey}]) => ({
    ...{wayKey, tileKey},
    trials: made.map(layers => layers.get(name)!.choice),
  }));
}

/** The fastest choice for each key, where it is better by more than noise. */
export function decide(layers: readonly Layer[]): Found {
  const [ways, tiles] = [new Map<string, string>(), new Map<string, Tile>()];
  const sums = {layers: 0, changed: 0, modelMicroseconds: 0, tunedMicroseconds: 0};
  for (const group of grouped(layers, ({wayKey, tileKey}) => `${wayKey} ${tileKey}`).values()) {
    const [model, best] = modelAndBest(group);
    const {wayKey, tileKey} = group[0]!;
    if (best.way !== model.way && wayKey !== null) ways.set(wayKey, best.way);
    else if (best !== model) tiles.set(tileKey, best.tile);
    sums.layers += group.length;
    sums.changed += best === model ? 0 : group.length;
    sums.modelMicroseconds += model.microseconds;
    sums.tunedMicroseconds += best.microseconds;
  }
  return {...sums, ways: Object.fromEntries(ways), tiles: Object.fromEntries(tiles)};
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

/** What the cost models chose, and what was the fastest; trials that chose alike are one measurement. */
function modelAndBest(group: readonly Layer[]) {
  const totals = group[0]!.trials.map(({way, tile}, at) => ({
    ...{way, tile},
    microseconds: group.reduce((sum, layer) => sum + layer.trials[at]!.microseconds, 0),
  }));
  const alike = grouped(totals, ({way, tile: {mr, nv, panelsOuter}}) => JSON.stringify([way, mr, nv, panelsOuter]));
  const [model, ...others] = Array.from(alike.values(), same => ({
    ...same[0]!,
    microseconds: same.reduce((sum, {microseconds}) => sum + microseconds, 0) / same.length,
  }));
  const best = others.reduce((least, each) => (each.microseconds < least.microseconds ? each : least), model!);
  return [model!, best.microseconds < margin * model!.microseconds ? best : model!] as const;
}

/** Without the function that chooses, for JSON. */
export const tuningFacts = ({layers, changed, modelMicroseconds, tunedMicroseconds}: Tuning) => ({
  ...{layers, changed},
  modelMicroseconds: Number(modelMicroseconds.toFixed(1)),
  tunedMicroseconds: Number(tunedMicroseconds.toFixed(1)),
});

/** In words, with the regret of the cost models: how much longer their choices take. */
export function tuningText({layers, changed, modelMicroseconds, tunedMicroseconds}: Tuning): string {
  const regret = 100 * (modelMicroseconds / tunedMicroseconds - 1);
  return `tuned: ${changed} of ${layers} convolutions are faster otherwise than the cost models chose, whose choices take ${regret.toFixed(1)}% longer`;
}

const tuningOf = (found: Found, base: Chooser): Tuning => ({
  ...found,
  chooser: {
    way: (contract, sizes, ways) => ways.find(way => way === found.ways[keyOfWay(sizes)]) ?? base.way(contract, sizes, ways),
    tile: (size, features) => found.tiles[keyOfTile(size, features)] ?? base.tile(size, features),
  },
});

function foundOf(kept: unknown): Found | null {
  const found = (kept ?? {}) as Partial<Found>;
  const {layers, changed, modelMicroseconds, tunedMicroseconds, ways, tiles} = found;
  const numbers = [layers, changed, modelMicroseconds, tunedMicroseconds].every(each => typeof each === 'number');
  return numbers && ways && tiles ? (found as Found) : null;
}
