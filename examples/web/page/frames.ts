/** Pictures that nobody has seen: the generator of ../../signs, in the page. */
import {size} from '../../signs/canvas.js';
import {random} from '../../signs/random.js';
import {drawLabels, renderSign} from '../../signs/render.js';
import {nameOf, type Task, taskNames} from '../../signs/tasks.js';

/** As a canvas has it, and as `run` takes it: red, green, blue, opaque. */
export type Picture = {
  readonly width: number;
  readonly height: number;
  readonly channels: 4;
  readonly data: Uint8ClampedArray<ArrayBuffer>;
};

export type Frame = {
  readonly picture: Picture;
  /** The class of each task. */
  readonly truth: ReadonlyMap<string, string>;
};

/** Picture number `index` of a seed. */
export function frameOf(seed: number, index: number): Frame {
  const dice = random(seed, index);
  const labels = drawLabels(dice);
  const bytes = renderSign(labels, dice.below(0x100000000) | 0);
  const data = new Uint8ClampedArray(4 * size * size).fill(255);
  for (let i = 0; i < size * size; i++) data.set(bytes.subarray(3 * i, 3 * i + 3), 4 * i);
  return {
    picture: {width: size, height: size, channels: 4, data},
    truth: new Map(taskNames.map((task: Task) => [task, nameOf(task, labels[task])])),
  };
}
