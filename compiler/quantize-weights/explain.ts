/** What narrow weights do to each layer. */
import {bytesStored} from '../../ir/tensor.js';
import {type ErrorSoFar, seeError, sqnrOf} from '../quantize/observe.js';
import type {LayerReport} from '../recipes/report.js';
import {realWeights} from './narrow.js';
import type {Studied} from './study.js';

/** `floats` names the layers that stay in float, and why. */
export function explain({sites, narrowed}: Studied, floats: ReadonlyMap<string, string>): readonly LayerReport[] {
  return sites.map(({name, layer, bytes}): LayerReport => {
    const common = {layer: name, bytesBefore: bytes};
    const made = floats.get(name) ?? narrowed.get(name) ?? 'it is not narrow';
    if (typeof layer === 'string') return {...common, float: layer, bytesAfter: bytes};
    if (typeof made === 'string') return {...common, float: made, bytesAfter: bytes};
    const error: ErrorSoFar = {signal: 0, noise: 0};
    seeError(error, layer.weights.data, realWeights(made, layer.weights));
    const {weights, scales, bias, off} = made;
    return {
      ...common,
      weightSqnr: Number(sqnrOf(error).toFixed(2)),
      ...(off !== undefined && {sumSqnr: Number(sqnrOf({signal: 1, noise: off}).toFixed(2))}),
      bytesAfter: bytesStored(weights) + 4 * ((scales?.length ?? 0) + (bias?.length ?? 0)),
    };
  });
}
