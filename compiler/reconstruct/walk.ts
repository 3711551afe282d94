/** Samples on their way through a network whose layers are looked at from the front: what lies before one is not run again for the next. */
import {type Layer, positionsOf} from './layers.js';
import {begin, type Network, type Place} from './network.js';
import {choosePlaces, gatherRows, gatherValues, positionsPerImage, randomNumbers} from './rows.js';
import type {Sample} from './samples.js';

/** Rows of what a layer reads, and values of what is added to its result there: sample after sample, [place][input] and [place][output]. */
export type Rows = {readonly x: Float32Array; readonly beside: Float32Array | null};

export type Walk = {
  /** Calls `see` with each sample, its place in the list, and a look at what layers of the part read. Parts only follow each other. */
  through(part: number, see: (sample: Sample, at: number, look: ReturnType<Network['look']>) => void): void;
};

export function walkThrough(network: Network, samples: readonly Sample[]): Walk {
  const places: Place[] = samples.map(({input}) => begin(input));
  let reached = -1;
  return {
    through(part, see) {
      samples.forEach((sample, at) => {
        if (part !== reached) places[at] = network.bring(places[at]!, part);
        see(sample, at, network.look(places[at]!, part));
      });
      reached = part;
    },
  };
}

/** Which places of a sample's image are looked at: they depend on the sample and the layer alone. */
export const placesIn = ({layers}: Pick<Network, 'layers'>, layer: Layer, {number}: Sample): readonly number[] =>
  choosePlaces(positionsOf(layer), positionsPerImage, randomNumbers(1 + layers.indexOf(layer) * 7919 + number * 104729));

/** How many places of each sample are looked at. */
export const placesOf = (layer: Layer): number => Math.min(positionsOf(layer), positionsPerImage);

/** Places of a sample are alike: all of them tell no more than so many independent rows, as the best ridges for few samples say. */
const independent = 16;

/** How many rows of a layer tell no more than one. */
export const alikeIn = (layer: Layer): number => Math.max(1, placesOf(layer) / independent);

/** Room for rows of so many samples. */
export const roomFor = (layer: Layer, samples: number): Rows => ({
  x: new Float32Array(samples * placesOf(layer) * layer.weights.columns),
  beside: layer.beside === null ? null : new Float32Array(samples * placesOf(layer) * layer.weights.rows),
});

/** Writes rows of one sample to a place in the room. */
export function see(
  network: Network,
  look: ReturnType<Network['look']>,
  layer: Layer,
  {sample, at}: {readonly sample: Sample; readonly at: number},
  into: Rows,
): void {
  const {window, input, inputShape, weights, beside, outputShape} = layer;
  const count = placesOf(layer);
  const [width, outputs] = [weights.columns, weights.rows];
  const x = into.x.subarray(at * count * width, (at + 1) * count * width);
  const added = into.beside?.subarray(at * count * outputs, (at + 1) * count * outputs);
  if (!window) {
    x.set(look(input).subarray(0, x.length));
    if (added && beside !== null) added.set(look(beside).subarray(0, added.length));
    return;
  }
  const places = placesIn(network, layer, sample);
  // Outside the image is zero, whatever was here before.
  x.fill(0);
  gatherRows(look(input), inputShape, window, {n: 0, group: 0, places}, x);
  if (added && beside !== null) gatherValues(look(beside), outputShape, places, added);
}

/** What a layer reads now, of all samples. */
export function rowsAt(network: Network, walk: Walk, layer: Layer, samples: number): Rows {
  const rows = roomFor(layer, samples);
  const part = network.parts.findIndex(layers => layers.includes(layer));
  walk.through(part, (sample, at, look) => see(network, look, layer, {sample, at}, rows));
  return rows;
}
