/**
 * A network on smaller images, fitted to what it gave on whole ones: means of channels from the front (as re-estimated batch
 * normalizations would have them), and least squares for layers that look at whole images.
 */
import {headOf} from '../../ir/graph.js';
import {apply} from '../algebra/matrix.js';
import type {Labelled} from '../data/dataset.js';
import {after} from '../recipes/steps.js';
import {fitted, wantedNow} from '../reconstruct/fit.js';
import {compared, type Judgement, judge} from '../reconstruct/judge.js';
import {type Layer, positionsOf} from '../reconstruct/layers.js';
import {type Network, openNetwork, type Parameters} from '../reconstruct/network.js';
import {type StudyOptions, surveyNetwork} from '../reconstruct/study.js';
import {joined, type Surveyed} from '../reconstruct/survey.js';
import {rowsAt, type Walk, walkThrough} from '../reconstruct/walk.js';
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

/** Errors: those of `withInputSize` and `surveyNetwork`. */
export async function resized(
  tasks: readonly Task[],
  task: Task,
  samples: Labelled,
  scale: number,
  options: StudyOptions,
): Promise<Resized> {
  const {progress = () => {}, before = module => module} = options;
  const whole = await surveyNetwork(tasks, task, samples, options);
  const network = await openNetwork(tasks, task.name, {
    ...options,
    before: module => after(before(module), task.name, [(own, as) => withInputSize(own, headOf(own, task.name), {scale}, as)]),
  });
  const [was, is] = [whole.network.layers, network.layers];
  const surveyed = withNames(whole.fit, new Map(was.map(({name}, i) => [name, is[i]!.name])));
  const plain = judge(compared(network, whole.held.samples, whole.float), whole.float);
  const made = new Map<string, Parameters>();
  const walk = walkThrough(network, surveyed.samples);
  is.forEach((layer, i) => {
    progress(`${task.name}: fitting ${layer.name} to smaller images`);
    made.set(layer.name, fittedTo(network, walk, layer, was[i]!, surveyed));
    network.rewrite(made);
  });
  const judgement = judge(compared(network, whole.held.samples, whole.float), whole.float);
  // A fit to few samples can be worse than none.
  if (judgement.divergence >= plain.divergence) return {judgement: plain, layers: new Map(), before: was, after: is};
  return {judgement, layers: new Map(was.map(({name}, i) => [name, made.get(is[i]!.name)!])), before: was, after: is};
}

/**
 * Least squares where each sample is one row, in both networks; elsewhere rows stand for other places of the image, so only means
 * can be compared: the layer keeps its weights and gets the bias that makes these right, with what is added to its result.
 */
function fittedTo(network: Network, walk: Walk, layer: Layer, whole: Layer, surveyed: Surveyed): Parameters {
  if (positionsOf(layer) === 1 && positionsOf(whole) === 1) {
    const wanted = wantedNow(network, walk, layer, surveyed);
    const {map, bias} = fitted(network, layer, wanted, (_, {map}) => ({map, factors: null}));
    return {weights: map.data, bias};
  }
  const {samples, survey} = surveyed;
  const {x, beside} = rowsAt(network, walk, layer, samples.length);
  const {weights} = layer;
  const wanted = meanOf(joined(survey.outputs.get(layer.name)!), weights.rows);
  const [was, is] = [meanOf(joined(survey.beside.get(layer.name) ?? []), weights.rows), meanOf(beside, weights.rows)];
  const given = apply(weights, meanOf(x, weights.columns));
  return {weights: weights.data, bias: wanted.map((mean, o) => mean + was[o]! - is[o]! - given[o]!)};
}

/** Of rows of so many values each; zeros where there are none. */
function meanOf(rows: Float32Array | null, width: number): Float64Array {
  const sums = new Float64Array(width);
  if (!rows || rows.length === 0) return sums;
  for (let first = 0; first < rows.length; first += width) for (let i = 0; i < width; i++) sums[i]! += rows[first + i]!;
  return sums.map(sum => (sum * width) / rows.length);
}

const withNames = ({samples, survey}: Surveyed, names: ReadonlyMap<string, string>): Surveyed => {
  const renamed = <T>(by: ReadonlyMap<string, T>): ReadonlyMap<string, T> =>
    new Map([...by].map(([name, value]) => [names.get(name)!, value]));
  return {samples, survey: {outputs: renamed(survey.outputs), beside: renamed(survey.beside)}};
};
