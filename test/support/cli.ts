/** The command line as users run it, and a small network for it. */
import {execFile} from 'node:child_process';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {npz, splits} from '../../examples/signs/data.js';
import {seeded} from '../../ir/parse.js';
import type {Manifest} from '../../runtime/manifest.js';
import {attribute, modelBytes, node, valueInfo} from './onnx-bytes.js';

export const cli = fileURLToPath(new URL('../../compiler/main.js', import.meta.url));

export type Outcome = {readonly code: number; readonly stdout: string; readonly stderr: string};
export type CliOptions = {readonly cwd?: string; readonly env?: Readonly<Record<string, string | undefined>>};

/** Runs `dnnc`; never throws. */
export const dnnc = (args: readonly string[], {cwd, env}: CliOptions = {}): Promise<Outcome> =>
  new Promise(resolve => {
    const options = {cwd, env: {...process.env, ...env}, encoding: 'utf8' as const, maxBuffer: 1 << 26};
    execFile(process.execPath, [cli, ...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({code, stdout, stderr});
    });
  });

export const weights = (name: string, dims: readonly number[], seed: number) => {
  const count = dims.reduce((n, d) => n * d, 1);
  const values = Float32Array.from(seeded(seed, count, true), value => value / 4);
  return {name, dims: [...dims], dataType: 1, rawData: new Uint8Array(values.buffer)};
};

/** Pixels (1, 3, 48, 48) -> a convolution of stride 4, Relu, mean over the image, five logits. */
export const tinyModel = (seed = 0): Uint8Array =>
  modelBytes({
    name: 'tiny',
    input: [valueInfo('pixels', [1, 3, 48, 48])],
    output: [valueInfo('logits', [1, 5])],
    initializer: [
      ...[weights('w', [8, 3, 4, 4], seed + 1), weights('b', [8], seed + 2)],
      ...[weights('v', [5, 8], seed + 3), weights('c', [5], seed + 4)],
    ],
    node: [
      node('Conv', ['pixels', 'w', 'b'], ['h'], {name: 'see', attribute: [attribute('strides', {type: 7, ints: [4, 4]})]}),
      node('Relu', ['h'], ['r'], {name: 'bend'}),
      node('GlobalAveragePool', ['r'], ['m'], {name: 'mean'}),
      node('Flatten', ['m'], ['f'], {name: 'flat'}),
      node('Gemm', ['f', 'v', 'c'], ['logits'], {name: 'judge', attribute: [attribute('transB', {type: 2, i: 1})]}),
    ],
  });

const config = {
  name: 'tiny',
  tasks: {
    weather: {
      model: 'tiny.onnx',
      output: 'logits',
      labels: ['clear', 'rain', 'fog', 'night', 'snow'],
      input: {channels: 'rgb', mean: [127.5], std: [127.5], dataLayout: 'NHWC', resize: 'bilinear'},
      evaluate: 'evaluate.npz',
      labelsKey: 'y_weather',
    },
  },
};

/** A folder with tiny.onnx and its dnnc.config.json, which names evaluate.npz beside them. */
export function writeTiny(folder: string): void {
  mkdirSync(folder, {recursive: true});
  writeFileSync(join(folder, 'tiny.onnx'), tinyModel());
  writeFileSync(join(folder, 'dnnc.config.json'), JSON.stringify(config));
}

/** The only JSON document on standard output; throws where there is anything else. */
export const documentOf = <T>({stdout}: Outcome): T => JSON.parse(stdout) as T;

export const textOf = (...path: readonly string[]): string => readFileSync(join(...path), 'utf8');

export type WeatherBuild = {readonly outcome: Outcome; readonly manifest: () => Manifest};

/** The example's network for weather under recipes, built into `weather` of a folder, with samples and a cache of its own there. */
export async function buildWeather(folder: string, samples: number, recipes: readonly string[]): Promise<WeatherBuild> {
  const at = (name: string): string => join(folder, name);
  writeFileSync(at('calibrate.npz'), npz({seed: splits.calibrate, count: samples}));
  writeFileSync(at('tune.npz'), npz({seed: splits.tune, count: 150}));
  const outcome = await dnnc(
    [
      ...['build', '--task', 'weather=examples/signs/models/weather.onnx', '--config', 'examples/signs/dnnc.config.json'],
      ...['--target', 'generic', '--no-measure', '-o', at('weather'), '--json'],
      ...['--calibrate', at('calibrate.npz'), '--evaluate', at('tune.npz'), ...recipes.flatMap(name => ['--recipe', name])],
    ],
    {env: {XDG_CACHE_HOME: at('cache')}},
  );
  return {outcome, manifest: () => JSON.parse(readFileSync(at('weather/manifest.json'), 'utf8')) as Manifest};
}
