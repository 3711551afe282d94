/** `dnnc evaluate`: accuracy of each variant, with a 95% interval. */
import type {Command} from 'commander';
import {fail} from '../../ir/diagnostics.js';
import {correctionOf, type Entry, frequenciesIn, posterior} from '../../runtime/index.js';

import {findConfig} from '../config.js';
import {accuracyUnder, parseContext} from '../context.js';
import type {Dataset} from '../data/dataset.js';
import {dataPath, openLabelled, requiredData} from '../data-flags.js';
import {type Accuracy, accuracyFrom, labelsOf, largestOf, peerAnswersOf, scoresOf} from '../evaluate-variant.js';
import {openPeer} from '../onnxruntime.js';
import {modelOf, type Opened, open} from '../open.js';
import {printJson, progress, say, table} from '../output.js';
import {type ClassAccuracy, perClass} from '../per-class.js';
import {resolveTasks, type Task} from '../tasks.js';
import {collect, type JsonFlag, type ModelFlags, withJson, withModelOptions} from './options.js';

type Flags = ModelFlags &
  JsonFlag & {
    readonly data: readonly string[];
    readonly labelsKey?: string;
    readonly variant?: string;
    readonly target?: string;
    readonly against?: string;
    readonly context?: string;
    readonly perClass?: boolean;
  };

export function defineEvaluate(program: Command): void {
  const command = program
    .command('evaluate')
    .description('accuracy of each variant on labelled data')
    .argument('<DIR|model.onnx...>', 'what dnnc build wrote, or models')
    .option(
      '--data <[TASK=]DATA>',
      'a folder with one sub-folder per class, an .npz with x and y, or IDX images; repeatable',
      collect,
      [],
    )
    .option('--labels-key <NAME>', 'the array of labels in an .npz (default: y_TASK, or y)')
    .option('--against <PEER>', 'onnxruntime: its accuracy on the same samples, and how many answers agree')
    .option('--per-class', 'accuracy of each class, and what it is taken for')
    .option('--context <C,C@SHARE>', 'accuracy where these classes hold that share of requests: raw, and corrected by that prior')
    .option('--variant <ID>', 'only this variant')
    .option('--target <T>', 'which library to run (default: the best for this CPU)');
  withJson(withModelOptions(command)).action(evaluate);
}

type Result = {readonly task: string; readonly variant: string; readonly metric: 'top1'} & Accuracy & {
    readonly onnxruntime?: Accuracy;
    /** Samples that both give the same class. */
    readonly same?: number;
    readonly context?: InContext;
    readonly classes?: readonly ClassAccuracy[];
  };

/** Percent of right answers where classes come as in the context: by the scores as they are, and under that prior. */
type InContext = {readonly classes: readonly number[]; readonly share: number; readonly raw: number; readonly corrected: number};

async function evaluate(paths: readonly string[], flags: Flags): Promise<void> {
  if (flags.against !== undefined && flags.against !== 'onnxruntime')
    fail('usage', 'evaluate.against', flags.against, 'is not a known peer', '--against onnxruntime');
  const show = progress();
  const opened = await open(paths, {...flags, progress: show}).finally(show.done);
  const tasks = tasksWithData(opened, flags);
  const results: Result[] = [];
  for (const {id, task: name} of opened.manifest.variants) {
    const task = tasks.find(each => each.name === name);
    if (!task || (flags.variant !== undefined && flags.variant !== id)) continue;
    results.push(await evaluateVariant(opened, task, id, flags, doing => show(`${id}: ${doing}`)).finally(show.done));
  }
  if (results.length === 0)
    fail(
      'usage',
      'evaluate.variant',
      flags.variant ?? '',
      'names no variant of this build',
      `one of ${opened.manifest.variants.map(({id}) => id).join(', ')}`,
    );
  if (flags.json) printJson({results});
  else {
    say(tableOf(results));
    for (const {variant, classes} of results) if (classes) say(`\n${variant}\n\n${classTable(classes)}`);
  }
}

async function evaluateVariant(
  opened: Opened,
  task: Task,
  variant: string,
  flags: Flags,
  show: (doing: string) => void,
): Promise<Result> {
  const path = requiredData(dataPath(flags.data, task, task.evaluate), task, '--data');
  const data = openLabelled(path, task, flags.labelsKey);
  const entry = opened.session.entry(task.name, variant);
  const offset = entry.task.labelOffset ?? 0;
  const scores = scoresOf(entry, data, done => show(`${done} of ${data.count}`));
  const answers = scores.map(largestOf);
  const context = flags.context === undefined ? null : inContext(flags.context, entry, scores, data);
  const result = {
    ...{task: task.name, variant, metric: 'top1' as const},
    ...accuracyFrom(answers, data, offset),
    ...(context && {context}),
    ...(flags.perClass && {classes: perClass(entry.task, answers, data)}),
  };
  const model = modelOf(task, entry.variant);
  if (flags.against === undefined || model === null) return result;
  const peer = await openPeer(model);
  const theirs = await peerAnswersOf(peer, entry, data, done => show(`onnxruntime, ${done} of ${data.count}`));
  return {
    ...result,
    onnxruntime: accuracyFrom(theirs, data, offset),
    same: answers.filter((answer, i) => answer === theirs[i]).length,
  };
}

function inContext(text: string, {task, variant}: Entry, scores: readonly (readonly number[])[], data: Dataset): InContext {
  const context = parseContext(text, task);
  const frequencies = frequenciesIn(context.classes, context.share, scores[0]?.length ?? 0);
  const labels = labelsOf(task, data);
  const raw = accuracyUnder(frequencies, scores.map(largestOf), labels);
  // A cascade corrects its scores itself.
  if (variant.cascade) return {...context, raw, corrected: raw};
  const correction = correctionOf(variant.id, task, variant, frequencies);
  return {
    ...context,
    raw,
    corrected: accuracyUnder(
      frequencies,
      scores.map(sample => largestOf(posterior(sample, correction))),
      labels,
    ),
  };
}

function tableOf(results: readonly Result[]): string {
  const withPeer = results.some(({onnxruntime}) => onnxruntime);
  const rows = results.map(({variant, value, interval, correct, n, onnxruntime, same, context}) => [
    variant,
    `${value.toFixed(2)}%`,
    `[${interval[0]}, ${interval[1]}]`,
    `${correct} of ${n}`,
    ...(onnxruntime ? [`${onnxruntime.correct} of ${n}`, `${same} of ${n}`] : []),
    ...(context ? [`${context.raw.toFixed(2)}%`, `${context.corrected.toFixed(2)}%`] : []),
  ]);
  const inContext = results.some(({context}) => context) ? ['in context', 'corrected'] : [];
  return table([
    ['variant', 'top-1', '95% interval', 'correct', ...(withPeer ? ['onnxruntime', 'same answer'] : []), ...inContext],
    ...rows,
  ]);
}

/** What each class is taken for, most often first. */
function classTable(classes: readonly ClassAccuracy[]): string {
  const rows = classes.map(({label, n, correct, value, answers}) => [
    label,
    `${value.toFixed(1)}%`,
    `${correct} of ${n}`,
    answers
      .filter(answer => answer.label !== label)
      .slice(0, 3)
      .map(answer => `${answer.label} (${answer.n})`)
      .join(', '),
  ]);
  return table([['class', 'right', 'correct', 'else taken for'], ...rows]);
}

/** The tasks of a build, with the data that a configuration given now, or beside the models, says. */
function tasksWithData({tasks}: Opened, flags: Flags): readonly Task[] {
  if (
    findConfig(
      flags.config,
      tasks.map(task => task.model),
    ) === null
  )
    return tasks;
  const configured = resolveTasks({models: [], tasks: [], config: flags.config ?? configBeside(tasks)}).tasks;
  return tasks.map(task => configured.find(({name}) => name === task.name) ?? task);
}

const configBeside = (tasks: readonly Task[]): string | undefined =>
  findConfig(
    undefined,
    tasks.map(task => task.model),
  )?.file;
