/**
 * A network whose layers are made anew one after the other, from the front: each is fitted so that, given what the layers
 * before it now make of the samples, it gives what it gave in the float network (asymmetric reconstruction: Zhang et al. 2015,
 * section 3.3). Before an addition it makes good what the other branch has lost (He et al. 2017, section 3.2).
 */
import type {TypedArray} from '../../runtime/index.js';
import {apply, type Matrix, matrixOf, type Product, timesTransposed} from '../algebra/matrix.js';
import {type Layer, positionsOf} from './layers.js';
import {biasFor, type Target, targetOf} from './least-squares.js';
import {addRows, type Gathered, gather, type Moments, momentsOf, withOutputs} from './moments.js';
import type {Network, Parameters} from './network.js';
import {choosePlaces, gatherRows, gatherValues, positionsPerImage, randomNumbers} from './rows.js';

/** What a layer becomes: the map that stands for it, and how it is made of thin ones. */
export type Made<F> = {readonly map: Matrix; readonly factors: F};

/** Makes a layer from the map that it should be. */
export type Maker<F> = (layer: Layer, target: Target) => Made<F>;

/** A layer as it has become. */
export type Fitted<F> = Made<F> & {readonly bias: Float64Array};

/** What layers give in the float network, at the places of each sample that are looked at: [layer][sample][place][output]. */
export type FloatOutputs = ReadonlyMap<string, readonly Float32Array[]>;

/** Rows of what a layer reads from one sample, and values of what is added to its result there. */
type Seen = {readonly x: Float32Array; readonly beside: Float32Array | null};

/** Places of a layer that are looked at in a sample. */
export function placesOf({layers}: Pick<Network, 'layers'>, layer: Layer, sample: number): readonly number[] {
  const seed = 1 + layers.indexOf(layer) * 7919 + sample * 104729;
  return choosePlaces(positionsOf(layer), positionsPerImage, randomNumbers(seed));
}

export function seen(network: Network, look: ReturnType<Network['look']>, layer: Layer, sample: number): Seen {
  const {window, input, inputShape, weights, beside, outputShape} = layer;
  const width = weights.columns;
  if (!window) {
    const all = look(input);
    const rows = Math.min(positionsPerImage, all.length / width);
    return {
      x: all.slice(0, rows * width),
      beside: beside === null ? null : look(beside).slice(0, rows * weights.rows),
    };
  }
  const places = placesOf(network, layer, sample);
  const x = new Float32Array(places.length * width);
  gatherRows(look(input), inputShape, window, {n: 0, group: 0, places}, x);
  return {x, beside: beside === null ? null : gatherValues(look(beside), outputShape, places)};
}

/** A survey of the float network. `x` are moments of what layers read; `y` is what layers give, with what is added to it. */
export type Survey = {
  readonly moments: ReadonlyMap<string, Pick<Moments, 'count' | 'gram' | 'meanX'>>;
  readonly outputs: FloatOutputs;
  /** As `outputs`: of what is added to results, where something is. */
  readonly beside: FloatOutputs;
};

/** Runs the network as it is. */
export function surveyOf(network: Network, samples: readonly TypedArray[], progress: (done: number) => void): Survey {
  const {product, layers} = network;
  const gathered = new Map<string, Gathered>(layers.map(({name, weights}) => [name, gather(weights.columns, 0)]));
  const pending = new Map<string, Float32Array[]>(layers.map(({name}) => [name, []]));
  const [outputs, beside] = [new Map<string, Float32Array[]>(), new Map<string, Float32Array[]>()];
  const flush = (layer: Layer): void => {
    addRows(product, gathered.get(layer.name)!, joined(pending.get(layer.name)!), new Float32Array(0));
    pending.set(layer.name, []);
  };
  samples.forEach((input, sample) => {
    progress(sample);
    for (const [part, layers] of network.parts.entries()) {
      if (layers.length === 0) continue;
      const look = network.look(input, part);
      for (const layer of layers) {
        const rows = seen(network, look, layer, sample);
        push(outputs, layer.name, outputsOf(product, layer, rows.x));
        if (rows.beside) push(beside, layer.name, rows.beside);
        const waiting = pending.get(layer.name)!;
        waiting.push(rows.x);
        if (waiting.length >= 32) flush(layer);
      }
    }
  });
  for (const layer of layers) flush(layer);
  const moments = new Map(Array.from(gathered, ([name, each]) => [name, momentsOf(each)] as const));
  return {moments, outputs, beside};
}

function push(into: Map<string, Float32Array[]>, name: string, rows: Float32Array): void {
  const list = into.get(name);
  if (list) list.push(rows);
  else into.set(name, [rows]);
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Weights times rows, and the bias. */
function outputsOf(product: Product, {weights, bias}: Pick<Layer, 'weights' | 'bias'>, rows: Float32Array): Float32Array {
  const count = rows.length / weights.columns;
  const made = timesTransposed(product, matrixOf(count, weights.columns, rows), weights);
  const result = new Float32Array(made.data);
  for (let at = 0, o = 0; at < result.length; at++, o = o + 1 === bias.length ? 0 : o + 1) result[at]! += bias[o]!;
  return result;
}

/** Samples and what the float network made of them. */
export type Surveyed = {readonly samples: readonly TypedArray[]; readonly survey: Survey};

export type Steps<F> = {
  /**
   * Make the layers named: the first whose fit is one. The others keep the form that they have, and are fitted to what now comes
   * before them.
   */
  readonly makers: ReadonlyMap<string, readonly Maker<F>[]>;
  /** What layers are fitted to, and what tells whether a fit is one. */
  readonly fit: Surveyed;
  readonly held: Surveyed;
  readonly progress: (layer: string) => void;
};

/**
 * Layers as they have become, by name: those with makers, and those behind the first of them that are better for a fit. A fit
 * to few samples can be worse than none: what errs more on samples held out than the layer's own weights do stays as it was,
 * and a form that errs there by more than `mostError` is not taken. The network has these weights afterwards.
 */
export function frontToBack<F>(
  network: Network,
  {makers, fit, held, progress}: Steps<F>,
  mostError: number,
): ReadonlyMap<string, Fitted<F | null>> {
  const {layers, product} = network;
  const made = new Map<string, Fitted<F | null>>();
  const parameters = new Map<string, Parameters>();
  const keep: Maker<null> = (_, {map}) => ({map, factors: null});
  network.rewrite(parameters);
  for (const layer of layers) {
    const own = makers.get(layer.name) ?? [];
    if (made.size === 0 && own.length === 0) continue;
    progress(layer.name);
    const [rows, test] = [rowsNow(network, layer, fit), rowsNow(network, layer, held)];
    const firstOf = (some: readonly Maker<F | null>[], most: number): Fitted<F | null> | null => {
      for (const maker of some) {
        const fit = fitted(product, layer, rows, maker);
        if (errorOn(product, fit, test) <= most) return fit;
      }
      return null;
    };
    const asItWas = errorOn(product, {map: layer.weights, bias: layer.bias}, test);
    const found = firstOf(own, mostError) ?? firstOf([keep], asItWas);
    if (!found) continue;
    made.set(layer.name, found);
    parameters.set(layer.name, {weights: found.map.data, bias: found.bias});
    network.rewrite(parameters);
  }
  return made;
}

/** A layer fitted to what it gave in the float network, given what it reads now. */
export const fitNow = <F>(network: Network, layer: Layer, surveyed: Surveyed, maker: Maker<F>): Fitted<F> =>
  fitted(network.product, layer, rowsNow(network, layer, surveyed), maker);

function rowsNow(network: Network, layer: Layer, {samples, survey: {outputs, beside}}: Surveyed): Rows {
  const part = network.parts.findIndex(layers => layers.includes(layer));
  const given = samples.map((input, sample) => seen(network, network.look(input, part), layer, sample));
  const wanted = wantedOf(joined(outputs.get(layer.name)!), beside.get(layer.name), given);
  return {x: joined(given.map(rows => rows.x)), ...wanted};
}

/** What a map errs on rows, relative to the energy of what is wanted with what is added to it. */
function errorOn(product: Product, {map, bias}: Pick<Fitted<unknown>, 'map' | 'bias'>, {x, y, added}: Rows): number {
  const given = outputsOf(product, {weights: map, bias}, x);
  const noise = y.reduce((sum, value, at) => sum + (value - given[at]!) ** 2, 0);
  const count = y.length / map.rows;
  return noise / Math.max(count * energyOfRows(y, added, map.rows), 1e-30);
}

/** Mean square, about the means, of what a layer gives in the float network with what is added to that. */
export function energyOfOutputs({outputs, beside}: Survey, {name, weights}: Layer): number {
  const added = beside.get(name);
  return energyOfRows(joined(outputs.get(name)!), added ? joined(added) : null, weights.rows);
}

function energyOfRows(y: Float32Array, added: Float32Array | null, outputs: number): number {
  const count = y.length / outputs;
  let energy = 0;
  for (let o = 0; o < outputs; o++) {
    let [sum, squares] = [0, 0];
    for (let at = o; at < y.length; at += outputs) {
      const own = y[at]! + (added?.[at] ?? 0);
      sum += own;
      squares += own * own;
    }
    energy += squares / count - (sum / count) ** 2;
  }
  return energy;
}

/** What the layer reads now, what it should give, and what is added to that now. */
type Rows = {readonly x: Float32Array; readonly y: Float32Array; readonly added: Float32Array | null};

function wantedOf(y: Float32Array, before: readonly Float32Array[] | undefined, given: readonly Seen[]): Omit<Rows, 'x'> {
  if (!before) return {y, added: null};
  const [was, added] = [joined(before), joined(given.map(rows => rows.beside!))];
  return {y: y.map((value, at) => value + was[at]! - added[at]!), added};
}

function fitted<F>(product: Product, layer: Layer, {x, y, added}: Rows, maker: Maker<F>): Fitted<F> {
  const {weights, rectified} = layer;
  const gathered = gather(weights.columns, weights.rows);
  addRows(product, gathered, x, y);
  const first = fittedTo(product, layer, gathered, maker);
  if (!rectified) return first;
  // Below zero a ReLU tells nothing: whatever the fit gives there is right (Zhang et al. 2015, section 3.2).
  const given = outputsOf(product, {weights: first.map, bias: first.bias}, x);
  const relaxed = y.map((value, at) => {
    const floor = -(added?.[at] ?? 0);
    return value > floor ? value : Math.min(given[at]!, floor);
  });
  return fittedTo(product, layer, withOutputs(product, gathered, x, relaxed), maker);
}

function fittedTo<F>(product: Product, layer: Layer, gathered: Gathered, maker: Maker<F>): Fitted<F> {
  const moments = momentsOf(gathered);
  const made = maker(layer, targetOf(product, moments, layer.weights));
  return {...made, bias: biasFor(moments, made.map)};
}

/** What stands for the layer where its map alone changes, on the means of the float network. */
export function biasAlone({weights, bias}: Layer, {meanX}: Pick<Moments, 'meanX'>, map: Matrix): Float64Array {
  const [was, is] = [apply(weights, meanX), apply(map, meanX)];
  return bias.map((value, o) => value + was[o]! - is[o]!);
}
