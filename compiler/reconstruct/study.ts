/** A task's network as fits need it: running, with what it makes of samples to fit to and of others that are held out. */
import {fail} from '../../ir/diagnostics.js';
import {headOf} from '../../ir/graph.js';
import {print} from '../../ir/print.js';
import {inner, type Matrix, minus, type Product, timesTransposed} from '../algebra/matrix.js';
import {keep, recall} from '../cache.js';
import type {Labelled} from '../data/dataset.js';
import {hashOfData} from '../evaluate-variant.js';
import {identity, thisMachine} from '../identity.js';
import {onlyHead} from '../network-file.js';
import type {Reading} from '../quantize/taps.js';
import type {Task} from '../tasks.js';
import type {Option} from './allocate.js';
import {biasAlone} from './fit.js';
import {compared, divergenceOfScores} from './judge.js';
import type {Layer} from './layers.js';
import type {Moments} from './moments.js';
import {type Network, openNetwork, type Parameters} from './network.js';
import {samplesFor} from './samples.js';
import type {Spared} from './spared.js';
import {energyOfOutputs, type MomentsRead, type Surveyed, surveyOf} from './survey.js';

export type StudyOptions = Reading & {
  /** How many samples are looked at; a fifth of them is held out. */
  readonly count: number;
};

/** Of a study that looks for cheaper layers. */
export type ShrinkOptions = StudyOptions & {readonly spared: Spared};

export type Studied = {
  readonly network: Network;
  readonly fit: Surveyed;
  readonly held: Surveyed;
  /** Probabilities that the float network gives the classes, by the samples' numbers. */
  readonly float: readonly Float64Array[];
};

/** What layers read: known where their options have to be found. */
export type Moved = Studied & {readonly read: MomentsRead; readonly readByHeld: MomentsRead};

/**
 * What is known of a network, and what `find` finds out about its options: plain data, remembered in the user's cache by all that it
 * depends on, under the name of the method. Errors: usage reconstruct.layers, reconstruct.samples; input calibrate.*.
 */
export async function studyNetwork<T>(
  tasks: readonly Task[],
  task: Task,
  labelled: Labelled,
  options: StudyOptions,
  [method, find]: readonly [string, (studied: Moved) => T],
): Promise<{readonly studied: Studied; readonly found: T}> {
  const {name} = task;
  const network = await openNetwork(tasks, name, options);
  const key = keyOf(network, task, labelled, `${method} ${options.count}`);
  const known = recall('studies', key) as T | undefined;
  const {studied, read, readByHeld} = surveyed(network, name, labelled, options, known === undefined);
  if (known !== undefined) return {studied, found: known};
  const found = find({...studied, read, readByHeld});
  keep('studies', key, found);
  return {studied, found};
}

/** A network and what it makes of samples. Errors: as `studyNetwork`. */
export async function surveyNetwork(
  tasks: readonly Task[],
  {name}: Task,
  labelled: Labelled,
  options: StudyOptions,
): Promise<Studied> {
  return surveyed(await openNetwork(tasks, name, options), name, labelled, options, false).studied;
}

function surveyed(
  network: Network,
  name: string,
  {data}: Labelled,
  {progress = () => {}, count}: StudyOptions,
  moments: boolean,
) {
  if (network.layers.length === 0)
    fail('usage', 'reconstruct.layers', name, 'has no layer that could be smaller', 'build it without this recipe');
  const samples = samplesFor(network.entry(), data, count, done => progress(`${name}: ${done} of ${count} samples`));
  const survey = (own: typeof samples.fit, what: string) =>
    surveyOf(network, own, {moments, progress: done => progress(`${name}: layers on ${done} of ${own.length} ${what}`)});
  const [{moments: read, ...fit}, {moments: readByHeld, ...held}] = [
    survey(samples.fit, 'samples'),
    survey(samples.held, 'samples held out'),
  ];
  const float: Float64Array[] = [];
  for (const {input, number} of [...samples.fit, ...samples.held]) float[number] = network.probabilities(input);
  return {studied: {network, fit, held, float}, read, readByHeld};
}

/** Names all that options depend on: dnnc, the machine, the network, what is asked of it, and samples. */
function keyOf({module}: Network, {name, input}: Task, labelled: Labelled, what: string): string {
  const text = print(onlyHead(module, headOf(module, name)));
  return [identity(), ...Object.values(thisMachine()), what, JSON.stringify(input), hashOfData(labelled), text].join('\n');
}

/** An option with a larger relative error does not stand for its layer any more. */
export const mostError = 0.3;

/** tr(M G M') */
const energyOf = (product: Product, map: Matrix, gram: Matrix): number => inner(timesTransposed(product, map, gram), map);

/**
 * What a layer is off with another map, relative to the energy of what it gives with what is added to that, on samples that were
 * held out.
 */
export function errorsOf({network: {product}, held, readByHeld}: Moved, layer: Layer): (map: Matrix) => number {
  const {gram} = readByHeld.get(layer.name)!;
  const energy = Math.max(energyOfOutputs(held.survey, layer), 1e-30);
  return map => energyOf(product, minus(map, layer.weights), gram) / energy;
}

/** Samples that effects are measured on: those held out, and where they are few others too, since one layer alone is hardly fitted to them. */
const mostProbed = 100;

/** Divergence of the scores where layers alone have other maps: what a relative error of theirs does to the network. */
export function divergenceOf(
  {network, read, fit, held, float}: Moved,
  changed: readonly {readonly layer: Layer; readonly map: Matrix}[],
): number {
  const meansOf = ({name}: Layer): Pick<Moments, 'meanX'> => read.get(name)!;
  const parameters = new Map(
    changed.map(({layer, map}): [string, Parameters] => [
      layer.name,
      {weights: map.data, bias: biasAlone(layer, meansOf(layer), map)},
    ]),
  );
  network.rewrite(parameters);
  return Math.max(divergenceOfScores(compared(network, [...held.samples, ...fit.samples].slice(0, mostProbed), float)), 1e-9);
}

/** How far a network may go: to a share of what its layers cost, and to so many nats of expected divergence. */
export type Limit = {readonly share: number; readonly harm: number};

/** The share of all cost that is left, and expected nats: of what was chosen, and where each layer alone is held to that share of its cost; null: some cannot be. */
export type Expected = {readonly share: number; readonly harm: number; readonly uniform: number | null};

/** Of options chosen from lists whose first ones are to stay. */
export function expectedOf<O extends Option>(lists: readonly (readonly O[])[], chosen: readonly O[]): Expected {
  const costOf = (options: readonly O[]): number => options.reduce((sum, {cost}) => sum + cost, 0);
  const share = costOf(chosen) / costOf(lists.map(([whole]) => whole!));
  // Layers without any option stay in both.
  const open = lists.filter(list => list.length > 1);
  const harms = open.map(list => Math.min(...list.filter(({cost}) => cost <= share * list[0]!.cost).map(({harm}) => harm)));
  const uniform = harms.reduce((sum, harm) => sum + harm, 0);
  return {share, harm: chosen.reduce((sum, {harm}) => sum + harm, 0), uniform: Number.isFinite(uniform) ? uniform : null};
}

/** A network whose scores diverge by more nats is another one: nothing goes further, whatever share was asked for. */
export const mostHarm = 0.2;
