/** Which questions a build answers: from the models given, `--task` flags and the configuration. */
import {existsSync} from 'node:fs';
import {basename, resolve} from 'node:path';
import {fail} from '../ir/diagnostics.js';
import {type Config, findConfig, type TaskConfig} from './config.js';
import {isNetworkFile} from './network-file.js';

export type Task = {
  readonly name: string;
  /** Absolute path of the ONNX file. */
  readonly model: string;
  /** Graph output; null: all of them. */
  readonly output: string | null;
  /** Other networks for the same question: each becomes a variant. */
  readonly others: readonly Network[];
  readonly labels: readonly string[] | null;
  readonly labelOffset: number;
  readonly input: NonNullable<TaskConfig['input']> | null;
  /** Absolute paths. */
  readonly calibrate: string | null;
  readonly evaluate: string | null;
  readonly labelsKey: string | null;
};

export type Network = {
  /** The name of its file; of a network file (`isNetworkFile`), what made it. */
  readonly recipe: string;
  readonly model: string;
  readonly output: string | null;
};

export type TaskOptions = {
  readonly models?: readonly string[];
  /** NAME=FILE[:OUTPUT] */
  readonly tasks?: readonly string[];
  /** Default: dnnc.config.json beside the models. */
  readonly config?: string | undefined;
};

export type Tasks = {
  readonly name: string | null;
  readonly tasks: readonly Task[];
  /** Names and absolute paths of the device profiles that the configuration asks for. */
  readonly profiles: readonly string[];
};

/** Throws `usage` and `input` errors. Without a configuration each model is a task that takes the file's name. */
export function resolveTasks({models = [], tasks: flags = [], config: configFile}: TaskOptions): Tasks {
  const flagged = flags.map(parseFlag);
  const files = [...models, ...flagged.map(flag => flag.model)];
  for (const file of files) if (!existsSync(file)) fail('input', 'file.missing', file, 'there is no such file', 'check the path');
  const config = findConfig(configFile, files);
  if (files.length === 0 && config === null)
    fail('usage', 'build.models', 'dnnc', 'no model was given', 'name one or more .onnx files, or --config FILE');
  const configured = config ? Object.entries(config.tasks).map(([name, task]) => fromConfig(name, task, config)) : [];
  const known = (model: string): Task[] => configured.filter(task => task.model === resolve(model));
  const named = grouped(flagged).map(({name, model, output, others}): Task => {
    const same =
      known(model).find(task => task.name === name) ?? known(model).find(task => output === null || task.output === output);
    const task = same ?? plain(name, model);
    return {...task, name, output: output ?? task.output, others: [...task.others, ...others]};
  });
  const others = models.flatMap(model => (known(model).length > 0 ? known(model) : [plain(stemOf(model), model)]));
  const chosen = files.length === 0 ? configured : [...named, ...others];
  const twice = chosen.find((task, i) => chosen.findIndex(other => other.name === task.name) !== i);
  if (twice) fail('usage', 'task.twice', twice.name, 'names two tasks', 'give each its own name with --task NAME=FILE');
  return {name: config?.name ?? null, tasks: chosen, profiles: config ? profilesOf(config) : []};
}

type Flag = {readonly name: string; readonly model: string; readonly output: string | null};

/** A name that is given again adds a network to its task. */
function grouped(flags: readonly Flag[]): readonly (Flag & Pick<Task, 'others'>)[] {
  return flags
    .filter(({name}, i) => flags.findIndex(flag => flag.name === name) === i)
    .map(first => {
      const again = flags.filter(flag => flag !== first && flag.name === first.name);
      const others = again.map(({model, output}) => ({recipe: stemOf(model), model: resolve(model), output}));
      const twice = others.find(({recipe}, i) => others.findIndex(other => other.recipe === recipe) !== i);
      if (twice) fail('usage', 'task.network', twice.recipe, `names two networks of ${first.name}`, 'rename one of the files');
      return {...first, others};
    });
}

const stemOf = (model: string): string => basename(model).replace(/\.onnx$/i, '');

function parseFlag(flag: string): Flag {
  const equals = flag.indexOf('=');
  if (equals < 1) fail('usage', 'task.flag', flag, 'is not NAME=FILE[:OUTPUT]', 'for example --task age=age.onnx:logits');
  const [name, rest] = [flag.slice(0, equals), flag.slice(equals + 1)];
  // A colon belongs to the path where a file of that whole name exists.
  const colon = existsSync(rest) ? -1 : rest.lastIndexOf(':');
  return colon < 0 ? {name, model: rest, output: null} : {name, model: rest.slice(0, colon), output: rest.slice(colon + 1)};
}

const plain = (name: string, model: string): Task => ({
  name,
  model: resolve(model),
  output: null,
  others: [],
  labels: null,
  labelOffset: 0,
  input: null,
  calibrate: null,
  evaluate: null,
  labelsKey: null,
});

const profilesOf = ({profiles = [], folder}: Config): readonly string[] =>
  profiles.map(profile => (profile.endsWith('.json') ? resolve(folder, profile) : profile));

function fromConfig(name: string, task: TaskConfig, {folder}: Config): Task {
  const path = (file: string | undefined): string | null => (file === undefined ? null : resolve(folder, file));
  return {
    name,
    model: resolve(folder, task.model),
    output: task.output ?? null,
    others: (task.others ?? []).map(other => ({recipe: stemOf(other), model: resolve(folder, other), output: null})),
    labels: task.labels ?? null,
    labelOffset: task.labelOffset ?? 0,
    input: task.input ?? null,
    calibrate: path(task.calibrate),
    evaluate: path(task.evaluate),
    labelsKey: task.labelsKey ?? null,
  };
}

/** Names of the files that tasks come from, without folders; what was made of these is not among them. */
export const filesOf = (tasks: readonly Task[]): readonly string[] => {
  const files = tasks.flatMap(({model, others}) => [model, ...others.map(other => other.model)]);
  return [...new Set(files.filter(file => !isNetworkFile(file)).map(file => basename(file)))];
};
