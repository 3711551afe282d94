/** Samples that layers are fitted to, and others that tell how good the fit is. */
import {fail} from '../../ir/diagnostics.js';
import type {Entry, TypedArray} from '../../runtime/index.js';
import type {Dataset} from '../data/dataset.js';
import {forEachSample, spread} from '../quantize/samples.js';

/** Its number says which places of it are looked at. */
export type Sample = {readonly input: TypedArray; readonly number: number};

/** In parts that are alike: one is held out, all others are fitted to, one part after the other. */
export type Samples = {readonly fit: readonly Sample[]; readonly held: readonly Sample[]};

/** How many parts there are. */
export const partsOfSamples = 5;

/** Errors: usage reconstruct.samples; those of `spread` and `forEachSample`. */
export function samplesFor(entry: Entry, data: Dataset, count: number, progress: (done: number) => void): Samples {
  const all: Sample[] = [];
  forEachSample(entry, data, spread(data, count), (_, input) => all.push({input: input.slice(), number: all.length}), progress);
  if (all.length < partsOfSamples)
    fail(
      'usage',
      'reconstruct.samples',
      entry.variant.id,
      `is fitted to ${partsOfSamples} samples at least`,
      '--calibrate DATA with more of them',
    );
  const partAt = (part: number): readonly Sample[] => all.filter(({number}) => number % partsOfSamples === part);
  return {fit: Array.from({length: partsOfSamples - 1}, (_, part) => partAt(part)).flat(), held: partAt(partsOfSamples - 1)};
}
