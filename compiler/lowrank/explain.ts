/** What low rank did to each layer, as `build` tells it. */
import type {LayerReport} from '../recipes/report.js';
import {macsOf} from '../reconstruct/layers.js';
import {bytesOfStages, inputShapesOf, stageMacs, wholeStage} from '../reconstruct/stage.js';
import {choiceName} from './forms.js';
import {optionOf, type Studied, stagesNow, type Thinned} from './study.js';

export function explain({network, options}: Studied, thin: Thinned): readonly LayerReport[] {
  const fixed = Array.from(
    network.fixed,
    ([layer, {reason, bytes}]): LayerReport => ({layer, float: reason, bytesBefore: bytes, bytesAfter: bytes}),
  );
  const others = network.layers.map((layer): LayerReport => {
    const {name} = layer;
    const [whole, ...rest] = options.get(name)!;
    const option = optionOf(thin, name);
    const stages = stagesNow(layer, option?.choice ?? null);
    const inputs = inputShapesOf(layer, stages);
    const known = {
      layer: name,
      ...{bytesBefore: bytesOfStages([wholeStage(layer)]), bytesAfter: bytesOfStages(stages)},
      ...{macsBefore: macsOf(layer), macsAfter: stages.reduce((sum, stage, i) => sum + stageMacs(stage, inputs[i]!), 0)},
      timeBefore: short(whole!.microseconds),
    };
    if (option?.choice)
      return {
        ...known,
        form: choiceName(option.choice),
        ...{error: short(option.error), timeAfter: short(Math.max(0, option.microseconds))},
      };
    return {
      ...known,
      ...(thin.layers.has(name) && {form: 'fitted anew'}),
      float: thin.chosen.get(name)!.choice
        ? 'no fit to so few samples stands for it'
        : rest.length > 0
          ? 'others harm less for their time'
          : 'no thinner form is faster and stands for it',
    };
  });
  return [...fixed, ...others];
}

const short = (value: number): number => Number(value.toPrecision(3));
