/** What low rank did to each layer, as `build` tells it. */
import type {LayerReport} from '../recipes/report.js';
import {reportsOfFixed} from '../reconstruct/explain.js';
import {macsOf} from '../reconstruct/layers.js';
import {bytesOfStages, macsOfStages, wholeStage} from '../reconstruct/stage.js';
import {choiceName} from './forms.js';
import {optionOf, type Studied, stagesNow, type Thinned} from './study.js';

export function explain({network, options}: Studied, thin: Thinned): readonly LayerReport[] {
  const others = network.layers.map((layer): LayerReport => {
    const {name} = layer;
    const [whole, ...rest] = options.get(name)!;
    const option = optionOf(thin, name);
    const stages = stagesNow(layer, option?.choice ?? null);
    const known = {
      layer: name,
      ...{bytesBefore: bytesOfStages([wholeStage(layer)]), bytesAfter: bytesOfStages(stages)},
      ...{macsBefore: macsOf(layer), macsAfter: macsOfStages(layer, stages)},
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
          ? 'others harm less for what they save'
          : 'no thinner form is cheaper and stands for it',
    };
  });
  return [...reportsOfFixed(network), ...others];
}

const short = (value: number): number => Number(value.toPrecision(3));
