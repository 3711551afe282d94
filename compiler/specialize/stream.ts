/** The time that variants take on a stream of requests as a context has them: side by side, in one run. */
import type {Session} from '../../runtime/index.js';
import type {Context} from '../context.js';
import type {Dataset} from '../data/dataset.js';
import {labelsOf} from '../evaluate-variant.js';
import {percentiles} from '../measure.js';
import {inputTensor} from '../samples.js';

/** Milliseconds per request by variant, medians over rounds, in their order; and how many requests were drawn. */
export type StreamTime = {readonly milliseconds: readonly number[]; readonly requests: number};

const length = 300;

/** Rounds end after so many milliseconds, but there are at least three and at most fifteen that count. */
const budget = 1500;

export function timeStream(
  session: Session,
  task: string,
  variants: readonly string[],
  data: Dataset,
  {classes, share}: Context,
): StreamTime {
  const {inputs} = session.manifest.tasks[task]!;
  const labels = labelsOf(session.manifest.tasks[task]!, data);
  const inside = labels.flatMap((label, i) => (classes.includes(label) ? [i] : []));
  const outside = labels.flatMap((label, i) => (classes.includes(label) ? [] : [i]));
  // Evenly mixed, so that every part of the stream is like the whole.
  const stream = Array.from({length}, (_, at) => {
    const isInside = outside.length === 0 || Math.floor((at + 1) * share) > Math.floor(at * share);
    const from = isInside && inside.length > 0 ? inside : outside;
    const i = from[Math.imul(at + 1, 0x9e3779b1) % from.length] ?? from[at % from.length]!;
    return inputTensor(data.sample(i), inputs[0]!, data.where(i)).data;
  });
  const times = variants.map((): number[] => []);
  const begun = performance.now();
  for (let round = 0; round < 4 || (round < 16 && performance.now() - begun < budget); round++)
    for (const [v, variant] of variants.entries()) {
      const started = performance.now();
      for (const pixels of stream) session.run(task, pixels, {variant});
      if (round > 0) times[v]!.push((performance.now() - started) / length);
    }
  return {milliseconds: times.map(all => Number(percentiles(all).p50.toPrecision(4))), requests: length};
}
