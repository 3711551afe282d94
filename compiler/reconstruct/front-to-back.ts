/**
 * A network whose layers are made anew one after the other, from the front: each is fitted so that, given what the layers
 * before it now make of the samples, it gives what it gave in the float network (asymmetric reconstruction: Zhang et al. 2015,
 * section 3.3). Before an addition it makes good what the other branch has lost (He et al. 2017, section 3.2).
 */
import {errorOn, type Fitted, fitted, type Maker, wantedNow} from './fit.js';
import type {Network, Parameters} from './network.js';
import type {Surveyed} from './survey.js';
import {walkThrough} from './walk.js';

/** What a layer may become: the first whose fit is one. Equal names mean that the same is tried. */
export type Offer<F> = {readonly name: string; readonly makers: readonly Maker<F>[]};

export type Steps<F> = {
  /** Layers to be made. The others keep the form that they have, and are fitted to what now comes before them. */
  readonly offers: ReadonlyMap<string, Offer<F>>;
  /** What layers are fitted to, and what tells whether a fit is one. */
  readonly fit: Surveyed;
  readonly held: Surveyed;
  readonly progress: (layer: string) => void;
};

/** Layers as they have become, by name, and what was offered and taken. */
export type Walked<F> = {
  readonly layers: ReadonlyMap<string, Fitted<F | null>>;
  readonly offers: ReadonlyMap<string, Offer<F>>;
  readonly mostError: number;
};

/**
 * Layers with offers, and those behind the first of them that are better for a fit. A fit to few samples can be worse than none:
 * what errs more on samples held out than the layer's own weights do stays as it was, and a form that errs there by more than
 * `mostError` is not taken. The network has these weights afterwards. `before` are other walks through the same network: as long
 * as the same is offered, the same comes of it.
 */
export function frontToBack<F>(
  network: Network,
  {offers, fit, held, progress}: Steps<F>,
  mostError: number,
  before: readonly Walked<F>[] = [],
): Walked<F> {
  const {layers, floats} = network;
  const same = ({offers: other}: Walked<F>): number => {
    const first = layers.findIndex(({name}) => other.get(name)?.name !== offers.get(name)?.name);
    return first < 0 ? layers.length : first;
  };
  const nearest = before.toSorted((a, b) => same(b) - same(a))[0];
  const known = nearest ? same(nearest) : 0;
  const made = new Map<string, Fitted<F | null>>();
  for (const {name} of layers.slice(0, known)) {
    const own = nearest?.layers.get(name);
    if (own) made.set(name, own);
  }
  const parameters = new Map<string, Parameters>(Array.from(made, ([name, own]) => [name, parametersOf(own)]));
  network.rewrite(parameters);
  const [walk, test] = [walkThrough(network, fit.samples), walkThrough(network, held.samples)];
  for (const layer of layers.slice(known)) {
    const makers = offers.get(layer.name)?.makers ?? [];
    if (made.size === 0 && makers.length === 0) continue;
    progress(layer.name);
    const wanted = wantedNow(network, walk, layer, fit);
    const judged = wantedNow(network, test, layer, held);
    const firstOf = (some: readonly Maker<F | null>[], most: number): Fitted<F | null> | null => {
      for (const maker of some) {
        const own = fitted(network, layer, wanted, maker);
        if (errorOn(floats, own, judged) <= most) return own;
      }
      return null;
    };
    const asItWas = errorOn(floats, {map: layer.weights, bias: layer.bias}, judged);
    const found = firstOf(makers, mostError) ?? firstOf([keep], asItWas);
    if (!found) continue;
    made.set(layer.name, found);
    parameters.set(layer.name, parametersOf(found));
    network.rewrite(parameters);
  }
  return {layers: made, offers, mostError};
}

/** Weights of a network that has become so. */
export const parametersIn = ({layers}: Walked<unknown>): ReadonlyMap<string, Parameters> =>
  new Map(Array.from(layers, ([name, own]) => [name, parametersOf(own)]));

const keep: Maker<null> = (_, {map}) => ({map, factors: null});

const parametersOf = ({map, bias}: Fitted<unknown>): Parameters => ({weights: map.data, bias});
