/** What a network makes of labelled samples, computed once per data: features at its cuts, scores of it and of its rivals. */
import {elements} from '../../ir/tensor.js';
import type {Session} from '../../runtime/index.js';
import type {Variant} from '../../runtime/manifest.js';
import type {Labelled} from '../data/dataset.js';
import {labelsOf} from '../evaluate-variant.js';
import {featuresOf, type Place, widthOf} from '../fit/features.js';
import {gather} from '../fit/logistic.js';

export type SeenAll = {
  /** Output indices. */
  readonly labels: readonly number[];
  readonly classes: number;
  /** By place: [samples][width]. */
  readonly features: readonly Float32Array[];
  /** By variant id: [samples][classes]. */
  readonly scores: ReadonlyMap<string, Float32Array>;
};

/** `places` are along the general variant, the first of `variants`. */
export function seeAll(
  session: Session,
  variants: readonly Variant[],
  places: readonly Place[],
  data: Labelled,
  progress: (doing: string) => void,
): SeenAll {
  const [general, ...others] = variants;
  const task = session.manifest.tasks[general!.task]!;
  const labels = labelsOf(task, data.data);
  const {features, scores} = featuresOf(session, general!, places, data, progress);
  const rivals = others.map(other => {
    const say = (doing: string): void => progress(`${other.id}: ${doing}`);
    return [other.id, featuresOf(session, other, [], data, say).scores] as const;
  });
  return {labels, classes: elements(task.outputs[0]!.shape), features, scores: new Map([[general!.id, scores], ...rivals])};
}

/** Some of the samples. */
export function rowsOf(seen: SeenAll, places: readonly Place[], keep: (i: number) => boolean): SeenAll {
  const rows = seen.labels.flatMap((_, i) => (keep(i) ? [i] : []));
  return {
    labels: rows.map(i => seen.labels[i]!),
    classes: seen.classes,
    features: seen.features.map((all, place) => gather(all, widthOf(places[place]!), rows)),
    scores: new Map([...seen.scores].map(([id, all]) => [id, gather(all, seen.classes, rows)])),
  };
}
