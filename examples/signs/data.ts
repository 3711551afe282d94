/**
 * Endless sets of rendered signs. Image number n of a seed is always the same, whatever the count. As a command:
 *
 *   node build/examples/signs/data.js --count 1000 --seed 7 --out evaluate.npz [--skew number=50,70:0.9]
 *
 * Splits are ranges of seeds: evaluate 1..99, calibrate 100..199, tune 200..299, fit from 1000.
 */
import {realpathSync, writeFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {Command} from 'commander';
import {zipSync} from 'fflate';
import {size} from './canvas.js';
import {random} from './random.js';
import {drawLabels, renderSign} from './render.js';
import {type Labels, type Task, taskNames, tasks} from './tasks.js';

/** The usual seed of every split. */
export const splits = {evaluate: 7, calibrate: 107, tune: 207, fit: 1007} as const;

/** Of a task's labels, `share` are of `classes` (equally often); the rest are of the other classes. */
export type Skew = {readonly task: Task; readonly classes: readonly string[]; readonly share: number};
export type Wanted = {readonly seed: number; readonly count: number; readonly skew?: Skew};
export type Example = {readonly image: Uint8Array; readonly labels: Labels};

export function* dataset({seed, count, skew}: Wanted): Generator<Example, void, undefined> {
  const skewed = skew && skewer(skew);
  for (let index = 0; index < count; index++) {
    const dice = random(seed, index);
    const drawn = drawLabels(dice);
    const labels = skewed ? skewed(drawn, dice.unit(), dice.unit()) : drawn;
    yield {image: renderSign(labels, dice.below(0x100000000) | 0), labels};
  }
}

function skewer({task, classes, share}: Skew): (labels: Labels, which: number, member: number) => Labels {
  const all: readonly string[] = tasks[task];
  const often = classes.map(name => all.indexOf(name));
  const rare = all.map((_, label) => label).filter(label => !often.includes(label));
  if (often.includes(-1)) throw new RangeError(`${task} has classes ${all.join(', ')}; skew names ${classes.join(', ')}`);
  if (!(share >= 0 && share <= 1)) throw new RangeError(`share ${share} is not in 0..1`);
  if ((share > 0 && !often.length) || (share < 1 && !rare.length)) throw new RangeError(`share ${share} needs a class to draw`);
  return (labels, which, member) => {
    const from = which < share ? often : rare;
    return {...labels, [task]: from[Math.floor(member * from.length)] ?? labels[task]};
  };
}

/** A .npy file: magic, version 1.0, a Python dictionary padded so that data starts at a multiple of 64, data. */
function npy(descr: '|u1' | '<i4', shape: readonly number[], data: Uint8Array): Uint8Array {
  const dictionary = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
  const length = Math.ceil((10 + dictionary.length + 1) / 64) * 64;
  const text = `${dictionary.padEnd(length - 11)}\n`;
  const file = new Uint8Array(length + data.length);
  file.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length & 255, text.length >> 8]);
  file.set(new TextEncoder().encode(text), 10);
  file.set(data, length);
  return file;
}

/** An .npz file with x (N, 48, 48, 3) of bytes and y_shape, y_colour, y_number, y_weather of 32-bit integers. */
export function npz(wanted: Wanted): Uint8Array {
  const {count} = wanted;
  const images = new Uint8Array(count * size * size * 3);
  const columns = taskNames.map(task => ({task, view: new DataView(new ArrayBuffer(4 * count))}));
  let index = 0;
  for (const {image, labels} of dataset(wanted)) {
    images.set(image, index * image.length);
    for (const {task, view} of columns) view.setInt32(4 * index, labels[task], true);
    index++;
  }
  const answers = columns.map(({task, view}) => [`y_${task}.npy`, npy('<i4', [count], new Uint8Array(view.buffer))] as const);
  // Noise does not compress: stored, with a fixed date, so that equal arguments give equal files.
  return zipSync(
    {'x.npy': npy('|u1', [count, size, size, 3], images), ...Object.fromEntries(answers)},
    {level: 0, mtime: '2020-01-01'},
  );
}

function parseSkew(text: string): Skew {
  const match = /^(\w+)=(.+):([\d.]+)$/.exec(text);
  const task = taskNames.find(name => name === match?.[1]);
  if (!match?.[2] || !task)
    throw new RangeError(`--skew ${text}: write it as number=50,70:0.9; tasks are ${taskNames.join(', ')}`);
  return {task, classes: match[2].split(','), share: Number(match[3])};
}

function main(): void {
  const options = new Command('data.js')
    .description('Writes rendered road signs as .npz')
    .requiredOption('--out <file>', 'the .npz file to write')
    .option('--count <n>', 'images', Number, 1000)
    .option('--seed <n>', 'evaluate 1..99, calibrate 100..199, tune 200..299, fit from 1000', Number, splits.evaluate)
    .option('--skew <task=classes:share>', 'class frequencies of one task, such as number=50,70:0.9', parseSkew)
    .parse()
    .opts<{out: string; count: number; seed: number; skew?: Skew}>();
  const {out, count, seed, skew} = options;
  if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed))
    throw new RangeError('--count and --seed are whole numbers');
  writeFileSync(out, npz(skew ? {seed, count, skew} : {seed, count}));
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  }
}
