/** `dnnc build --catalog`: every variant worth having, found by search. */
import {type Command, Option} from 'commander';
import {fail} from '../../ir/diagnostics.js';
import {runPasses} from '../../passes/framework/manager.js';
import type {Attempt} from '../catalog/attempt.js';
import {buildCatalog, type CatalogBuildOptions, type CatalogBuilt} from '../catalog/build.js';
import {announceUse, evict, mostBytes} from '../catalog/evict.js';
import type {Tried} from '../catalog/log.js';
import {startQueue} from '../catalog/queue/send.js';
import {here, type Show, type Workers} from '../catalog/runner.js';
import {openStore, type Store} from '../catalog/store.js';
import {startWorkers} from '../catalog/workers.js';
import type {Labelled} from '../data/dataset.js';
import {targetsNamed} from '../host.js';
import {loadTasks} from '../load.js';
import {bytesText, type Progress, printJson, say, table, timeText, warning} from '../output.js';
import {exact} from '../pipeline.js';
import type {Task} from '../tasks.js';
import {document} from './build-report.js';
import {type JsonFlag, type ModelFlags, positive} from './options.js';
import type {RecipeFlags} from './recipes.js';

export type CatalogFlags = {
  readonly catalog?: boolean;
  readonly workers?: number;
  readonly queue?: string;
  readonly store?: string;
  readonly balance?: boolean;
};

type Flags = CatalogFlags & ModelFlags & RecipeFlags & JsonFlag;

export const withCatalog = (command: Command): Command =>
  command
    .option('--catalog', 'search for all variants worth having: smaller, narrower, on shared trunks; keeps the Pareto front')
    .addOption(
      new Option('--workers <N>', 'local processes that make and measure variants for --catalog (default: 1)').argParser(
        positive,
      ),
    )
    .option('--queue <redis://HOST:PORT>', 'variants for --catalog are made and measured by dnnc work processes, on any machines')
    .option(
      '--store <http://HOST:PORT>',
      'the dnnc store that these have in common (default: one of this build, for this machine)',
    );

/** Points that variants may lose where nothing is said. */
const usualLoss = 2;

/** What a catalog looks at, by task. */
export type CatalogData = Readonly<Record<'evaluate' | 'calibrate' | 'fit', ReadonlyMap<string, Labelled>>>;

/** Errors: usage catalog.recipe, catalog.share, catalog.queue. */
export function checkCatalog({catalog, recipe, share, workers, queue, store}: Flags & {readonly share: string}): void {
  const needs = (flag: string, other: string): never =>
    fail('usage', 'catalog.queue', flag, `has no meaning without ${other}`, `add ${other}, or leave out ${flag}`);
  if (!catalog && workers !== undefined) needs('--workers', '--catalog');
  if (!catalog && queue !== undefined) needs('--queue', '--catalog');
  if (queue === undefined && store !== undefined) needs('--store', '--queue');
  if (!catalog) return;
  if (queue !== undefined && workers !== undefined)
    fail(
      'usage',
      'catalog.queue',
      '--queue',
      'jobs go to a queue or to local processes',
      'leave out --workers; dnnc work has it',
    );
  if (recipe.length > 0)
    fail('usage', 'catalog.recipe', '--recipe', 'a catalog chooses its recipes itself', 'leave out --recipe, or --catalog');
  if (share === 'retarget')
    fail(
      'usage',
      'catalog.share',
      '--share retarget',
      'a catalog tries new heads wherever there is --fit DATA',
      'leave out --share',
    );
}

export async function runCatalog(
  tasks: readonly Task[],
  data: CatalogData,
  flags: Flags,
  options: CatalogBuildOptions,
  show: Progress,
): Promise<void> {
  const started = performance.now();
  const most = mostBytes();
  const store = openStore();
  const release = announceUse(store.folder);
  const state = {tried: 0, held: 0, left: 0};
  const doing: Show = what => show(`${state.tried} variants tried, ${state.held} hold, ${leftText(state, started)}: ${what}`);
  const workers = await workersOf(flags, store, doing, show);
  const {evaluate, calibrate, fit} = data;
  const built = await buildCatalog(
    tasks,
    {
      ...{evaluate, calibrate, fit, store, bind: flags.bind, balance: flags.balance ?? false},
      ...{method: flags.calibration, maxLoss: flags.maxLoss ?? usualLoss},
      profiles: options.profiles ?? [],
      target: (options.targets ?? targetsNamed(['native']))[0]!.name,
      run: workers.run,
      tell: (_, {dropped}: Attempt) => {
        state.tried++;
        if (dropped === null) state.held++;
      },
      expect(change) {
        state.left += change;
      },
    },
    options,
  ).finally(async () => {
    await workers.stop();
    show.done();
    release();
  });
  evict(store.folder, store.used, most);
  const seconds = (performance.now() - started) / 1000;
  if (flags.json) printJson(documentOf(built, tasks, flags, options, seconds));
  else tell(built, options.directory, seconds);
}

async function workersOf({workers = 1, queue, store: url}: Flags, store: Store, doing: Show, show: Progress): Promise<Workers> {
  if (queue === undefined) return workers > 1 ? startWorkers(workers, store, doing) : here(store, doing);
  const warn = (says: string): void => {
    show.done();
    warning(says);
  };
  return startQueue(store, {redis: queue, remote: url ?? null, show: doing, warn});
}

/** What there may be still to try takes as long as what has been tried: branches end early, others begin. */
function leftText({tried, left}: {readonly tried: number; readonly left: number}, started: number): string {
  if (tried < 2) return `${left} or more to try`;
  const seconds = ((performance.now() - started) / 1000 / tried) * left;
  return `about ${seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.round(seconds / 60)} min`} left`;
}

function documentOf(
  {manifest, log, reports, built}: CatalogBuilt,
  tasks: readonly Task[],
  {bind}: Flags,
  {directory, name, share}: CatalogBuildOptions,
  seconds: number,
) {
  const module =
    built?.compiled.module ?? runPasses(loadTasks(tasks, {name, bind, ...(share !== undefined && {share})}).module, exact);
  const facts = document({directory, name: manifest.name, manifest}, module, tasks, seconds, null);
  return {...facts, upToDate: built === null, recipes: reports, catalog: log};
}

function tell({log, manifest, built}: CatalogBuilt, directory: string, seconds: number): void {
  const kept = log.tried.filter(each => each.kept);
  say(table([header, ...kept.toSorted(byTaskThenLoss).map(rowOf)]));
  for (const note of log.notes ?? []) say(`note: ${note}`);
  const dropped = log.tried.length - kept.length;
  say(
    `\n${log.tried.length} variants tried, ${kept.length} kept, ${dropped} dropped (why: "catalog" in build.log.json, or dnnc report ${directory})`,
  );
  const made = built ? `in ${timeText(seconds * 1000)}` : 'is up to date';
  say(
    `${directory}/: ${manifest.name}.h, ${manifest.libraries.map(({file}) => file).join(', ')}, manifest.ts and what belongs to them, ${made}`,
  );
}

const header = ['variant', 'accuracy', '95%', 'lost', 'median time', 'to load', 'arena', 'because'];

const byTaskThenLoss = (a: Tried, b: Tried): number =>
  a.task === b.task ? (b.accuracy?.value ?? 0) - (a.accuracy?.value ?? 0) : 0;

function rowOf({task, recipe, accuracy, costs, reason}: Tried): readonly string[] {
  const {value = Number.NaN, interval: [low, high] = [0, 0], loss = 0, error = 0} = accuracy ?? {};
  return [
    ...[`${task}/${recipe}`, `${value.toFixed(2)}%`, `${low.toFixed(1)}-${high.toFixed(1)}`],
    recipe === 'full' ? '' : `${loss.toFixed(2)} +- ${error.toFixed(2)}`,
    ...(costs ? [timeText(costs.p50), bytesText(costs.loadBytes), bytesText(costs.arenaBytes)] : ['-', '-', '-']),
    reason,
  ];
}
