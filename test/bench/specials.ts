/** Networks and samples that specialization and contexts are measured on. */
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, join, resolve} from 'node:path';
import {build} from '../../compiler/build.js';
import {type Labelled, openDataset} from '../../compiler/data/dataset.js';
import {say} from '../../compiler/output.js';
import type {Task} from '../../compiler/tasks.js';

const half = {mean: [127.5], std: [127.5], dataLayout: 'NHWC' as const};
const imagenet = {mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375], dataLayout: 'NHWC' as const};

/** The general network first, paths below `models`. */
export type Special = {
  readonly models: readonly string[];
  readonly data: string;
  readonly labelsKey: string;
  readonly input: Task['input'];
};

export const signs = {data: 'gtsrb32', labelsKey: 'y_sign', input: half};
export const objects = {data: 'cifar10-jpeg', labelsKey: 'y', input: imagenet};
export const sign = 'gtsrb32/gtsrb32_sign_sharedprefix.onnx';
export const compactSign = 'gtsrb32/gtsrb32_sign_compact.onnx';
export const [resnet20, resnet56] = ['cifar10/resnet20_jpegft.onnx', 'cifar10/resnet56_jpegft.onnx'];

/** A folder that goes with the process. */
export function benchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dnnc-bench-'));
  process.on('exit', () => rmSync(folder, {recursive: true, force: true}));
  return folder;
}

/** The folder with models and data that was named; ends the process where it lacks one of these models. */
export function rootOf(given: string | undefined, cases: readonly Special[]): string {
  const root = resolve(given ?? '../shared');
  const missing = cases.flatMap(({models}) => models).find(file => !existsSync(join(root, 'models', file)));
  if (!missing) return root;
  say(`skipped: ${root} has no ${missing}`);
  process.exit(0);
}

/** Builds the networks as variants of the one task `task`, cut everywhere. */
export async function buildSpecial(root: string, {models, input, labelsKey}: Special, directory: string): Promise<void> {
  const [model = '', ...others] = models.map(file => join(root, 'models', file));
  const task: Task = {
    ...{name: 'task', model, output: null, labels: null, labelOffset: 0, input, calibrate: null, evaluate: null, labelsKey},
    others: others.map(file => ({recipe: basename(file, '.onnx'), model: file, output: null})),
  };
  await build([task], {directory, name: 'cascades', cuts: 'all', measure: false, typed: false});
}

export function samplesOf(root: string, {data, labelsKey}: Special): Readonly<Record<'fit' | 'tune' | 'evaluate', Labelled>> {
  const open = (part: string): Labelled => {
    const path = join(root, 'data', `${data}.${part}.npz`);
    return {path, data: openDataset(path, {labelsKey})};
  };
  return {fit: open('fit'), tune: open('tune'), evaluate: open('evaluate')};
}
