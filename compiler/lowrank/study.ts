/**
 * Low rank after training: which layers become which thin ones under a limit on time, and how they are fitted. Each layer's
 * options are judged on samples that no fit has seen; what a relative error of a layer does to the scores is measured once per
 * layer, since divergence and squared error grow alike.
 */
import {fail} from '../../ir/diagnostics.js';
import {inner, type Matrix, type Product, timesTransposed} from '../algebra/matrix.js';
import type {Labelled} from '../data/dataset.js';
import type {Reading} from '../quantize/taps.js';
import {biasAlone, type Fitted, frontToBack, type Maker, type Survey, surveyOf} from '../reconstruct/front-to-back.js';
import {type Judgement, judge} from '../reconstruct/judge.js';
import type {Layer} from '../reconstruct/layers.js';
import {metricOf} from '../reconstruct/least-squares.js';
import type {Moments} from '../reconstruct/moments.js';
import {type Network, openNetwork} from '../reconstruct/network.js';
import {type Samples, samplesFor} from '../reconstruct/samples.js';
import type {Task} from '../tasks.js';
import {allocate, type Option} from './allocate.js';
import {type Costs, measureCosts, type Sized} from './costs.js';
import {type Factors, factorize, quick, thorough} from './factorize.js';
import {type Choice, choicesFor, inputShapesOf, type Stage, stagesOf, wholeStage} from './forms.js';

export type Wanted = {readonly task: Task; readonly samples: Labelled};

export type Options = Reading & {
  /** How many samples are looked at; a fifth of them is held out. */
  readonly count: number;
};

/** A layer and what it may become; `error` is relative to the energy of what it gives, on samples that were held out. */
export type LayerOption = Option & {readonly choice: Choice | null; readonly error: number};

export type Studied = {
  readonly network: Network;
  readonly samples: Samples;
  readonly float: readonly Float64Array[];
  readonly survey: Survey;
  readonly held: Survey;
  /** The first option of each layer is to stay. */
  readonly options: ReadonlyMap<string, readonly LayerOption[]>;
};

/** An option with a larger relative error does not stand for its layer any more. */
const mostError = 0.3;
/** A network whose scores diverge by more nats is another one: nothing goes further, whatever share was asked for. */
const mostHarm = 0.2;
/** Layers' effects are measured where their relative errors are near this. */
const typicalError = 0.02;
/** Samples that effects are measured on. */
const mostHeld = 100;

export async function study(tasks: readonly Task[], {task, samples: labelled}: Wanted, options: Options): Promise<Studied> {
  const {progress = () => {}, count} = options;
  const {name} = task;
  const network = await openNetwork(tasks, name, options);
  const {layers, product} = network;
  if (layers.length === 0)
    fail('usage', 'lowrank.layers', name, 'has no layer that could be thinner', 'build it without --recipe lowrank');
  const samples = samplesFor(network.entry(), labelled.data, count, done => progress(`${name}: ${done} of ${count} samples`));
  const float = samples.held.map(input => network.probabilities(input));
  const choices = new Map(layers.map(layer => [layer.name, choicesFor(layer)] as const));
  const costs = await measureCosts(
    layers.flatMap(layer => [wholeOf(layer), ...choices.get(layer.name)!.flatMap(choice => sizedOf(layer, choice))]),
    tasks,
    options,
  );
  const survey = surveyOf(network, layers, samples.fit, done =>
    progress(`${name}: layers on ${done} of ${samples.fit.length} samples`),
  );
  const held = surveyOf(network, layers, samples.held, done => progress(`${name}: layers on ${done} held samples`));
  const found = new Map(
    layers.map(layer => {
      progress(`${name}: forms of ${layer.name}`);
      const [fit, test] = [survey.moments.get(layer.name)!, held.moments.get(layer.name)!];
      const tried = triedOf(product, layer, choices.get(layer.name)!, fit, test, costs);
      const few = {...samples, held: samples.held.slice(0, mostHeld)};
      const harm = harmOf(network, layer, tried, fit, few, float);
      const whole: LayerOption = {choice: null, microseconds: costs(wholeOf(layer)), harm: 0, error: 0};
      const rest = tried.map(({choice, microseconds, error}) => ({choice, microseconds, error, harm: harm * error}));
      return [layer.name, [whole, ...rest]] as const;
    }),
  );
  network.rewrite(new Map());
  return {network, samples, float, survey, held, options: found};
}

/** The layer's stages where that was chosen; null: it stays whole. */
export const stagesNow = (layer: Layer, choice: Choice | null): readonly Stage[] =>
  choice ? stagesOf(layer, choice) : [wholeStage(layer)];

const wholeOf = (layer: Layer): Sized => ({stage: wholeStage(layer), input: layer.inputShape});

function sizedOf(layer: Layer, choice: Choice): readonly Sized[] {
  const stages = stagesOf(layer, choice);
  const inputs = inputShapesOf(layer, stages);
  return stages.map((stage, i) => ({stage, input: inputs[i]!}));
}

type Tried = {readonly choice: Choice; readonly microseconds: number; readonly error: number; readonly map: Matrix};
type Seen = Pick<Moments, 'count' | 'gram' | 'meanX'>;

/** Options that are faster than the whole layer and stand for it. */
function triedOf(
  product: Product,
  layer: Layer,
  choices: readonly Choice[],
  fit: Seen,
  held: Seen,
  costs: Costs,
): readonly Tried[] {
  const {gram} = metricOf(fit);
  const target = {map: layer.weights, gram};
  const energy = energyOf(product, layer.weights, held.gram);
  const whole = costs(wholeOf(layer));
  return choices.flatMap(choice => {
    const microseconds = sizedOf(layer, choice).reduce((sum, sized) => sum + costs(sized), 0);
    if (!(microseconds < whole)) return [];
    const {map} = factorize(product, layer, target, choice, quick);
    const difference = {...map, data: map.data.map((value, at) => value - layer.weights.data[at]!)};
    const error = energyOf(product, difference, held.gram) / energy;
    return error <= mostError ? [{choice, microseconds, error, map}] : [];
  });
}

function energyOf(product: Product, map: Matrix, gram: Matrix): number {
  return inner(timesTransposed(product, map, gram), map);
}

/** Divergence of the scores per relative error of the layer. */
function harmOf(
  network: Network,
  layer: Layer,
  tried: readonly Tried[],
  fit: Seen,
  {held}: Samples,
  float: readonly Float64Array[],
): number {
  const distance = ({error}: Tried): number => Math.abs(Math.log(Math.max(error, 1e-12) / typicalError));
  const [probe] = tried.toSorted((a, b) => distance(a) - distance(b));
  if (!probe) return 0;
  network.rewrite(new Map([[layer.name, {weights: probe.map.data, bias: biasAlone(layer, fit, probe.map)}]]));
  return Math.max(judge(network, held, float).divergence, 1e-9) / Math.max(probe.error, 1e-12);
}

export type Thinned = {
  /** By the name of the layer's result: those that are thin, and those behind them, which were fitted anew. */
  readonly layers: ReadonlyMap<string, Fitted<Factors | null>>;
  readonly chosen: ReadonlyMap<string, LayerOption>;
  readonly judgement: Judgement;
};

/** What a layer has become; null: it is whole, chosen so or because no fit stood for it. */
export const choiceOf = ({layers, chosen}: Thinned, name: string): Choice | null =>
  layers.get(name)?.factors ? chosen.get(name)!.choice : null;

/** The network whose layers take at most that share of their time, if they can. The network has these weights afterwards. */
export function thinned(
  {network, samples, float, survey, held, options}: Studied,
  share: number,
  progress: (layer: string) => void,
): Thinned {
  const names = [...options.keys()];
  const chosen = new Map(allocate([...options.values()], share, mostHarm).map((option, i) => [names[i]!, option]));
  const makers = new Map<string, Maker<Factors>>();
  for (const [name, {choice}] of chosen) if (choice) makers.set(name, makerOf(network.product, choice));
  const layers = frontToBack(
    network,
    {makers, fit: {samples: samples.fit, survey}, held: {samples: samples.held, survey: held}, progress},
    mostError,
  );
  return {layers, chosen, judgement: judge(network, samples.held, float)};
}

const makerOf =
  (product: Product, choice: Choice): Maker<Factors> =>
  (layer, target) => {
    const factors = factorize(product, layer, target, choice, thorough);
    return {map: factors.map, factors};
  };
