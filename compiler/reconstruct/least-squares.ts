/** The linear map that a layer should be, from moments: least squares with a ridge that draws it to the weights it had. */
import {apply, type Matrix, type Product} from '../algebra/matrix.js';
import {cholesky, solve} from '../algebra/solve.js';
import type {Moments} from './moments.js';

/** A target map, and the metric in which maps are compared: tr(D gram D') is what outputs are off by D, plus the ridge. */
export type Target = {readonly map: Matrix; readonly gram: Matrix};

/** Part of the mean second moment that is added to each: more where rows are few for so many unknowns. */
const ridgeOf = (width: number, count: number): number => Math.max(1e-3, (0.5 * width) / Math.max(1, count));

/** The metric of moments: their gram with the ridge. */
export function metricOf({gram, count}: Pick<Moments, 'gram' | 'count'>): {readonly gram: Matrix; readonly ridge: number} {
  const n = gram.rows;
  let trace = 0;
  for (let i = 0; i < n; i++) trace += gram.data[i * n + i]!;
  const ridge = (ridgeOf(n, count) * trace) / n || 1;
  const data = gram.data.slice();
  for (let i = 0; i < n; i++) data[i * n + i]! += ridge;
  return {gram: {...gram, data}, ridge};
}

/** (K + ridge W)(G + ridge)^-1, where W are the weights that the layer had. */
export function targetOf(product: Product, moments: Moments, weights: Matrix): Target {
  const {gram, ridge} = metricOf(moments);
  const drawn = {...weights, data: moments.cross.data.map((value, at) => value + ridge * weights.data[at]!)};
  const l = cholesky(product, gram);
  return {map: l ? solve(product, l, drawn) : weights, gram};
}

/** The bias that makes the mean of the outputs right. */
export function biasFor({meanX, meanY}: Pick<Moments, 'meanX' | 'meanY'>, map: Matrix): Float64Array {
  const made = apply(map, meanX);
  return meanY.map((mean, o) => mean - made[o]!);
}
