/** What a convolution in place of a local layer should give: what that gave there. */
import type {TypedArray} from '../../runtime/index.js';
import {matrixOf, timesTransposed} from '../algebra/matrix.js';
import type {Network} from '../reconstruct/network.js';
import type {Pair} from '../restructure/change.js';

/** [place][output] */
export function wantedOf(float: Network, input: TypedArray, {was, now}: Pair, places: readonly number[]): Float32Array {
  const look = float.look(
    input,
    float.parts.findIndex(part => part.includes(was)),
  );
  const given = timesTransposed(float.product, matrixOf(1, was.weights.columns, look(was.input)), was.weights).data;
  const outputs = now.weights.rows;
  const area = was.weights.rows / outputs;
  return Float32Array.from({length: places.length * outputs}, (_, at) => {
    const own = (at % outputs) * area + places[Math.floor(at / outputs)]!;
    return given[own]! + was.bias[own]!;
  });
}
