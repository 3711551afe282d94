/** Features for a head: means over a grid of the tensor at a cut. */
import {elements} from '../../ir/tensor.js';
import type {Session} from '../../runtime/index.js';
import type {Cut, Manifest, Variant} from '../../runtime/manifest.js';
import {alongPath} from '../along-path.js';
import {keepBytes, recallBytes} from '../cache.js';
import type {Labelled} from '../data/dataset.js';
import {hashOfData} from '../evaluate-variant.js';
import {inputTensor} from '../samples.js';

/** A cut that features can be taken from. */
export type Place = {
  readonly cut: Cut;
  /** Its position along the path; the first is 1. */
  readonly number: number;
  /** Rows and columns of the grid. */
  readonly grid: number;
  /** Up to the cut. */
  readonly macs: number;
};

/** More features than these are slow to fit and seldom better. */
const mostFeatures = 1024;

/** The cuts of a variant that features can be taken from, in order; bytes as they are, since fits are the same for every scale. */
export function placesOf(
  {segments, cuts}: Manifest,
  {path, macs: total}: Variant,
  dtypes: readonly string[] = ['f32'],
): readonly Place[] {
  let macs = 0;
  return path.flatMap((id, i): readonly Place[] => {
    const segment = segments.find(each => each.id === id);
    macs += segment?.macs ?? 0;
    const cut = cuts.find(each => each.id === segment?.to);
    if (!cut || !dtypes.includes(cut.dtype) || cut.shape[0] !== 1) return [];
    return [{cut, number: i + 1, grid: gridOf(cut, macs / total), macs}];
  });
}

/** The grid that is best at such a depth: 4x4 early, 2x2 late, none where there is no image or too many channels. */
function gridOf({shape}: Cut, depth: number): number {
  const [, channels = 1, rows = 1, columns = 1] = shape;
  if (shape.length !== 4) return 1;
  const side = Math.min(rows, columns);
  const wanted = depth < 0.75 ? 4 : depth < 0.98 ? 2 : 1;
  return [wanted, 2, 1].find(grid => grid <= wanted && grid <= side && channels * grid * grid <= mostFeatures) ?? 1;
}

/** Cells of a grid over one axis: equal windows that touch or overlap, and leave nothing out. */
export const windowOf = (size: number, grid: number): {readonly size: number; readonly stride: number} => {
  const stride = Math.floor(size / grid);
  return {stride, size: size - (grid - 1) * stride};
};

/** How many features a place has. */
export const widthOf = ({cut: {shape}, grid}: Place): number => (shape.length === 4 ? shape[1]! * grid * grid : elements(shape));

/** Means over the cells of the grid, channel by channel, to row `at` of the features. */
function pool(activation: Float32Array | Uint8Array, place: Place, into: Float32Array, at: number): void {
  const {cut, grid} = place;
  const {shape} = cut;
  const width = widthOf(place);
  if (shape.length !== 4) {
    into.set(activation, at * width);
    return;
  }
  const [, channels, rows, columns] = shape as [number, number, number, number];
  const [vertical, horizontal] = [windowOf(rows, grid), windowOf(columns, grid)];
  const [perChannel, perPixel] = cut.layout === 'channels-last' ? [1, channels] : [rows * columns, 1];
  for (let gy = 0; gy < grid; gy++)
    for (let gx = 0; gx < grid; gx++)
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let y = 0; y < vertical.size; y++)
          for (let x = 0; x < horizontal.size; x++) {
            const pixel = (gy * vertical.stride + y) * columns + gx * horizontal.stride + x;
            sum += activation[c * perChannel + pixel * perPixel]!;
          }
        into[at * width + (c * grid + gy) * grid + gx] = sum / (vertical.size * horizontal.size);
      }
}

/**
 * Features of all samples, by place, and behind them the scores that the variant gives: what a network makes of data does not
 * change, so it is kept in the user's cache ("pre-forwarding").
 */
export function featuresOf(
  session: Session,
  variant: Variant,
  places: readonly Place[],
  labelled: Labelled,
  progress: (doing: string) => void = () => {},
): {readonly features: readonly Float32Array[]; readonly scores: Float32Array} {
  const {manifest} = session;
  const {data} = labelled;
  const {inputs, outputs} = manifest.tasks[variant.task]!;
  const [input] = inputs;
  const classes = elements(outputs[0]!.shape);
  const widths = [...places.map(widthOf), classes];
  const grids = places.map(({cut, grid}) => `${cut.id} ${grid}`);
  const key = JSON.stringify([manifest.buildHash, session.target, variant.id, input, grids, hashOfData(labelled), data.count]);
  const total = widths.reduce((sum, width) => sum + width, 0) * data.count;
  const found = recallBytes('features', key);
  const kept = found?.byteLength === 4 * total ? found : null;
  const all = kept ? new Float32Array(kept.buffer, kept.byteOffset, total) : new Float32Array(total);
  const starts = widths.map((_, i) => widths.slice(0, i).reduce((sum, width) => sum + width, 0) * data.count);
  const parts = widths.map((width, i) => all.subarray(starts[i]!, starts[i]! + width * data.count));
  if (!kept) {
    const {segments, run} = alongPath(session, variant);
    const placeAt = segments.map(({segment}) => places.findIndex(({cut}) => cut.id === segment.to));
    for (let i = 0; i < data.count; i++) {
      if (i % 64 === 0) progress(`features of ${i} of ${data.count} samples`);
      const made = run(0, [inputTensor(data.sample(i), input!, data.where(i)).data], (at, [activation]) => {
        const place = placeAt[at]!;
        if (place >= 0) pool(activation as Float32Array | Uint8Array, places[place]!, parts[place]!, i);
      });
      parts.at(-1)!.set(Array.from(made[0]!, Number), i * classes);
    }
    keepBytes('features', key, new Uint8Array(all.buffer));
  }
  return {features: parts.slice(0, -1), scores: parts.at(-1)!};
}
