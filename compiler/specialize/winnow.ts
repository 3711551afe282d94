/** The cascade for a context, and where specialization can pay at all: random contexts of n classes with a share of requests. */
import {frequenciesIn} from '../../runtime/index.js';
import type {Context} from '../context.js';
import {type Both, bothUnder, chooseThreshold, type Goal, macsOf, type Pool, poolOf, speedOf, tradeAt} from './cascade.js';
import type {Seen, Stage} from './stage.js';

/** A stage with its scores on samples that no stage was fitted to, and maybe on others, to check what these promise. */
export type Candidate = {readonly stage: Stage; readonly tune: Seen; readonly evaluate: Seen | null};

/** Parts from 0 to 1; `speed` is how many times cheaper than the general network alone. */
type Reached = {readonly accuracy: number; readonly alone: number; readonly macs: number; readonly speed: number};

export type Plan = Reached & {readonly first: Stage; readonly threshold: number; readonly pool: Pool};

/** Accuracy of the general network: as it is, and corrected by the context's prior. */
type General = {readonly raw: number; readonly corrected: number};

export type Planned = General & {
  /** The one that the goal asks for, if it is cheaper than the general network. */
  readonly best: Plan | null;
  /** The same on the samples for checking; the general network's own figures where there is no cascade. */
  readonly measured: (General & Reached) | null;
};

/** Classes that a stage has never seen are no business of its own, and few of a context's other requests may have them. */
const mayServe = ({lacks}: Stage, {classes, share}: Context): boolean =>
  lacks.length === 0 || (share >= 0.95 && !lacks.some(c => classes.includes(c)));

/** Random contexts that say what to expect of one of their size. */
const poolDraws = 24;

/** Remembers what random contexts say, for each size and share. `general` is the last stage of all cascades. */
export type Planner = {plan(context: Context): Planned};

export function planner(general: Candidate, firsts: readonly Candidate[], {reference, wanted}: Goal): Planner {
  const {classes} = general.tune;
  const there = classesToDraw(general.tune.labels);
  const pools = new Map<string, Pool>();
  const last = [general.stage, general.tune] as const;
  const worth = ({accuracy, speed}: Plan): number => ('speed' in wanted ? accuracy : speed);

  function poolFor({stage, tune}: Candidate, context: Context): Pool {
    const key = `${stage.id} ${context.classes.length} ${context.share}`;
    const known = pools.get(key);
    if (known) return known;
    const size = Math.min(context.classes.length, there.length);
    const pool = poolOf(drawContexts(there, size, context.share, poolDraws, 'pool'), [stage, tune], last, reference);
    pools.set(key, pool);
    return pool;
  }

  function planFrom(candidate: Candidate, context: Context): Plan | null {
    const {stage: first, tune} = candidate;
    const frequencies = frequenciesIn(context.classes, context.share, classes);
    const both = bothUnder(frequencies, [first, tune], last, reference);
    const pool = poolFor(candidate, context);
    const trade = chooseThreshold(
      threshold => tradeAt(threshold, both, frequencies, {of: pool, context}),
      wanted,
      ({alone}) => speedOf(first, general.stage, alone),
    );
    return trade && {first, threshold: trade.threshold, pool, ...reached(first, general.stage, trade)};
  }

  return {
    plan(context) {
      const best = firsts
        .filter(({stage}) => mayServe(stage, context))
        .flatMap(candidate => planFrom(candidate, context) ?? [])
        .filter(({speed}) => speed > 1)
        .reduce<Plan | null>((a, b) => (a && worth(a) >= worth(b) ? a : b), null);
      const first = firsts.find(({stage}) => stage === best?.first) ?? general;
      const onTune = generalIn(context, general.stage, general.tune);
      if (!general.evaluate || !first.evaluate) return {best, ...onTune, measured: null};
      const frequencies = frequenciesIn(context.classes, context.share, classes);
      const both = bothUnder(frequencies, [first.stage, first.evaluate], [general.stage, general.evaluate], reference);
      const checked = generalIn(context, general.stage, general.evaluate);
      const found = best
        ? reached(best.first, general.stage, tradeAt(best.threshold, both, frequencies))
        : {accuracy: checked.corrected, alone: 0, macs: general.stage.macs, speed: 1};
      return {best, ...onTune, measured: {...checked, ...found}};
    },
  };
}

const reached = (first: Stage, last: Stage, {accuracy, alone}: Pick<Reached, 'accuracy' | 'alone'>): Reached => ({
  ...{accuracy, alone},
  macs: macsOf(first, last, alone),
  speed: speedOf(first, last, alone),
});

function generalIn({classes: inside, share}: Context, stage: Stage, seen: Seen): General {
  const frequencies = frequenciesIn(inside, share, seen.classes);
  const accuracyOf = (both: Both): number => tradeAt(2, both, frequencies).reference;
  const [raw, corrected] = (['raw', 'corrected'] as const).map(way =>
    accuracyOf(bothUnder(frequencies, [stage, seen], [stage, seen], way)),
  );
  return {raw: raw!, corrected: corrected!};
}

/** So few samples of a class say little of it. */
export const fewSamples = 10;

/** Classes that random contexts are drawn from: those with enough samples, or all where these are fewer than three. */
export function classesToDraw(labels: readonly number[]): readonly number[] {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const known = [...counts.keys()].sort((a, b) => a - b);
  const enough = known.filter(label => counts.get(label)! >= fewSamples);
  return enough.length > 2 ? enough : known;
}

/** The same ones in every run; only classes out of `there`. */
export function drawContexts(
  there: readonly number[],
  n: number,
  share: number,
  draws: number,
  purpose: 'pool' | 'grid',
): readonly Context[] {
  return Array.from({length: draws}, (_, draw) => {
    const random = uniform(1000 * n + draw + (purpose === 'pool' ? 500 : 0));
    const rest = [...there];
    return {classes: Array.from({length: n}, () => rest.splice(Math.floor(random() * rest.length), 1)[0]!), share};
  });
}

/** Numbers from 0 to 1, from a counter that is hashed (the finalizer of MurmurHash3). */
function uniform(seed: number): () => number {
  let counter = Math.imul(seed, 0x9e3779b1);
  return () => {
    counter = (counter + 0x6d2b79f5) | 0;
    let hash = counter;
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
  };
}

export type Cell = {readonly classes: number; readonly share: number; readonly draws: readonly Planned[]};

const gridClasses = [2, 3, 5, 7, 10] as const;
const gridShares = [0.6, 0.7, 0.8, 0.9, 0.95] as const;

/** All cells of the grid, for contexts that leave at least one class out. `labels`: of the samples for tuning. */
export function winnow({plan}: Planner, labels: readonly number[], draws = 10): readonly Cell[] {
  const there = classesToDraw(labels);
  return gridClasses
    .filter(n => n < there.length)
    .flatMap(n =>
      gridShares.map(share => ({
        ...{classes: n, share},
        draws: drawContexts(there, n, share, draws, 'grid').map(plan),
      })),
    );
}
