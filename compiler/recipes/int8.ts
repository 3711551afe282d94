/** `int8`, `int8:equalize`: bytes for weights and activations. */
import {headOf} from '../../ir/graph.js';
import {hashOfData} from '../evaluate-variant.js';
import {explain} from '../quantize/explain.js';
import {withQuantized} from '../quantize/insert.js';
import {methodText} from '../quantize/ranges.js';
import {roundedTogether} from '../quantize/rounding.js';
import {sitesOf} from '../quantize/sites.js';
import {type Int8Options, quantizationOf, type Studied, study, type Wanted} from '../quantize/study.js';
import type {Task} from '../tasks.js';
import type {Family} from './candidate.js';

export async function int8(wanted: readonly Wanted[], tasks: readonly Task[], options: Int8Options): Promise<Family> {
  const studied: Studied[] = [];
  // Evened channels are not those of the float network: there is nothing to fit to.
  for (const each of wanted.length === 0 ? [] : await study(wanted, tasks, options))
    studied.push(options.reconstruct && !each.equalized ? await roundedTogether(each, tasks, options) : each);
  return {
    candidates: studied.map(each => {
      const {task, recipe, samples, indices, equalized} = each;
      return {
        ...{task, recipe},
        facts: {
          calibration: methodText(options.method),
          samples: indices.length,
          data: hashOfData(samples),
          ...(equalized && {equalized: equalized.pairs}),
        },
        layers: module =>
          sitesOf(module, headOf(module, task.name)).layers.flatMap(layer => (layer.float === null ? [layer.name] : [])),
        extend: (module, float, as) =>
          withQuantized(module, headOf(module, task.name), quantizationOf(module, each, float, options.correctBias), as),
      };
    }),
    explain: async floats => (studied.length === 0 ? [] : explain(studied, tasks, floats, options)),
  };
}
