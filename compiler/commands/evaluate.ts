/** `dnnc evaluate`: accuracy of each variant, with a 95% interval. */
import type {Command} from 'commander';
import {fail} from '../../ir/diagnostics.js';
import {findConfig} from '../config.js';
import {dataPath, openLabelled, requiredData} from '../data-flags.js';
import {accuracyOf} from '../evaluate-variant.js';
import {type Opened, open} from '../open.js';
import {printJson, progress, say, table} from '../output.js';
import {resolveTasks, type Task} from '../tasks.js';
import {collect, type JsonFlag, type ModelFlags, withJson, withModelOptions} from './options.js';

type Flags = ModelFlags &
  JsonFlag & {readonly data: readonly string[]; readonly labelsKey?: string; readonly variant?: string; readonly target?: string};

export function defineEvaluate(program: Command): void {
  const command = program
    .command('evaluate')
    .description('accuracy of each variant on labelled data')
    .argument('<DIR|model.onnx...>', 'what dnnc build wrote, or models')
    .option('--data <[TASK=]DATA>', 'a folder with one sub-folder per class, or an .npz with x and y; repeatable', collect, [])
    .option('--labels-key <NAME>', 'the array of labels in an .npz (default: y_TASK, or y)')
    .option('--variant <ID>', 'only this variant')
    .option('--target <T>', 'which library to run (default: the best for this CPU)');
  withJson(withModelOptions(command)).action(evaluate);
}

async function evaluate(paths: readonly string[], flags: Flags): Promise<void> {
  const show = progress();
  const opened = await open(paths, {...flags, progress: show}).finally(show.done);
  const tasks = tasksWithData(opened, flags);
  const results = opened.manifest.variants
    .filter(variant => flags.variant === undefined || variant.id === flags.variant)
    .flatMap(variant => {
      const task = tasks.find(({name}) => name === variant.task);
      if (!task) return [];
      const path = requiredData(dataPath(flags.data, task, task.evaluate), task, '--data');
      const data = openLabelled(path, task, flags.labelsKey);
      const accuracy = accuracyOf(opened.session.entry(variant.task, variant.id), data, done =>
        show(`${variant.id}: ${done} of ${data.count}`),
      );
      show.done();
      return [{task: variant.task, variant: variant.id, metric: 'top1' as const, ...accuracy}];
    });
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
    const rows = results.map(({variant, value, interval, correct, n}) => [
      variant,
      `${value.toFixed(2)}%`,
      `[${interval[0]}, ${interval[1]}]`,
      `${correct} of ${n}`,
    ]);
    say(table([['variant', 'top-1', '95% interval', 'correct'], ...rows]));
  }
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
