/** Flags that several commands share, and how their values are read. */
import {type Command, InvalidArgumentError, Option} from 'commander';
import type {Preference} from '../../codegen/kernels/ways.js';

export const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export const commaList = (value: string, before: readonly string[]): readonly string[] => [
  ...before,
  ...value.split(',').filter(Boolean),
];

/** NAME=N, for `--bind`. */
export function binding(value: string, before: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const match = /^(.+)=(\d+)$/.exec(value);
  if (!match || Number(match[2]) < 1) throw new InvalidArgumentError('it must be NAME=N with N at least 1');
  return new Map([...before, [match[1]!, Number(match[2])]]);
}

export function positive(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('it must be a positive whole number');
  return number;
}

/** A number of percentage points, for `--max-loss`. */
export function points(value: string): number {
  const number = Number(value);
  if (value.trim() === '' || !(number >= 0 && number <= 100)) throw new InvalidArgumentError('it must be a number from 0 to 100');
  return number;
}

export const withModelOptions = (command: Command): Command =>
  command
    .option('--task <NAME=FILE[:OUTPUT]>', 'names a task; repeatable', collect, [])
    .option('--config <FILE>', 'labels, input preparation and data of the tasks (default: dnnc.config.json beside the models)')
    .addOption(
      new Option('--prefer <WHAT>', 'what kernels are chosen for: time, or small weights')
        .choices(['speed', 'size'] satisfies Preference[])
        .default('speed'),
    )
    .option('--bind <NAME=N>', 'size of a symbolic dimension (default: 1); repeatable', binding, new Map<string, number>());

export const withTune = (command: Command): Command =>
  command.option('--tune', 'choose kernels by timing them on this machine (remembered), not by a cost model');

export const withJson = (command: Command): Command => command.option('--json', 'print one JSON document and nothing else');

export type ModelFlags = {
  readonly task: readonly string[];
  readonly config?: string;
  readonly bind: ReadonlyMap<string, number>;
  readonly prefer: Preference;
};
export type TuneFlag = {readonly tune?: boolean};
export type JsonFlag = {readonly json?: boolean};

/** Until Ctrl-C, or whoever manages processes, asks for an end. */
export const untilInterrupted = (): Promise<void> =>
  new Promise(resolve => {
    process.once('SIGINT', () => resolve()).once('SIGTERM', () => resolve());
  });
