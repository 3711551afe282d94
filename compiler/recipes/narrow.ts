/** `f16`, `bf16`, `w8`, `w4`, `w4:32`: narrow weights that are computed with in f32. */

import {headOf} from '../../ir/graph.js';
import {hashOfData} from '../evaluate-variant.js';
import {spread} from '../quantize/samples.js';
import {explain} from '../quantize-weights/explain.js';
import {withNarrow} from '../quantize-weights/insert.js';
import {type Narrowed, needsMoments} from '../quantize-weights/narrow.js';
import {type Options, study, type Wanted} from '../quantize-weights/study.js';
import type {Task} from '../tasks.js';
import type {Family} from './candidate.js';

export async function narrow(wanted: readonly Wanted[], tasks: readonly Task[], options: Options): Promise<Family> {
  const studied = wanted.length === 0 ? [] : await study(wanted, tasks, options);
  return {
    candidates: studied.map(({task, recipe, form, samples, narrowed}) => {
      const made = new Map<string, Narrowed>();
      for (const [name, each] of narrowed) if (typeof each !== 'string') made.set(name, each);
      const seen = samples && needsMoments(form) ? samples : null;
      return {
        ...{task, recipe},
        facts: seen ? {calibration: 'gptq', samples: spread(seen.data, options.count).length, data: hashOfData(seen)} : {},
        layers: () => [...made.keys()],
        extend: (module, float, as) => {
          const rest = new Map([...made].filter(([name]) => !float.has(name)));
          return withNarrow(module, headOf(module, task.name), rest, as);
        },
      };
    }),
    explain: async floats => studied.map((each, i) => explain(each, floats[i]!)),
  };
}
