/** What the stream is asked: four questions about road signs, compiled, cut, and specialized to what this stream mostly shows. */
import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, renameSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {Manifest} from 'dnnc/runtime';
import type {Profile} from 'dnnc/schedule';
import {npz, splits} from '../signs/data.js';
import {context, share} from './frames.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
export const cli = fileURLToPath(new URL('../../compiler/main.js', import.meta.url));

/** Runs `dnnc`, what it says on standard error. When it fails it has said why, and so does the exit code. */
function dnnc(...args: readonly string[]): void {
  process.stderr.write(`$ dnnc ${args.join(' ')}\n`);
  const {status, error} = spawnSync(process.execPath, [cli, ...args], {cwd: root, stdio: ['ignore', 2, 2]});
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** Builds what is not there yet, in about a minute; a folder that is there is taken as it is. */
export function buildOnce(directory = join(root, 'dnnc-out', 'stream')): string {
  const done = join(directory, 'manifest.json');
  if (existsSync(done)) return directory;
  const data = `${directory}-data`;
  mkdirSync(data, {recursive: true});
  const draw = (split: keyof typeof splits, count: number): string => {
    const file = join(data, `${split}.npz`);
    if (!existsSync(file)) writeFileSync(file, npz({seed: splits[split], count}));
    return file;
  };
  const [evaluate, calibrate, fit, tune] = [
    draw('evaluate', 400),
    draw('calibrate', 200),
    draw('fit', 1000),
    draw('tune', 500),
  ] as const;
  // Specialized in a folder beside: one that is half done is never taken for whole.
  const partial = `${directory}.partial`;
  const models = ['number=sign-number', 'number=number-compact', 'shape=sign-shape', 'colour=sign-colour', 'weather=weather'];
  const tasks = models.map(each => each.replace('=', '=examples/signs/models/')).flatMap(each => ['--task', `${each}.onnx`]);
  const config = ['--config', 'examples/signs/dnnc.config.json', '--cuts', 'all', '--name', 'signs'];
  dnnc('build', ...tasks, ...config, '--evaluate', evaluate, '--calibrate', calibrate, '-o', partial);
  for (const [task, classes] of Object.entries(context))
    dnnc(
      ...(['specialize', partial, '--task', task, '--classes', classes.join(','), '--share', `${share}`] as const),
      ...(['--data', fit, '--tune', tune] as const),
    );
  renameSync(partial, directory);
  return directory;
}

/** Watts while it computes, and milliseconds within which it must answer. */
export type Device = {readonly watts?: number; readonly latency?: number};

export type Rates = {readonly sign: number; readonly sky: number};

/**
 * A device that computes slowly and sends cheaply, such as a camera with a microcontroller, and a price list: models, not measurements.
 * `sky` is asked less often. Tasks that the build lacks are left out.
 */
export function profileOf({tasks}: Manifest, {sign, sky}: Rates, {watts, latency}: Device = {}): Profile {
  const has = ({name}: {readonly name: string}): boolean => Object.hasOwn(tasks, name);
  const limit = latency === undefined ? {} : {latencyLimit: latency};
  const requests = [
    {
      ...{name: 'sign', rate: sign, ...limit},
      tasks: [
        {name: 'shape', share},
        {name: 'colour', share},
        {name: 'number', weight: 2, share},
      ].filter(has),
    },
    {name: 'sky', rate: sky, ...limit, tasks: [{name: 'weather'}].filter(has)},
  ].filter(request => request.tasks.length > 0);
  return {
    ...{schema: 1, name: 'camera', requests},
    device: {joulesPerGmac: 1.5, millisecondsPerGmac: 200, loadJoulesPerMegabyte: 0.05, ...(watts !== undefined && {watts})},
    link: {joulesPerMegabyte: 0.04, joulesPerRequest: 0.0005, milliseconds: 20},
    cloud: {dollarsPerHour: 0.65, millisecondsPerGmac: 2},
  };
}
