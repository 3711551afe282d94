/**
 * A catalog: what is worth having of all variants of the tasks. Every candidate is made and measured by jobs that are kept by content
 * (`jobs.ts`), those on the Pareto front of each task go into one build, and the log tells of all that was tried.
 */
import {fail} from '../../ir/diagnostics.js';
import type {Labelled} from '../data/dataset.js';
import type {DeviceProfile} from '../energy/profile.js';
import type {RecipeReport} from '../recipes/report.js';
import {wilson} from '../statistics.js';
import type {Task} from '../tasks.js';
import type {Attempt} from './attempt.js';
import {headsOf, trunksOf} from './heads.js';
import type {Run} from './jobs.js';
import {judge} from './judge.js';
import type {CatalogLog, Tried} from './log.js';
import {type Root, refOf, rootOf} from './roots.js';
import {type SearchOptions, search} from './search.js';
import type {Store} from './store.js';

export type CatalogOptions = {
  /** Percentage points of right answers that a variant may lose against `full`. */
  readonly maxLoss: number;
  /** Labelled samples by task, of every task. */
  readonly evaluate: ReadonlyMap<string, Labelled>;
  /** Samples by task that networks were not trained on; labels are not looked at. */
  readonly calibrate: ReadonlyMap<string, Labelled>;
  /** Labelled samples by task to fit heads on the first task's networks to; none: no heads are tried. */
  readonly fit: ReadonlyMap<string, Labelled>;
  /** As for `retarget`. */
  readonly balance: boolean;
  /** How ranges are chosen: `min-max`, `percentile:99.99`, `mse`. */
  readonly method: string;
  /** Whose times count. */
  readonly target: string;
  /** Devices whose energy, as they model it, counts among the costs. */
  readonly profiles: readonly DeviceProfile[];
  /** Sizes of symbolic dimensions. */
  readonly bind: ReadonlyMap<string, number>;
  readonly store: Store;
  readonly run: Run;
  readonly tell?: (task: string, attempt: Attempt) => void;
  /** As in `SearchOptions`. */
  readonly expect?: (change: number) => void;
};

export type Found = {
  /** Each with the networks that are kept as its others: what `build` takes. */
  readonly tasks: readonly Task[];
  readonly log: CatalogLog;
  /** Of variants that are kept. */
  readonly reports: readonly RecipeReport[];
};

/** Errors: usage catalog.evaluate; check catalog.nothing, which names the nearest variant; and those of the jobs. */
export async function findVariants(tasks: readonly Task[], options: CatalogOptions): Promise<Found> {
  const {maxLoss, bind, store} = options;
  for (const {name} of tasks)
    if (!options.evaluate.has(name))
      fail(
        'usage',
        'catalog.evaluate',
        name,
        'accuracy is measured on labelled samples',
        `--evaluate DATA or --evaluate ${name}=DATA`,
      );
  const roots = tasks.map(task => rootOf(task, bind, store));
  const settings = roots.map(root => settingsOf(root, options));
  const own = await Promise.all(settings.map(search));
  const judgeOf = (i: number, attempts: readonly Attempt[]): readonly Tried[] => {
    const {task, others} = roots[i]!;
    return judge(task.name, attempts, new Set(others.map(({recipe}) => recipe)));
  };
  const kept = judgeOf(0, own[0]!).flatMap(({kept}, i) => (kept ? [own[0]![i]!] : []));
  const trunks = {question: roots[0]!.question, on: trunksOf(kept)};
  const heads = await Promise.all(
    roots.map(({task}, i) => {
      const fit = options.fit.get(task.name);
      if (i === 0 || !fit) return [];
      return headsOf(settings[i]!, own[i]![0]!, {trunks, fit: refOf(fit, task), balance: options.balance});
    }),
  );
  const judged = roots.map(({task}, i) => {
    const attempts = [...own[i]!, ...heads[i]!];
    return {task, attempts, tried: judgeOf(i, attempts)};
  });
  const tried = judged.flatMap(each => each.tried);
  refuseNothing(tried, maxLoss);
  const notes = judged.flatMap(({task, tried}) => fewSamples(task.name, tried[0]!, maxLoss));
  return {
    tasks: judged.map(({task, attempts, tried}) => ({
      ...task,
      others: [
        ...task.others,
        ...attempts.flatMap(({recipe, from, network}, i) =>
          tried[i]!.kept && from !== null && network !== null ? [{recipe, model: store.fileOf(network), output: null}] : [],
        ),
      ],
    })),
    log: {maxLoss, ...(notes.length > 0 && {notes}), tried},
    reports: judged.flatMap(({attempts, tried}) => attempts.flatMap(({reports}, i) => (tried[i]!.kept ? reports : []))),
  };
}

function settingsOf({task, question, network, others}: Root, options: CatalogOptions): SearchOptions {
  const {evaluate, calibrate, method, target, profiles, maxLoss, run, tell = () => {}} = options;
  const {name} = task;
  const [samples, labelled] = [calibrate.get(name), evaluate.get(name)!];
  return {
    ...{question, network, others, evaluate: refOf(labelled, task), samples: samples ? refOf(samples, task) : null},
    ...{method, target, profiles, maxLoss, run},
    tell: attempt => tell(name, attempt),
    ...(options.expect && {expect: options.expect}),
  };
}

/** Errors: check catalog.nothing. */
function refuseNothing(tried: readonly Tried[], maxLoss: number): void {
  if (tried.some(({kept, recipe}) => kept && recipe !== 'full')) return;
  const others = tried.filter(({recipe}) => recipe !== 'full');
  const [nearest] = others.filter(({accuracy}) => accuracy).toSorted((a, b) => a.accuracy!.loss - b.accuracy!.loss);
  const reasons = [...new Set(others.map(({recipe, reason}) => `${recipe} ${reason}`))].join('; ');
  fail(
    'check',
    'catalog.nothing',
    tried[0]!.task,
    nearest
      ? `no variant loses at most ${maxLoss} points and is cheaper; the nearest is ${nearest.task}/${nearest.recipe}, which ${nearest.reason}`
      : `no variant is worth having: ${reasons}`,
    'allow more with --max-loss, or give more samples for --calibrate',
  );
}

/** Where an accuracy is known so badly that losses within the budget cannot be told apart. */
function fewSamples(task: string, {accuracy}: Tried, maxLoss: number): readonly string[] {
  const {n, value} = accuracy!;
  const [low, high] = wilson(Math.round((value * n) / 100), n);
  const half = (high - low) / 2;
  return 100 / n > maxLoss / 2
    ? [
        `${task}: one of ${n} samples is ${(100 / n).toFixed(1)} points, and accuracies are known to ${half.toFixed(1)}: too few to rank variants by`,
      ]
    : [];
}
