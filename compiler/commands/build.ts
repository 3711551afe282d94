/** `dnnc build`: models to C, weights, libraries and a manifest. */
import {resolve} from 'node:path';
import {type Command, Option} from 'commander';
import {fail} from '../../ir/diagnostics.js';
import {print} from '../../ir/print.js';
import type {Granularity} from '../../ir/segments.js';
import type {Module} from '../../ir/types.js';
import type {PassReport} from '../../passes/framework/manager.js';
import type {Manifest, Segment} from '../../runtime/manifest.js';
import {type Built, build} from '../build.js';
import {dataPath, openLabelled} from '../data-flags.js';
import {debugObserver} from '../debug.js';
import {targetsNamed} from '../host.js';
import {bytesText, countText, printJson, progress, say, table, timeText} from '../output.js';
import {exact} from '../pipeline.js';
import {type Retargeted, retarget} from '../retarget/index.js';
import {alikeOf, sharedOf} from '../sharing.js';
import {resolveTasks, type Task} from '../tasks.js';
import {type Tuning, tune, tuningFacts, tuningText} from '../tune.js';
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

type Flags = ModelFlags &
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
    readonly dumpIrAfter?: string;
  };

export function defineBuild(program: Command): void {
  const command = program
    .command('build')
    .description('compiles ONNX models to a folder with C, weights, libraries and a manifest')
    .argument('[model.onnx...]', 'one or more models; each is a task')
    .option('-o, --output <DIR>', 'where to (default: dnnc-out/NAME)')
    .option('--name <NAME>', 'name of the module: prefix of files and C symbols')
    .option('--target <T[,T]>', 'native, generic, x86-64-avx2, x86-64-avx512 (default: native)', commaList, [])
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
    .option('--calibrate <[TASK=]DATA>', 'labelled data not trained on: makes probabilities honest; repeatable', collect, [])
    .option('--no-measure', 'do not time the variants on this machine')
    .option('--dump-ir-after <PASS|all|changed>', 'print the IR after passes, on standard error');
  withJson(withTune(withModelOptions(command))).action(runBuild);
}

async function runBuild(models: readonly string[], flags: Flags): Promise<void> {
  const started = performance.now();
  const {weights} = flags;
  if (weights !== 'blob' && weights !== 'c')
    return fail('usage', 'build.weights', weights, 'is neither blob nor c', '--weights blob or --weights c');
  const {name: configured, tasks} = resolveTasks({models, tasks: flags.task, config: flags.config});
  const name = flags.name ?? configured ?? tasks[0]!.name;
  const show = progress();
  const share = flags.share !== 'off';
  const tuning = flags.tune
    ? await tune(tasks, {prefer: flags.prefer, bind: flags.bind, share, progress: show}).finally(show.done)
    : null;
  const retargeting =
    flags.share === 'retarget'
      ? await retarget(tasks, {fit: labelledData(tasks, flags.fit), bind: flags.bind, progress: show}).finally(show.done)
      : null;
  const built = await build(tasks, {
    directory: flags.output ?? `dnnc-out/${name}`,
    name,
    targets: targetsNamed(flags.target.length === 0 ? ['native'] : flags.target),
    weights,
    bind: flags.bind,
    share,
    cuts: flags.cuts,
    prefer: flags.prefer,
    ...(tuning && {chooser: tuning.chooser}),
    ...(retargeting && {extend: retargeting.extend}),
    measure: flags.measure,
    evaluate: labelledData(tasks, flags.evaluate),
    calibrate: labelledData(tasks, flags.calibrate),
    observe: dumping(flags.dumpIrAfter),
    progress: show,
  }).finally(show.done);
  const seconds = (performance.now() - started) / 1000;
  if (flags.json)
    printJson({
      ...document(built, tasks, seconds, tuning),
      ...(retargeting && {retargeted: retargeting.heads, missing: Object.fromEntries(retargeting.missing)}),
    });
  else {
    tell(built, seconds, tuning, retargeting?.heads ?? []);
    for (const [task, classes] of retargeting?.missing ?? []) tellMissing(built.manifest, task, classes);
  }
}

/** Data that was asked for, opened before anything is built: a wrong path is said at once. */
function labelledData(tasks: readonly Task[], flags: readonly string[]) {
  return new Map(
    tasks.flatMap(task => {
      const path = flags.length === 0 ? null : dataPath(flags, task, null);
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

const document = (
  {directory, name, compiled, manifest}: Built,
  tasks: readonly Task[],
  seconds: number,
  tuning: Tuning | null,
) => ({
  directory: resolve(directory),
  name,
  tasks: tasks.map(task => task.name),
  seconds: Number(seconds.toFixed(3)),
  variants: manifest.variants.map(
    ({id, task, recipe, macs, weightBytes, arenaBytes, arenaLowerBound, quality, latency, calibration, splits}) => ({
      task,
      recipe,
      variant: id,
      macs,
      weightBytes,
      arenaBytes,
      arenaLowerBound,
      ...(quality && {quality}),
      ...(calibration && {calibration}),
      ...(splits && {splits}),
      ...(latency && {latency}),
    }),
  ),
  shared: sharedOf(compiled.module),
  alike: alikeOf(compiled.module),
  ...(tuning && {tuning: tuningFacts(tuning)}),
});

function tell(
  {directory, name, loaded, compiled, manifest}: Built,
  seconds: number,
  tuning: Tuning | null,
  retargeted: readonly Retargeted[],
): void {
  for (const [symbol, size] of loaded.bound) say(`symbolic dimension ${symbol} = ${size} (change it with --bind ${symbol}=N)`);
  const rows = manifest.variants.map(variant => {
    const latency = Object.values(variant.latency ?? {})[0];
    return [
      variant.id,
      `${countText(variant.macs)}`,
      bytesText(variant.weightBytes),
      bytesText(variant.loadBytes),
      bytesText(variant.arenaBytes),
      bytesText(variant.arenaLowerBound),
      latency ? timeText(latency.p50) : '-',
    ];
  });
  say(table([['variant', 'MACs', 'weights', 'packed', 'arena', 'at least', 'median time'], ...rows]));
  tellSharing(compiled.module);
  tellCuts(manifest);
  tellRetargeted(retargeted, manifest);
  if (tuning) say(`\n${tuningText(tuning)}`);
  say(
    `\n${directory}/: ${name}.h, ${manifest.libraries.map(library => library.file).join(', ')}, manifest.ts and what belongs to them, in ${timeText(seconds * 1000)}`,
  );
}

/** Which tasks compute what together, and which nearly could. */
function tellSharing(module: Module): void {
  const [shared, alike] = [sharedOf(module), alikeOf(module)];
  if (shared.length + alike.length > 0) say('');
  for (const {tasks, cut, macs, weightBytes} of shared)
    say(`${tasks.join(', ')} share ${countText(macs)} MACs and ${bytesText(weightBytes)} of weights, up to ${cut}`);
  for (const {tasks, macs, distance} of alike)
    say(
      `${tasks.join(' and ')} have ${countText(macs)} MACs of equal layers with weights ${(100 * distance).toFixed(1)}% apart: not shared`,
    );
}

/** New heads on the first task's network, with what they know: on samples held out of the fit, and on evaluation data. */
function tellRetargeted(heads: readonly Retargeted[], {variants}: Manifest): void {
  if (heads.length === 0) return;
  const rows = heads.map(({task, recipe, cut, grid, lambda, trunkMacs, headMacs, heldOut, seconds}) => {
    const quality = variants.find(({id}) => id === `${task}/${recipe}`)?.quality;
    return [
      ...[`${task}/${recipe}`, cut, `${grid}x${grid}`, `${lambda}`, countText(trunkMacs), countText(headMacs)],
      ...[`${heldOut.toFixed(2)}%`, quality ? `${quality.value.toFixed(2)}%` : '-', `${seconds.toFixed(1)} s`],
    ];
  });
  say(`\n${table([['new head', 'at', 'grid', 'L2', 'trunk MACs', 'head MACs', 'held out', 'evaluated', 'fit'], ...rows])}`);
}

function tellMissing({tasks}: Manifest, task: string, classes: readonly number[]): void {
  const {labels, labelOffset = 0} = tasks[task]!;
  const named = classes.map(index => labels?.[index - labelOffset] ?? `${index}`);
  say(`warning: the samples for ${task} have none of ${named.join(', ')}: its new heads never answer so`);
}

/** Where tasks can be cut beyond where they part: what comes before and after, in MACs and time. */
function tellCuts({variants, segments, cuts}: Manifest): void {
  const whole = variants.filter(({recipe}) => recipe === 'full');
  const rows = whole.flatMap(({id, path, splits}) => {
    const own = path.map(each => segments.find(segment => segment.id === each)!);
    const median = ({latency}: Segment): number => Object.values(latency ?? {})[0]?.p50 ?? Number.NaN;
    const sum = (some: readonly Segment[], of: (segment: Segment) => number): number => some.reduce((a, b) => a + of(b), 0);
    const time = (some: readonly Segment[]): string => (Number.isNaN(sum(some, median)) ? '-' : timeText(sum(some, median)));
    return own.flatMap(({to}, i) => {
      if (to === undefined) return [];
      const [before, after] = [own.slice(0, i + 1), own.slice(i + 1)];
      const share = (100 * sum(before, each => each.macs)) / sum(own, each => each.macs);
      const {bytes} = cuts.find(cut => cut.id === to)!;
      const split = splits?.find(({cut}) => cut === to);
      const wire = split
        ? [`${bytesText(split.bytes)} of ${bytesText(split.inputBytes)}`, `${split.quality.value.toFixed(2)}%`]
        : ['-', ''];
      return [[id, to, `${share.toFixed(0)}%`, bytesText(bytes), time(before), time(after), ...wire]];
    });
  });
  if (rows.length > whole.length)
    say(
      `\n${table([['variant', 'cut', 'MACs before', 'tensor', 'time before', 'after', 'sent of input', 'accuracy'], ...rows])}`,
    );
}
