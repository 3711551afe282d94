/** Pictures that come one after the other: drawn, mostly of a few kinds of signs, or from a folder. */
import {readdirSync, readFileSync} from 'node:fs';
import {extname, join} from 'node:path';
import type {Image} from 'dnnc/runtime';
import jpeg from 'jpeg-js';
import {PNG} from 'pngjs';
import {size} from '../signs/canvas.js';
import {type Random, random} from '../signs/random.js';
import {drawLabels, renderSign} from '../signs/render.js';
import {type Labels, type Task, tasks} from '../signs/tasks.js';

/** What most signs of this road are like. */
export const context = {
  shape: ['circle', 'triangle'],
  colour: ['red', 'white'],
  number: ['50', '70', 'none'],
} as const satisfies Partial<Record<Task, readonly string[]>>;

/** How many of the pictures show it, question by question. */
export const share = 0.9;

/** What there is to see, where it is known. */
export type Frame = {readonly image: Image; readonly labels: Labels | null};

/** Endless; the same seed gives the same pictures. */
export function* drawn(seed: number, skewed = true): Generator<Frame, never> {
  for (let index = 0; ; index++) {
    const dice = random(seed, index);
    const any = drawLabels(dice);
    const labels = skewed
      ? Object.entries(context).reduce((before, [task, often]) => usual(before, task as Task, often, dice), any)
      : any;
    const data = renderSign(labels, dice.below(0x100000000) | 0);
    yield {image: {width: size, height: size, channels: 3, data}, labels};
  }
}

function usual(labels: Labels, task: Task, often: readonly string[], {unit, below}: Random): Labels {
  const all: readonly string[] = tasks[task];
  const from = unit() < share ? often : all.filter(name => !often.includes(name));
  return {...labels, [task]: all.indexOf(from[below(from.length)]!)};
}

/** All PNG and JPEG files of a folder by name, again and again. Throws RangeError where there are none. */
export function* fromFolder(folder: string): Generator<Frame, never> {
  const files = readdirSync(folder)
    .filter(file => /^\.(png|jpe?g)$/i.test(extname(file)))
    .sort();
  if (files.length === 0) throw new RangeError(`${folder} has no .png or .jpg files`);
  for (let index = 0; ; index++) {
    const file = files[index % files.length]!;
    const bytes = readFileSync(join(folder, file));
    const {width, height, data} = /png$/i.test(file) ? PNG.sync.read(bytes) : jpeg.decode(bytes, {useTArray: true});
    yield {image: {width, height, channels: 4, data: new Uint8Array(data)}, labels: null};
  }
}
