/** What layers that see a quarter of the places should give: the mean of the four that one stands for, or the largest. */
import {matrixOf, timesTransposed} from '../algebra/matrix.js';
import type {Network} from '../reconstruct/network.js';
import {gatherRows, gatherValues} from '../reconstruct/rows.js';
import type {Pair} from '../restructure/change.js';
import type {Site} from './sites.js';

/** [place][output] */
export function wantedOf(
  float: Network,
  look: ReturnType<Network['look']>,
  {was, now}: Pair,
  places: readonly number[],
  sites: readonly Site[],
): Float32Array {
  const {name, weights, bias, window, inputShape, outputShape, rectified} = was;
  const largest = sites.some(({peaks}) => peaks.has(name));
  const [outputs, right, across] = [weights.rows, outputShape[3]!, now.outputShape[3]!];
  const four = places.flatMap(place => {
    const first = 2 * Math.floor(place / across) * right + 2 * (place % across);
    return [first, first + 1, first + right, first + right + 1];
  });
  const x = new Float32Array(four.length * weights.columns);
  gatherRows(look(was.input), inputShape, window!, {n: 0, group: 0, places: four}, x);
  const given = timesTransposed(float.product, matrixOf(four.length, weights.columns, x), weights).data;
  const added = was.beside === null ? null : new Float32Array(four.length * outputs);
  if (added) gatherValues(look(was.beside!), outputShape, four, added);
  const result = new Float32Array(places.length * outputs);
  for (let at = 0; at < result.length; at++) {
    const [place, o] = [Math.floor(at / outputs), at % outputs];
    const values = [0, 1, 2, 3].map(i => {
      const own = (4 * place + i) * outputs + o;
      const value = given[own]! + bias[o]! + (added?.[own] ?? 0);
      return rectified ? Math.max(0, value) : value;
    });
    result[at] = largest ? Math.max(...values) : values.reduce((sum, value) => sum + value / 4, 0);
  }
  return result;
}
