/** `dnnc build`: models to C, weights, libraries and a manifest. */
import {type Command, Option} from 'commander';
import {fail} from '../../ir/diagnostics.js';
import {print} from '../../ir/print.js';
import type {Granularity} from '../../ir/segments.js';
import type {PassReport} from '../../passes/framework/manager.js';
import {build} from '../build.js';
import type {Labelled} from '../data/dataset.js';
import {dataPath, openLabelled} from '../data-flags.js';
import {debugObserver} from '../debug.js';
import {openAsked} from '../energy/asked.js';
import {targetsNamed} from '../host.js';
import {printJson, progress} from '../output.js';
import {exact} from '../pipeline.js';
import {applyRecipes} from '../recipes/apply.js';
import {retarget} from '../retarget/index.js';
import {resolveTasks, type Task} from '../tasks.js';
import {tune} from '../tune.js';
import {document, tell} from './build-report.js';
import {type CatalogFlags, checkCatalog, runCatalog, withCatalog} from './catalog.js';
import {
  collect,
  commaList,
  type JsonFlag,
  type ModelFlags,
  type TuneFlag,
  withJson,
  withModelOptions,
  withTune,
} from './options.js';
import {checkRecipes, looksAtSamples, type RecipeFlags, recipeOptions, samplesOf, withLabels, withRecipes} from './recipes.js';

type Flags = ModelFlags &
  RecipeFlags &
  CatalogFlags &
  TuneFlag &
  JsonFlag & {
    readonly output?: string;
    readonly name?: string;
    readonly target: readonly string[];
    readonly weights: string;
    readonly measure: boolean;
    readonly share: 'exact' | 'retarget' | 'off';
    readonly cuts: Granularity;
    readonly evaluate: readonly string[];
    readonly calibrate: readonly string[];
    readonly fit: readonly string[];
    readonly balance?: boolean;
    readonly profile: readonly string[];
    readonly dumpIrAfter?: string;
  };

export function defineBuild(program: Command): void {
  const command = program
    .command('build')
    .description('compiles ONNX models to a folder with C, weights, libraries and a manifest')
    .argument('[model.onnx...]', 'one or more models; each is a task')
    .option('-o, --output <DIR>', 'where to (default: dnnc-out/NAME)')
    .option('--name <NAME>', 'name of the module: prefix of files and C symbols')
    .option('--target <T[,T]>', 'native, or one of those of dnnc targets (default: native)', commaList, [])
    .option('--weights <blob|c>', 'weights as a file or as a C array', 'blob')
    .addOption(
      new Option(
        '--share <WHAT>',
        "what models compute alike once; also new heads of other tasks on the first one's network; or each for itself",
      )
        .choices(['exact', 'retarget', 'off'])
        .default('exact'),
    )
    .addOption(
      new Option('--cuts <WHERE>', 'where code is cut into segments: where tasks part, or everywhere')
        .choices(['shared', 'all'])
        .default('shared'),
    )
    .option('--evaluate <[TASK=]DATA>', 'labelled data: accuracy goes into the manifest; repeatable', collect, [])
    .option('--fit <[TASK=]DATA>', 'labelled data that --share retarget fits heads to; repeatable', collect, [])
    .option('--balance', 'classes count alike in these fits, however many samples each has')
    .option(
      '--calibrate <[TASK=]DATA>',
      'data not trained on: samples for --recipe; with labels it makes probabilities honest; repeatable',
      collect,
      [],
    )
    .option(
      '--profile <NAME|FILE>',
      'model energy and price for a device or cloud of dnnc profiles, or a file; rapl measures here; repeatable',
      collect,
      [],
    )
    .option('--no-measure', 'do not time the variants on this machine')
    .option('--dump-ir-after <PASS|all|changed>', 'print the IR after passes, on standard error');
  withJson(withTune(withCatalog(withRecipes(withModelOptions(command))))).action(runBuild);
}

async function runBuild(models: readonly string[], flags: Flags): Promise<void> {
  const started = performance.now();
  const weights = weightsOf(flags);
  checkCatalog(flags);
  if (!flags.catalog) checkRecipes(flags);
  const {name: configured, profiles: theirs, tasks} = resolveTasks({models, tasks: flags.task, config: flags.config});
  const name = flags.name ?? configured ?? tasks[0]!.name;
  const countsLoss = flags.catalog || flags.maxLoss !== undefined;
  const evaluate = labelledData(tasks, flags.evaluate, countsLoss ? task => task.evaluate : () => null);
  const samples = flags.catalog || looksAtSamples(flags) ? samplesOf(tasks, flags.calibrate) : null;
  const asked = openAsked([...theirs, ...flags.profile]);
  // Samples for recipes need no labels; without one that looks at them they are there for their labels.
  const labelled = samples ? withLabels(samples) : labelledData(tasks, flags.calibrate);
  const calibrate = flags.calibrate.length === 0 ? new Map<string, Labelled>() : labelled;
  const fit = labelledData(tasks, flags.fit);
  const observe = dumping(flags.dumpIrAfter);
  const show = progress();
  const share = flags.share !== 'off';
  const tuning = flags.tune
    ? await tune(tasks, {prefer: flags.prefer, bind: flags.bind, share, progress: show}).finally(show.done)
    : null;
  const common = {
    directory: flags.output ?? `dnnc-out/${name}`,
    ...{name, weights, share, calibrate, observe, progress: show},
    targets: targetsNamed(flags.target.length === 0 ? ['native'] : flags.target),
    ...{cuts: flags.cuts, prefer: flags.prefer, measure: flags.measure, ...asked},
    ...(tuning && {chooser: tuning.chooser}),
  };
  if (flags.catalog) return runCatalog(tasks, {evaluate, calibrate: samples ?? new Map(), fit}, flags, common, show);
  const retargeting =
    flags.share === 'retarget'
      ? await retarget(tasks, {fit, bind: flags.bind, balance: flags.balance ?? false, progress: show}).finally(show.done)
      : null;
  const recipes =
    flags.recipe.length > 0
      ? await applyRecipes(tasks, {
          ...recipeOptions(flags),
          calibrate: samples ?? new Map(),
          evaluate,
          bind: flags.bind,
          ...{share, measure: flags.measure},
          progress: show,
        }).finally(show.done)
      : null;
  const built = await build(tasks, {
    ...common,
    ...{bind: flags.bind, evaluate},
    ...(retargeting && {extend: retargeting.extend}),
    ...recipes,
  }).finally(show.done);
  const seconds = (performance.now() - started) / 1000;
  if (flags.json)
    printJson({
      ...document(built, built.compiled.module, tasks, seconds, tuning),
      ...(recipes && {recipes: recipes.recipes}),
      ...(retargeting && {retargeted: retargeting.heads, missing: Object.fromEntries(retargeting.missing)}),
    });
  else
    tell(built, seconds, {
      tuning,
      retargeting,
      recipes: recipes?.recipes ?? [],
      asked,
    });
}

/** Errors: usage build.weights. */
function weightsOf({weights}: Flags): 'blob' | 'c' {
  if (weights === 'blob' || weights === 'c') return weights;
  return fail('usage', 'build.weights', weights, 'is neither blob nor c', '--weights blob or --weights c');
}

/** Data that was asked for, opened before anything is built: a wrong path is said at once. */
function labelledData(tasks: readonly Task[], flags: readonly string[], configured: (task: Task) => string | null = () => null) {
  return new Map(
    tasks.flatMap(task => {
      const path = dataPath(flags, task, configured(task));
      return path === null ? [] : [[task.name, {path, data: openLabelled(path, task, undefined)}] as const];
    }),
  );
}

function dumping(what: string | undefined): (report: PassReport) => void {
  const known = ['all', 'changed', ...new Set(exact.map(pass => pass.name))];
  if (what !== undefined && !known.includes(what))
    fail('usage', 'build.dump', what, 'is not a pass', `one of ${known.join(', ')}`);
  const debug = debugObserver();
  return report => {
    debug(report);
    const wanted = what === 'all' || what === report.pass.name || (what === 'changed' && report.changed);
    if (wanted)
      process.stderr.write(
        `// after ${report.pass.name}${report.changed ? '' : ' (nothing changed)'}\n${print(report.module)}\n`,
      );
  };
}
