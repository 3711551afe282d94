/** A task's network as fits need it: running, with what it makes of samples to fit to and of others that are held out. */
import {fail} from '../../ir/diagnostics.js';
import {inner, type Matrix, minus, type Product, timesTransposed} from '../algebra/matrix.js';
import type {Labelled} from '../data/dataset.js';
import type {Reading} from '../quantize/taps.js';
import type {Task} from '../tasks.js';
import type {Option} from './allocate.js';
import {biasAlone} from './fit.js';
import {judge} from './judge.js';
import type {Layer} from './layers.js';
import type {Moments} from './moments.js';
import {type Network, openNetwork, type Parameters} from './network.js';
import {samplesFor} from './samples.js';
import {energyOfOutputs, type Surveyed, surveyOf} from './survey.js';

export type StudyOptions = Reading & {
  /** How many samples are looked at; a fifth of them is held out. */
  readonly count: number;
};

export type Studied = {
  readonly network: Network;
  readonly fit: Surveyed;
  readonly held: Surveyed;
  /** Probabilities that the float network gives the classes, of each sample that is held out. */
  readonly float: readonly Float64Array[];
};

/** Errors: usage reconstruct.layers; input calibrate.*. */
export async function studyNetwork(
  tasks: readonly Task[],
  {name}: Task,
  {data}: Labelled,
  options: StudyOptions,
): Promise<Studied> {
  const {progress = () => {}, count} = options;
  const network = await openNetwork(tasks, name, options);
  if (network.layers.length === 0)
    fail('usage', 'reconstruct.layers', name, 'has no layer that could be smaller', 'build it without this recipe');
  const samples = samplesFor(network.entry(), data, count, done => progress(`${name}: ${done} of ${count} samples`));
  const surveyed = (own: typeof samples.fit, what: string): Surveyed => ({
    samples: own,
    survey: surveyOf(network, own, done => progress(`${name}: layers on ${done} of ${own.length} ${what}`)),
  });
  return {
    network,
    fit: surveyed(samples.fit, 'samples'),
    held: surveyed(samples.held, 'samples held out'),
    float: samples.held.map(input => network.probabilities(input)),
  };
}

/** An option with a larger relative error does not stand for its layer any more. */
export const mostError = 0.3;

/** tr(M G M') */
const energyOf = (product: Product, map: Matrix, gram: Matrix): number => inner(timesTransposed(product, map, gram), map);

/**
 * What a layer is off with another map, relative to the energy of what it gives with what is added to that, on samples that were
 * held out.
 */
export function errorsOf({network: {product}, held: {survey}}: Studied, layer: Layer): (map: Matrix) => number {
  const {gram} = survey.moments.get(layer.name)!;
  const energy = Math.max(energyOfOutputs(survey, layer), 1e-30);
  return map => energyOf(product, minus(map, layer.weights), gram) / energy;
}

/** Samples that effects are measured on. */
const mostHeld = 100;

/** Divergence of the scores where layers alone have other maps: what a relative error of theirs does to the network. */
export function divergenceOf(
  {network, fit, held, float}: Studied,
  changed: readonly {readonly layer: Layer; readonly map: Matrix}[],
): number {
  const meansOf = ({name}: Layer): Pick<Moments, 'meanX'> => fit.survey.moments.get(name)!;
  const parameters = new Map(
    changed.map(({layer, map}): [string, Parameters] => [
      layer.name,
      {weights: map.data, bias: biasAlone(layer, meansOf(layer), map)},
    ]),
  );
  network.rewrite(parameters);
  return Math.max(judge(network, held.samples.slice(0, mostHeld), float).divergence, 1e-9);
}

/** How far a network may go: to a share of the time that its layers take, and to so many nats of expected divergence. */
export type Limit = {readonly share: number; readonly harm: number};

/** Expected nats: of what was chosen, and where each layer alone is held to the same share of its time; null: some cannot be. */
export type Expected = {readonly harm: number; readonly uniform: number | null};

/** Of options chosen from lists whose first ones are to stay. */
export function expectedOf<O extends Option>(lists: readonly (readonly O[])[], chosen: readonly O[]): Expected {
  const time = (options: readonly O[]): number => options.reduce((sum, {microseconds}) => sum + microseconds, 0);
  const share = time(chosen) / time(lists.map(([whole]) => whole!));
  // Layers without any option stay in both.
  const open = lists.filter(list => list.length > 1);
  const harms = open.map(list =>
    Math.min(...list.filter(({microseconds}) => microseconds <= share * list[0]!.microseconds).map(({harm}) => harm)),
  );
  const uniform = harms.reduce((sum, harm) => sum + harm, 0);
  return {harm: chosen.reduce((sum, {harm}) => sum + harm, 0), uniform: Number.isFinite(uniform) ? uniform : null};
}

/** A network whose scores diverge by more nats is another one: nothing goes further, whatever share was asked for. */
export const mostHarm = 0.2;

/** Options' effects are measured where relative errors are near this: divergence and squared error grow alike. */
const typicalError = 0.02;

/** The option whose error is the most typical. */
export const probeOf = <O extends {readonly error: number}>(options: readonly O[]): O | undefined =>
  options.toSorted((a, b) => distance(a.error) - distance(b.error))[0];

const distance = (error: number): number => Math.abs(Math.log(Math.max(error, 1e-12) / typicalError));
