/** `dnnc specialize`: cheaper answers for a while in which a few classes hold most requests. */
import {type Command, Option} from 'commander';
import {fail} from '../../ir/diagnostics.js';
import type {Task as ManifestTask} from '../../runtime/manifest.js';
import {parseContext} from '../context.js';
import type {Labelled} from '../data/dataset.js';
import {openLabelled} from '../data-flags.js';
import {open} from '../open.js';
import {printJson, progress, say, table} from '../output.js';
import {type Specialized, specialize} from '../specialize/index.js';
import type {Task} from '../tasks.js';
import {commaList, type JsonFlag, withJson} from './options.js';

type Flags = JsonFlag & {
  readonly task?: string;
  readonly classes: readonly string[];
  readonly share: number;
  readonly data: string;
  readonly tune?: string;
  readonly evaluate?: string;
  readonly labelsKey?: string;
  readonly loss: number;
  readonly faster?: number;
  readonly reference: 'corrected' | 'raw';
  readonly balance?: boolean;
  readonly grid?: boolean;
  readonly refit?: boolean;
};

export function defineSpecialize(program: Command): void {
  const command = program
    .command('specialize')
    .description('adds early exits, and a cascade for requests of which a few classes hold most, to a build')
    .argument('<DIR>', 'what dnnc build wrote, best with --cuts all')
    .option('--task <T>', 'which task (default: the only one)')
    .option('--classes <C,C>', 'labels or output indices of the classes that hold most requests', commaList, [])
    .option('--share <P>', 'how much of the requests they hold', part, 0.9)
    .requiredOption('--data <DATA>', 'labelled samples that heads are fitted to')
    .option('--tune <DATA>', 'labelled samples that no network has seen, for thresholds (default: a third of --data)')
    .option('--evaluate <DATA>', 'labelled samples for accuracies, and to check what is promised')
    .option('--labels-key <NAME>', 'the array of labels in an .npz (default: y_TASK, or y)')
    .option('--loss <POINTS>', 'accuracy that the cascade may lose, in percentage points', points, 0.5)
    .option('--faster <N>', 'instead: the most accurate cascade that is at least so many times cheaper', times)
    .addOption(
      new Option('--reference <WHAT>', 'against what: the general network corrected by the same prior, or as it is')
        .choices(['corrected', 'raw'])
        .default('corrected'),
    )
    .option('--balance', 'classes count alike in fits, however many samples each has')
    .option('--refit', 'also tell what heads of the context and "other" would reach at each cut, as in the paper')
    .option('--grid', 'also tell where specialization pays: random contexts of 2 to 10 classes that hold 60 to 95%');
  withJson(command).action(run);
}

const part = (text: string): number => within(text, 'share', 0, 1);
const points = (text: string): number => within(text, 'loss', 0, 100);
const times = (text: string): number => within(text, 'faster', 1, 1000);

function within(text: string, what: string, low: number, high: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= low && value <= high) return value;
  return fail('usage', `specialize.${what}`, text, `is not a number from ${low} to ${high}`, `--${what} ${high / 2}`);
}

async function run(directory: string, flags: Flags): Promise<void> {
  if (flags.classes.length === 0 && !flags.grid)
    fail('usage', 'specialize.classes', directory, 'was given no classes', '--classes A,B, or --grid to see where it pays');
  const {manifest, tasks} = await open([directory], {task: [], bind: new Map()});
  const name = flags.task ?? onlyTask(Object.keys(manifest.tasks));
  const known = manifest.tasks[name];
  if (!known)
    return fail('usage', 'specialize.task', name, 'is no task of this build', `one of ${Object.keys(manifest.tasks).join(', ')}`);
  const context = flags.classes.length === 0 ? null : parseContext(`${flags.classes.join(',')}@${flags.share}`, known);
  const task = tasks.find(each => each.name === name)!;
  const labelled = (path: string): Labelled => ({path, data: openLabelled(path, task, flags.labelsKey)});
  const show = progress();
  const done = await specialize(directory, {
    ...{task: name, context, grid: flags.grid ?? false, balance: flags.balance ?? false, refit: flags.refit ?? false},
    fit: labelled(flags.data),
    tune: flags.tune === undefined ? null : labelled(flags.tune),
    evaluate: flags.evaluate === undefined ? null : labelled(flags.evaluate),
    goal: {
      reference: flags.reference,
      wanted: flags.faster === undefined ? {loss: flags.loss / 100} : {speed: flags.faster},
    },
    progress: show,
  }).finally(show.done);
  if (flags.json) printJson(document(done, task, flags));
  else tell(done, known, flags);
}

const onlyTask = (names: readonly string[]): string =>
  names.length === 1
    ? names[0]!
    : fail('usage', 'specialize.task', names.join(', '), 'are several tasks', 'name one with --task');

const percent = (value: number): number => Number((100 * value).toFixed(2));

function document({candidates, planned, variant, stream, grid, refitted}: Specialized, {name}: Task, flags: Flags) {
  const variants = candidates.exits.map(({variant: exit, fitted, bytes}) => ({
    variant: exit.id,
    accuracy: candidates.manifest.variants.find(({id}) => id === exit.id)!.quality!.value,
    ...{macs: exit.macs, bytes: bytes.byteLength, seconds: fitted.seconds, lambda: fitted.lambda, heldOut: fitted.heldOut},
  }));
  const estimates = variant?.cascade?.estimates ?? [];
  return {
    ...{task: name, classes: flags.classes, variants, missing: candidates.missing},
    cascade: estimates.map(({share, accuracy, macs, alone}) => ({share, accuracy, expectedMacs: macs, alone})),
    ...(planned && {general: {raw: percent(planned.raw), corrected: percent(planned.corrected)}}),
    ...(variant && {chosen: {variant: variant.id, first: variant.cascade!.first, threshold: variant.cascade!.threshold}}),
    ...(planned?.measured && {
      evaluated: {
        accuracy: percent(planned.measured.accuracy),
        expectedMacs: Math.round(planned.measured.macs),
        raw: percent(planned.measured.raw),
        corrected: percent(planned.measured.corrected),
      },
    }),
    ...(stream && {stream}),
    ...(flags.refit && {refitted: refitted.map(({macs, ...each}) => ({...each, expectedMacs: macs}))}),
    ...(flags.grid && {
      grid: grid.map(({classes, share, draws}) => ({
        ...{classes, share},
        draws: draws.map(({best, raw, corrected, measured}) => ({
          ...{raw: percent(raw), corrected: percent(corrected)},
          best: best && {
            ...{first: best.first.id, threshold: best.threshold, speed: Number(best.speed.toFixed(3))},
            accuracy: percent(best.accuracy),
          },
          measured: measured && {
            ...{speed: Number(measured.speed.toFixed(3)), accuracy: percent(measured.accuracy)},
            ...{raw: percent(measured.raw), corrected: percent(measured.corrected)},
          },
        })),
      })),
    }),
  };
}

function tell(done: Specialized, {labels, labelOffset = 0}: ManifestTask, flags: Flags): void {
  const {candidates, planned, variant, stream} = done;
  const named = (c: number): string => labels?.[c - labelOffset] ?? `${c}`;
  if (candidates.missing.length > 0)
    say(
      `warning: ${flags.data} has no sample of ${candidates.missing.map(named).join(', ')}; exits will not serve contexts with them\n`,
    );
  const rows = candidates.exits.map(({variant: exit, place, fitted, bytes}) => [
    exit.id,
    place.cut.id,
    `${((100 * exit.macs) / candidates.general.stage.macs).toFixed(1)}%`,
    `${candidates.manifest.variants.find(({id}) => id === exit.id)!.quality!.value.toFixed(2)}%`,
    `${(bytes.byteLength / 1024).toFixed(1)} kB`,
    `${fitted.seconds.toFixed(2)} s`,
  ]);
  if (rows.length > 0) say(table([['exit', 'cut', 'MACs', 'accuracy', 'file', 'fitted in'], ...rows]));
  else say('no exits: the task has no cuts (build it with --cuts all)');
  if (planned) tellCascade(done, flags);
  if (variant && stream) {
    const [alone = 0, cascade = 1] = stream.milliseconds;
    say(
      `${stream.requests} such requests, ms each: ${cascade} instead of ${alone} (${(alone / cascade).toFixed(2)} times faster, measured)`,
    );
  }
  if (done.refitted.length > 0) say(`\nrefitted to these classes and "other", as in the paper:\n${refitTable(done)}`);
  if (flags.grid) say(`\n${gridTable(done)}`);
}

function tellCascade({planned, variant, candidates}: Specialized, flags: Flags): void {
  const {best, raw, corrected, measured} = planned!;
  say(`\nthe general network in this context: ${percent(raw)}%, corrected by the prior ${percent(corrected)}%`);
  if (!best || !variant?.cascade) {
    const missed =
      flags.faster === undefined ? `is cheaper and loses at most ${flags.loss} points` : `is ${flags.faster} times cheaper`;
    say(`no cascade ${missed}: use the prior alone`);
    return;
  }
  const {estimates, first, threshold} = variant.cascade;
  say(`${variant.id}: ${first} where it is ${threshold} sure, else ${candidates.general.stage.id}`);
  const rows = estimates.map(({share, accuracy, macs, alone}) => [
    `${(100 * share).toFixed(0)}%`,
    `${accuracy.toFixed(2)}%`,
    `${(macs / 1e6).toFixed(2)} M`,
    `${(100 * alone).toFixed(0)}%`,
  ]);
  say(table([['share', 'accuracy', 'MACs', 'answered early'], ...rows]));
  if (measured)
    say(
      `on ${flags.evaluate}: ${percent(measured.accuracy)}% with ${(measured.macs / 1e6).toFixed(2)} M MACs (general ${percent(measured.raw)}%, corrected ${percent(measured.corrected)}%)`,
    );
}

const refitTable = ({refitted}: Specialized): string =>
  table([
    ['cut', 'accuracy', 'MACs', 'answered early'],
    ...refitted.map(({cut, accuracy, macs, alone}) => [
      cut,
      `${accuracy.toFixed(2)}%`,
      `${(macs / 1e6).toFixed(2)} M`,
      `${(100 * alone).toFixed(0)}%`,
    ]),
  ]);

/** Means over the draws: how many times cheaper, and accuracy; of the evaluation where there is one. */
function gridTable({grid}: Specialized): string {
  const shares = [...new Set(grid.map(({share}) => share))];
  const sizes = [...new Set(grid.map(({classes}) => classes))];
  const cell = (classes: number, share: number): string => {
    const draws = grid.find(each => each.classes === classes && each.share === share)?.draws ?? [];
    const reached = draws.map(({best, measured, corrected}) => measured ?? best ?? {speed: 1, accuracy: corrected});
    const mean = (of: (value: {speed: number; accuracy: number}) => number): number =>
      reached.reduce((sum, value) => sum + of(value), 0) / reached.length;
    return `${mean(({speed}) => speed).toFixed(2)}x ${(100 * mean(({accuracy}) => accuracy)).toFixed(1)}%`;
  };
  return table([
    ['classes', ...shares.map(share => `${(100 * share).toFixed(0)}% of requests`)],
    ...sizes.map(classes => [`${classes}`, ...shares.map(share => cell(classes, share))]),
  ]);
}
