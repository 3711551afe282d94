/** Pictures that nobody has seen: the generator of ../../signs, in the page. */
import {size} from '../../signs/canvas.js';
import {random} from '../../signs/random.js';
import {drawLabels, renderSign} from '../../signs/render.js';
import {nameOf, type Task, taskNames} from '../../signs/tasks.js';

export type Frame = {
  /** Red, green, blue, opaque. */
  readonly pixels: ImageData;
  /** The class of each task. */
  readonly truth: ReadonlyMap<string, string>;
};

/** Picture number `index` of a seed. */
export function frameOf(seed: number, index: number): Frame {
  const dice = random(seed, index);
  const labels = drawLabels(dice);
  const bytes = renderSign(labels, dice.below(0x100000000) | 0);
  const pixels = new ImageData(size, size);
  for (let i = 0; i < size * size; i++) {
    pixels.data.set(bytes.subarray(3 * i, 3 * i + 3), 4 * i);
    pixels.data[4 * i + 3] = 255;
  }
  return {pixels, truth: new Map(taskNames.map((task: Task) => [task, nameOf(task, labels[task])]))};
}
