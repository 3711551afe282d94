/** What a convolution in place of a local layer should give: what that gave there. */
import {matrixOf, timesTransposed} from '../algebra/matrix.js';
import type {Network} from '../reconstruct/network.js';
import type {Pair} from '../restructure/change.js';

/** [place][output] */
export function wantedOf(
  {product}: Pick<Network, 'product'>,
  look: ReturnType<Network['look']>,
  {was, now}: Pair,
  places: readonly number[],
): Float32Array {
  const given = timesTransposed(product, matrixOf(1, was.weights.columns, look(was.input)), was.weights).data;
  const outputs = now.weights.rows;
  const area = was.weights.rows / outputs;
  return Float32Array.from({length: places.length * outputs}, (_, at) => {
    const own = (at % outputs) * area + places[Math.floor(at / outputs)]!;
    return given[own]! + was.bias[own]!;
  });
}
