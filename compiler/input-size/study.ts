/**
 * A network on smaller images, fitted to what it gave on whole ones: means of channels from the front (as re-estimated batch
 * normalizations would have them), and least squares for layers that look at whole images.
 */
import {headOf} from '../../ir/graph.js';
import {apply} from '../algebra/matrix.js';
import type {Labelled} from '../data/dataset.js';
import {after} from '../recipes/steps.js';
import {fitNow, type Surveyed, seen} from '../reconstruct/front-to-back.js';
import {type Judgement, judge} from '../reconstruct/judge.js';
import {type Layer, positionsOf} from '../reconstruct/layers.js';
import {type Network, openNetwork, type Parameters} from '../reconstruct/network.js';
import {type StudyOptions, studyNetwork} from '../reconstruct/study.js';
import type {Task} from '../tasks.js';
import {withInputSize} from './insert.js';

export type Resized = {
  readonly judgement: Judgement;
  /** By the names of layers in the network as it was. */
  readonly layers: ReadonlyMap<string, Parameters>;
  /** As they were, and as they are: in the same order. */
  readonly before: readonly Layer[];
  readonly after: readonly Layer[];
};

/** Errors: those of `withInputSize` and `studyNetwork`. */
export async function resized(
  tasks: readonly Task[],
  task: Task,
  samples: Labelled,
  scale: number,
  options: StudyOptions,
): Promise<Resized> {
  const {progress = () => {}, before = module => module} = options;
  const whole = await studyNetwork(tasks, task, samples, options);
  const network = await openNetwork(tasks, task.name, {
    ...options,
    before: module => after(before(module), task.name, [(own, as) => withInputSize(own, headOf(own, task.name), {scale}, as)]),
  });
  const [was, is] = [whole.network.layers, network.layers];
  const surveyed = withNames(whole.fit, new Map(was.map(({name}, i) => [name, is[i]!.name])));
  const plain = judge(network, whole.held.samples, whole.float);
  const made = new Map<string, Parameters>();
  is.forEach((layer, i) => {
    progress(`${task.name}: fitting ${layer.name} to smaller images`);
    made.set(layer.name, fittedTo(network, layer, was[i]!, surveyed));
    network.rewrite(made);
  });
  const judgement = judge(network, whole.held.samples, whole.float);
  // A fit to few samples can be worse than none.
  if (judgement.divergence >= plain.divergence) return {judgement: plain, layers: new Map(), before: was, after: is};
  return {judgement, layers: new Map(was.map(({name}, i) => [name, made.get(is[i]!.name)!])), before: was, after: is};
}

/**
 * Least squares where each sample is one row, in both networks; elsewhere rows stand for other places of the image, so only means
 * can be compared: the layer keeps its weights and gets the bias that makes these right, with what is added to its result.
 */
function fittedTo(network: Network, layer: Layer, whole: Layer, surveyed: Surveyed): Parameters {
  if (positionsOf(layer) === 1 && positionsOf(whole) === 1) {
    const {map, bias} = fitNow(network, layer, surveyed, (_, {map}) => ({map, factors: null}));
    return {weights: map.data, bias};
  }
  const {samples, survey} = surveyed;
  const part = network.parts.findIndex(layers => layers.includes(layer));
  const rows = samples.map((input, sample) => seen(network, network.look(input, part), layer, sample));
  const {weights} = layer;
  const meanOf = (parts: readonly (Float32Array | null)[] | undefined, width: number): Float64Array =>
    meanOfRows(parts ?? [], width);
  const wanted = meanOf(survey.outputs.get(layer.name), weights.rows);
  const [was, is] = [
    meanOf(survey.beside.get(layer.name), weights.rows),
    meanOf(
      rows.map(({beside}) => beside),
      weights.rows,
    ),
  ];
  const given = apply(
    weights,
    meanOf(
      rows.map(({x}) => x),
      weights.columns,
    ),
  );
  return {weights: weights.data, bias: wanted.map((mean, o) => mean + was[o]! - is[o]! - given[o]!)};
}

/** Of rows of so many values each; zeros where there are none. */
function meanOfRows(parts: readonly (Float32Array | null)[], width: number): Float64Array {
  const sums = new Float64Array(width);
  let count = 0;
  for (const part of parts) {
    if (!part) continue;
    for (let at = 0, i = 0; at < part.length; at++, i = i + 1 === width ? 0 : i + 1) sums[i]! += part[at]!;
    count += part.length / width;
  }
  return count === 0 ? sums : sums.map(sum => sum / count);
}

const withNames = ({samples, survey}: Surveyed, names: ReadonlyMap<string, string>): Surveyed => {
  const renamed = <T>(by: ReadonlyMap<string, T>): ReadonlyMap<string, T> =>
    new Map([...by].map(([name, value]) => [names.get(name)!, value]));
  return {samples, survey: {moments: renamed(survey.moments), outputs: renamed(survey.outputs), beside: renamed(survey.beside)}};
};
