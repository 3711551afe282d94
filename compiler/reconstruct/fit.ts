/** One layer fitted to what it should give, given what it reads. */
import {apply, type FloatProduct, type Matrix, type Product} from '../algebra/matrix.js';
import type {Layer} from './layers.js';
import {biasFor, type Target, targetOf} from './least-squares.js';
import {addRows, type Gathered, gather, type Moments, momentsOf, withOutputs} from './moments.js';
import type {Network} from './network.js';
import {energyOfRows, joined, outputsOf, type Surveyed} from './survey.js';
import {alikeIn, rowsAt, type Walk} from './walk.js';

/** What a layer becomes: the map that stands for it, and how it is made of thin ones. */
export type Made<F> = {readonly map: Matrix; readonly factors: F};

/** Makes a layer from the map that it should be; `draft`: roughly, since a better target follows. */
export type Maker<F> = (layer: Layer, target: Target, draft: boolean) => Made<F>;

/** A layer as it has become. */
export type Fitted<F> = Made<F> & {readonly bias: Float64Array};

/** What a layer reads now, what it should give, and what is added to that now. */
export type Wanted = {readonly x: Float32Array; readonly y: Float32Array; readonly added: Float32Array | null};

/** It should give what it gave in the float network, and make good what is amiss with what is added to that. */
export function wantedNow(network: Network, walk: Walk, layer: Layer, {samples, survey}: Surveyed): Wanted {
  const {x, beside} = rowsAt(network, walk, layer, samples.length);
  const [y, parts] = [joined(survey.outputs.get(layer.name)!), survey.beside.get(layer.name)];
  if (!beside || !parts) return {x, y, added: null};
  const was = joined(parts);
  const wanted = new Float32Array(y.length);
  for (let at = 0; at < y.length; at++) wanted[at] = y[at]! + was[at]! - beside[at]!;
  return {x, y: wanted, added: beside};
}

/** The products that fits are made of. */
export type Products = Pick<Network, 'product' | 'floats'>;

export function fitted<F>({product, floats}: Products, layer: Layer, {x, y, added}: Wanted, maker: Maker<F>): Fitted<F> {
  const {weights, rectified} = layer;
  const gathered = gather(weights.columns, weights.rows, alikeIn(layer));
  addRows(floats, gathered, x, y);
  const first = fittedTo(product, layer, gathered, (own, target) => maker(own, target, rectified));
  if (!rectified) return first;
  // Below zero a ReLU tells nothing: whatever the fit gives there is right (Zhang et al. 2015, section 3.2).
  const relaxed = outputsOf(floats, {weights: first.map, bias: first.bias}, x);
  for (let at = 0; at < y.length; at++) {
    const floor = added ? -added[at]! : 0;
    relaxed[at] = y[at]! > floor ? y[at]! : Math.min(relaxed[at]!, floor);
  }
  return fittedTo(product, layer, withOutputs(floats, gathered, x, relaxed), (own, target) => maker(own, target, false));
}

function fittedTo<F>(
  product: Product,
  layer: Layer,
  gathered: Gathered,
  make: (layer: Layer, target: Target) => Made<F>,
): Fitted<F> {
  const moments = momentsOf(gathered);
  const made = make(layer, targetOf(product, moments, layer.weights));
  return {...made, bias: biasFor(moments, made.map)};
}

/** What a map errs on rows, relative to the energy of what is wanted with what is added to it. */
export function errorOn(floats: FloatProduct, {map, bias}: Pick<Fitted<unknown>, 'map' | 'bias'>, {x, y, added}: Wanted): number {
  const given = outputsOf(floats, {weights: map, bias}, x);
  let noise = 0;
  for (let at = 0; at < y.length; at++) noise += (y[at]! - given[at]!) ** 2;
  const count = y.length / map.rows;
  return noise / Math.max(count * energyOfRows(y, added, map.rows), 1e-30);
}

/** What stands for the layer where its map alone changes, on the means of the float network. */
export function biasAlone({weights, bias}: Layer, {meanX}: Pick<Moments, 'meanX'>, map: Matrix): Float64Array {
  const [was, is] = [apply(weights, meanX), apply(map, meanX)];
  return bias.map((value, o) => value + was[o]! - is[o]!);
}
