/**
 * One picture with the labels asked for, as raw bytes (.rgb) or .png:
 *
 *   node build/examples/signs/picture.js --out sign.png --shape circle --colour red --number 70 --weather rain --seed 3
 */
import {writeFileSync} from 'node:fs';
import {Command} from 'commander';
import {PNG} from 'pngjs';
import {size} from './canvas.js';
import {renderSign} from './render.js';
import {type Task, taskNames, tasks} from './tasks.js';

function labelOf(task: Task, name: string): number {
  const all: readonly string[] = tasks[task];
  const label = all.indexOf(name);
  if (label < 0) throw new RangeError(`--${task} ${name}: is none of ${all.join(', ')}`);
  return label;
}

function png(image: Uint8Array): Uint8Array {
  const picture = new PNG({width: size, height: size});
  for (let at = 0; at < size * size; at++) picture.data.set([...image.subarray(3 * at, 3 * at + 3), 255], 4 * at);
  return PNG.sync.write(picture, {colorType: 2});
}

const command = new Command('picture.js')
  .description('Draws one road sign')
  .requiredOption('--out <file>', 'the .rgb or .png file to write')
  .option('--shape <name>', tasks.shape.join(', '), 'circle')
  .option('--colour <name>', tasks.colour.join(', '), 'red')
  .option('--number <name>', tasks.number.join(', '), '50')
  .option('--weather <name>', tasks.weather.join(', '), 'clear')
  .option('--seed <n>', 'of everything else', Number, 1)
  .parse();
const options = command.opts<Readonly<Record<Task | 'out', string>> & {readonly seed: number}>();
try {
  const [shape = 0, colour = 0, number = 0, weather = 0] = taskNames.map(task => labelOf(task, options[task]));
  const image = renderSign({shape, colour, number, weather}, options.seed);
  writeFileSync(options.out, options.out.endsWith('.png') ? png(image) : image);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
