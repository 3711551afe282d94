/** Samples that layers are fitted to, and others that tell how good the fit is. */
import type {Entry, TypedArray} from '../../runtime/index.js';
import type {Dataset} from '../data/dataset.js';
import {forEachSample, spread} from '../quantize/samples.js';

export type Samples = {readonly fit: readonly TypedArray[]; readonly held: readonly TypedArray[]};

/** Every so many samples one is held out. */
const heldEvery = 5;

/** Errors: those of `spread` and `forEachSample`. */
export function samplesFor(entry: Entry, data: Dataset, count: number, progress: (done: number) => void): Samples {
  const all: TypedArray[] = [];
  forEachSample(entry, data, spread(data, count), (_, input) => all.push(input.slice()), progress);
  const isHeld = (i: number): boolean => i % heldEvery === heldEvery - 1;
  return {fit: all.filter((_, i) => !isHeld(i)), held: all.filter((_, i) => isHeld(i))};
}
