/** `input:0.75`: the same network on smaller images. */
import {headOf} from '../../ir/graph.js';
import type {Labelled} from '../data/dataset.js';
import {withInputSize} from '../input-size/insert.js';
import {resized} from '../input-size/study.js';
import {estimateOf} from '../reconstruct/judge.js';
import {macsOf} from '../reconstruct/layers.js';
import type {StudyOptions} from '../reconstruct/study.js';
import type {Task} from '../tasks.js';
import {type Family, fittedTo} from './candidate.js';

type Wanted = {readonly task: Task; readonly recipe: string; readonly scale: number; readonly samples: Labelled};

/** Errors: usage input.images, input.layer, reconstruct.layers; input calibrate.*. */
export async function input(
  {task, recipe, scale, samples}: Wanted,
  tasks: readonly Task[],
  options: StudyOptions,
): Promise<Family> {
  const {judgement, layers, before, after} = await resized(tasks, task, samples, scale, options);
  return {
    candidates: [
      {
        ...{task, recipe},
        facts: {
          ...fittedTo(samples, options.count),
          estimate: estimateOf(judgement),
        },
        // There is no way to leave some of them as they were.
        layers: () => [],
        extend: (module, _, as) => withInputSize(module, headOf(module, task.name), {scale, layers}, as),
      },
    ],
    explain: async () => [
      before.map((layer, i) => {
        const bytes = 4 * (layer.weights.data.length + layer.bias.length);
        return {
          layer: layer.name,
          macsBefore: macsOf(layer),
          macsAfter: macsOf(after[i]!),
          bytesBefore: bytes,
          bytesAfter: bytes,
        };
      }),
    ],
  };
}
