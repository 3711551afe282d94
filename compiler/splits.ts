/** What it takes to hand a task over at each of its cuts: bytes over the wire, and accuracy after the way. */
import {deflateRawSync} from 'node:zlib';
import {bytesOfTensor} from '../ir/tensor.js';
import {fromWire, type Session, type TypedArray, toWire} from '../runtime/index.js';
import type {Split, Variant} from '../runtime/manifest.js';
import {alongPath} from './along-path.js';
import type {Dataset, Labelled} from './data/dataset.js';
import {accuracyFrom, largestOf, qualityOf, scoredInput} from './evaluate-variant.js';
import {inputTensor} from './samples.js';

/** Samples whose activations give the range of each tensor, and whose deflated bytes are counted. */
const [forRange, forSize] = [128, 256];

export type SplitOptions = {
  /** Unlabelled use: ranges of activations. */
  readonly calibrate: Dataset;
  readonly evaluate: Labelled;
  readonly progress?: (done: number) => void;
};

/** Cuts of a variant that send less than the input does, the most accurate first; of equals the one that sends least. */
export function splitsOf(session: Session, variant: Variant, {calibrate, evaluate, progress}: SplitOptions): readonly Split[] {
  const {segments, run} = alongPath(session, variant);
  const places = segments.flatMap(({segment}, at) => {
    const cut = session.manifest.cuts.find(({id}) => id === segment.to);
    return cut?.dtype === 'f32' ? [{cut: cut.id, at}] : [];
  });
  const entry = session.entry(variant.task, variant.id);
  const input = scoredInput(entry, evaluate.data);
  const ranges = places.map(() => ({low: 0, high: 0}));
  for (let i = 0; i < Math.min(forRange, calibrate.count); i++)
    run(0, [inputTensor(calibrate.sample(i), input, calibrate.where(i)).data], (at, [made]) => {
      const range = ranges[places.findIndex(place => place.at === at)];
      if (!range) return;
      for (const value of made as Float32Array) {
        range.low = Math.min(range.low, value);
        range.high = Math.max(range.high, value);
      }
    });
  const wires = ranges.map(({low, high}) => ({low, step: Math.max(high - low, Number.EPSILON) / 255}));

  const {data} = evaluate;
  const inputOf = (i: number): readonly TypedArray[] => [inputTensor(data.sample(i), input, data.where(i)).data];
  const sums = places.map(() => 0);
  let inputs = 0;
  const weighed = Math.min(forSize, data.count);
  for (let i = 0; i < weighed; i++) {
    inputs += deflateRawSync(bytesOfTensor(data.sample(i))).byteLength;
    run(0, inputOf(i), (at, [made]) => {
      const k = places.findIndex(place => place.at === at);
      if (k >= 0) sums[k]! += deflateRawSync(toWire(made as Float32Array, wires[k]!)).byteLength;
    });
  }
  const worthwhile = places.flatMap((place, k) => (sums[k]! < inputs ? [{...place, k, answers: [] as number[]}] : []));
  for (let i = 0; i < data.count; i++) {
    if (i % 64 === 0) progress?.(i);
    run(0, inputOf(i), (at, [made]) => {
      const place = worthwhile.find(each => each.at === at);
      if (!place) return;
      const arrived = fromWire(toWire(made as Float32Array, wires[place.k]!), wires[place.k]!);
      place.answers.push(largestOf(run(at + 1, [arrived])[0]!));
    });
  }
  const splits = worthwhile.map(
    ({cut, k, answers}): Split => ({
      cut,
      ...wires[k]!,
      bytes: Math.round(sums[k]! / weighed),
      inputBytes: Math.round(inputs / weighed),
      quality: qualityOf(accuracyFrom(answers, data, entry.task.labelOffset ?? 0), evaluate),
    }),
  );
  return splits.sort((a, b) => b.quality.value - a.quality.value || a.bytes - b.bytes);
}
