/** What fewer channels did to each layer, as `build` tells it. */
import type {LayerReport} from '../recipes/report.js';
import {reportsOfFixed} from '../reconstruct/explain.js';
import {macsOf} from '../reconstruct/layers.js';
import {bytesOfStages, stageMacs, wholeStage} from '../reconstruct/stage.js';
import {type Pruned, type Studied, stageAfter} from './study.js';

export function explain(studied: Studied, pruned: Pruned): readonly LayerReport[] {
  const {network} = studied;
  const others = network.layers.map((layer): LayerReport => {
    const {stage, input} = stageAfter(studied, pruned, layer);
    const whole = wholeStage(layer);
    const narrow = String(stage.shape) !== String(whole.shape);
    const {layers} = pruned;
    return {
      layer: layer.name,
      ...(narrow ? {form: `${stage.shape[0]} x ${stage.shape[1]}`} : layers.has(layer.name) && {form: 'fitted anew'}),
      ...(!narrow && {float: 'other channels matter less for what they cost'}),
      ...{macsBefore: macsOf(layer), macsAfter: stageMacs(stage, input)},
      ...{bytesBefore: bytesOfStages([whole]), bytesAfter: bytesOfStages([stage])},
    };
  });
  return [...reportsOfFixed(network), ...others];
}
