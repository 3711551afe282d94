/** `--data`, `--evaluate`, `--calibrate`: DATA for all tasks, or TASK=DATA for one; the configuration's where absent. */
import {existsSync} from 'node:fs';
import {fail} from '../ir/diagnostics.js';
import {type Dataset, openDataset} from './data/dataset.js';
import type {Task} from './tasks.js';

/** The path for a task; null where none was given. */
export function dataPath(flags: readonly string[], task: Task, configured: string | null): string | null {
  const own = flags.find(flag => flag.startsWith(`${task.name}=`) && !existsSync(flag));
  const common = flags.find(flag => existsSync(flag) || !/^[\w.-]+=/.test(flag));
  return own?.slice(task.name.length + 1) ?? common ?? configured;
}

/** The labels of a task: its configured key; else y_<task>, y, or the only y_... that there is. */
export function openLabelled(path: string, task: Task, labelsKey: string | undefined): Dataset {
  const key = labelsKey ?? task.labelsKey ?? undefined;
  if (key !== undefined) return openDataset(path, {labelsKey: key});
  try {
    return openDataset(path, {labelsKey: `y_${task.name}`});
  } catch {
    return openDataset(path);
  }
}

/** Throws `usage` where a task has no data. */
export const requiredData = (path: string | null, task: Task, flag: string): string =>
  path ??
  fail(
    'usage',
    'data.missing',
    task.name,
    'no data was given for this task',
    `${flag} DATA, ${flag} ${task.name}=DATA, or "evaluate" in dnnc.config.json`,
  );
