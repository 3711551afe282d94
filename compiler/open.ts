/** Something to run: a build, or a model that is built into a temporary folder which goes when the process does. */
import {mkdtempSync, readFileSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import type {Chooser, Preference} from '../codegen/kernels/ways.js';
import {fail} from '../ir/diagnostics.js';
import {load, type Manifest, type Session, type Variant} from '../runtime/index.js';
import {logName} from './artifacts.js';
import {type Built, build, requireBuild} from './build.js';
import {requireHere, targetsNamed} from './host.js';
import {resolveTasks, type Task} from './tasks.js';

export type Opened = {
  readonly directory: string;
  readonly manifest: Manifest;
  readonly session: Session;
  /** Where each task's model lies, if it is still there. */
  readonly tasks: readonly Task[];
  /** Symbolic dimensions as they were bound. */
  readonly bound: ReadonlyMap<string, number>;
  /** What a build made just now knows; null for a folder. */
  readonly built: Built | null;
};

export type OpenOptions = {
  readonly task: readonly string[];
  readonly config?: string;
  readonly bind: ReadonlyMap<string, number>;
  readonly prefer?: Preference;
  /** How calls are computed; by default as `prefer` says. */
  readonly chooser?: Chooser;
  readonly target?: string;
  readonly flags?: readonly string[];
  readonly progress?: (doing: string) => void;
};

const temporary = new Set<string>();
process.on('exit', () => {
  for (const folder of temporary) rmSync(folder, {recursive: true, force: true});
});

/** A folder that is removed when the process ends, interrupted or not. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dnnc-'));
  temporary.add(folder);
  return folder;
}

export async function open(paths: readonly string[], options: OpenOptions): Promise<Opened> {
  requireHere(options.target);
  const [first] = paths;
  if (first !== undefined && isFolder(first)) {
    if (paths.length > 1)
      fail('usage', 'open.several', paths.join(' '), 'only one build can be opened', 'name one folder, or only .onnx files');
    return openFolder(first, options);
  }
  const {name, tasks} = resolveTasks({models: paths, tasks: options.task, config: options.config});
  const directory = join(temporaryFolder(), 'build');
  const built = await build(tasks, {
    directory,
    name: name ?? tasks[0]!.name,
    targets: targetsNamed([options.target ?? 'native']),
    weights: 'blob',
    bind: options.bind,
    ...(options.prefer && {prefer: options.prefer}),
    ...(options.chooser && {chooser: options.chooser}),
    measure: false,
    typed: false,
    ...(options.flags && {flags: options.flags}),
    ...(options.progress && {progress: options.progress}),
  });
  const session = load(directory, options.target === undefined || options.target === 'native' ? {} : {target: options.target});
  return {directory, manifest: built.manifest, session, tasks, bound: built.loaded.bound, built};
}

/** Fails where there is nothing at all. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return fail('input', 'file.missing', path, 'there is no such file or folder', 'check the path');
  }
}

function openFolder(directory: string, options: OpenOptions): Opened {
  requireBuild(directory);
  const session = load(directory, options.target === undefined ? {} : {target: options.target});
  const log = JSON.parse(readFileSync(join(directory, logName), 'utf8')) as Partial<Log>;
  const networks = (log.tasks ?? []).map(network => ({...network, model: resolve(directory, network.model)}));
  const tasks = networks.flatMap(({task, recipe, model, output}): readonly Task[] => {
    if (recipe !== undefined) return [];
    const known = session.manifest.tasks[task];
    const input = known?.inputs[0]?.preparation;
    return [
      {
        name: task,
        model,
        output,
        others: networks.flatMap(other => (other.task === task && other.recipe ? [{...other, recipe: other.recipe}] : [])),
        labels: known?.labels ?? null,
        labelOffset: known?.labelOffset ?? 0,
        input: input ? {...input, mean: [...(input.mean ?? [0])], std: [...(input.std ?? [1])]} : null,
        calibrate: null,
        evaluate: null,
        labelsKey: null,
      },
    ];
  });
  return {directory, manifest: session.manifest, session, tasks, bound: new Map(Object.entries(log.bound ?? {})), built: null};
}

/** The ONNX file that a variant comes from; null where it has none of its own. */
export function modelOf({model, others}: Task, {recipe}: Variant): string | null {
  return recipe === 'full' ? model : (others.find(other => other.recipe === recipe)?.model ?? null);
}

type Log = {
  readonly tasks: readonly {
    readonly task: string;
    /** Of another network of the task. */
    readonly recipe?: string;
    readonly model: string;
    readonly output: string | null;
  }[];
  readonly bound: Readonly<Record<string, number>>;
};
