/**
 * A layer's map as a product of thin ones, such that what it gives on samples changes least: the error is tr(D G D'), where D is
 * the difference of the maps and G the second moments of what the layer reads. Weights alone would not tell which of
 * their directions are ever used. G is symmetric: a G' is a G.
 */
import {leadingOf} from '../algebra/eigen.js';
import {inner, type Matrix, minus, type Product, times, timesTransposed, transposed, zeros} from '../algebra/matrix.js';
import {backward, solve} from '../algebra/solve.js';
import type {Layer} from '../reconstruct/layers.js';
import type {Target} from '../reconstruct/least-squares.js';
import type {Choice} from './forms.js';
import {addBlock, factor, type Structured, separable, spatial, squared} from './structured.js';

/** Weights of the stages, in their order, and the map that they are together. */
export type Factors = {readonly weights: readonly Matrix[]; readonly map: Matrix};

/** How long the two halves of `spatial` and `separable` are fitted in turn, and steps of the first half in each round. */
export type Effort = {readonly rounds: number; readonly steps: number};
export const thorough: Effort = {rounds: 3, steps: 10};
export const quick: Effort = {rounds: 1, steps: 4};

/** Makes a layer of any of the choices; what they have in common is computed once. */
export function factorizer(
  product: Product,
  layer: Layer,
  target: Target,
  choices: readonly Choice[],
): (choice: Choice, effort: Effort) => Factors {
  const most = (form: Choice['form']): number =>
    choices.reduce((largest, own) => (own.form === form ? Math.max(largest, own.ranks[0]!) : largest), 0);
  const byChannel = once(() => channel(product, target, most('channel')));
  const byTucker = once(() => tucker(product, layer, target, most('tucker')));
  const bySpatial = once(() => spatial(product, layer, target, most('spatial')));
  return ({form, ranks}, effort) => {
    switch (form) {
      case 'channel':
        return byChannel()(ranks[0]!);
      case 'tucker':
        return byTucker()(ranks as readonly [number, number]);
      case 'spatial':
        return alternate(product, target, bySpatial()(ranks[0]!), effort);
      case 'separable':
        return alternate(product, target, separable(product, layer, target), effort);
      case 'none':
        return {weights: [], map: zeros(target.map.rows, target.map.columns)};
      default:
        return form satisfies never;
    }
  };
}

/** One of them. */
export const factorize = (product: Product, layer: Layer, target: Target, choice: Choice, effort: Effort): Factors =>
  factorizer(product, layer, target, [choice])(choice, effort);

function once<T>(make: () => T): () => T {
  let made: T | null = null;
  return () => {
    made ??= make();
    return made;
  };
}

/** Reduced-rank regression: the outputs' leading directions on samples (Zhang et al. 2015, section 3.1). */
function channel(product: Product, {map, gram}: Target, most: number): (rank: number) => Factors {
  const outputs = timesTransposed(product, timesTransposed(product, map, gram), map);
  const directions = leadingOf(product, outputs, most);
  return rank => {
    const basis = directions(rank);
    const first = times(product, basis, map);
    const last = transposed(basis);
    return {weights: [first, last], map: times(product, last, first)};
  };
}

/** Few directions of the input channels, then `channel` on what they keep. */
function tucker(product: Product, layer: Layer, target: Target, most: number): (ranks: readonly [number, number]) => Factors {
  const {channels} = layer;
  const {map, gram} = target;
  const points = map.columns / channels;
  const metric = zeros(channels, channels);
  for (let p = 0; p < points; p++) addBlock(metric, gram, points, p);
  const l = factor(product, metric);
  // Rows are what one output draws from the channels at one point.
  const rows = zeros(map.rows * points, channels);
  for (let o = 0; o < map.rows; o++)
    for (let c = 0; c < channels; c++)
      for (let p = 0; p < points; p++) rows.data[(o * points + p) * channels + c] = map.data[o * map.columns + c * points + p]!;
  const directions = leadingOf(product, squared(product, times(product, rows, l)), most);
  return ([inputs, outputs]) => {
    const basis = backward(product, l, directions(inputs));
    const spread = zeros(inputs * points, map.columns);
    for (let r = 0; r < inputs; r++)
      for (let c = 0; c < channels; c++)
        for (let p = 0; p < points; p++)
          spread.data[(r * points + p) * spread.columns + c * points + p] = basis.data[r * channels + c]!;
    const thin = channel(product, behind(product, target, spread), outputs)(outputs);
    return {weights: [basis, ...thin.weights], map: times(product, thin.map, spread)};
  };
}

/** What is best behind a fixed first map: least squares, and the metric there. */
function behind(product: Product, {map, gram}: Target, first: Matrix): Target {
  const seen = timesTransposed(product, first, gram);
  const inside = timesTransposed(product, seen, first);
  return {map: solve(product, factor(product, inside), timesTransposed(product, map, seen)), gram: inside};
}

/** Both halves in turn: the last one by least squares, the first by preconditioned conjugate gradients. */
function alternate(product: Product, target: Target, structured: Structured, {rounds, steps}: Effort): Factors {
  let values = structured.start;
  let last = behind(product, target, structured.expand(values)).map;
  const drawn = timesTransposed(product, target.map, target.gram);
  for (let round = 0; round < rounds; round++) {
    values = improved(product, structured, {values, last, drawn}, steps);
    last = behind(product, target, structured.expand(values)).map;
  }
  return {weights: [values, last], map: times(product, last, structured.expand(values))};
}

function improved(
  product: Product,
  {restrict, curve, precondition}: Structured,
  {values, last, drawn}: {readonly values: Matrix; readonly last: Matrix; readonly drawn: Matrix},
  steps: number,
): Matrix {
  const turned = transposed(last);
  const metric = timesTransposed(product, turned, turned);
  const curvature = (of: Matrix): Matrix => curve(metric, of);
  const x = {...values, data: values.data.slice()};
  let residual = minus(restrict(times(product, turned, drawn)), curvature(values));
  let better = precondition(residual);
  let direction = better;
  let energy = inner(residual, better);
  for (let step = 0; step < steps && energy > 0; step++) {
    const bent = curvature(direction);
    const length = energy / inner(direction, bent);
    if (!Number.isFinite(length)) break;
    for (let i = 0; i < x.data.length; i++) x.data[i]! += length * direction.data[i]!;
    residual = {...residual, data: residual.data.map((value, i) => value - length * bent.data[i]!)};
    better = precondition(residual);
    const next = inner(residual, better);
    const turn = next / energy;
    direction = {...direction, data: better.data.map((value, i) => value + turn * direction.data[i]!)};
    energy = next;
  }
  return x;
}
