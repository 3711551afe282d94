/**
 * Low rank after training: which layers become which thin ones under a limit on time, and how they are fitted. Each layer's
 * options are judged on samples that no fit has seen; what a relative error of a layer does to the scores is measured once per
 * layer.
 */
import type {Matrix, Product} from '../algebra/matrix.js';
import type {Labelled} from '../data/dataset.js';
import {allocate, type Option} from '../reconstruct/allocate.js';
import {type Costs, measureCosts, type Sized} from '../reconstruct/costs.js';
import {estimate} from '../reconstruct/estimate.js';
import type {Fitted, Maker} from '../reconstruct/fit.js';
import {frontToBack, type Offer, type Walked} from '../reconstruct/front-to-back.js';
import type {Judgement} from '../reconstruct/judge.js';
import type {Layer} from '../reconstruct/layers.js';
import {metricOf} from '../reconstruct/least-squares.js';
import {inputShapesOf, type Stage, wholeStage} from '../reconstruct/stage.js';
import {
  divergenceOf,
  type Expected,
  errorsOf,
  expectedOf,
  type Limit,
  type Moved,
  mostError,
  type Studied as Network,
  probeOf,
  type StudyOptions,
  studyNetwork,
} from '../reconstruct/study.js';
import type {Task} from '../tasks.js';
import {type Factors, factorize, factorizer, quick, thorough} from './factorize.js';
import {type Choice, choiceName, choicesFor, stagesOf} from './forms.js';
import type {ThinLayer} from './insert.js';

/** A layer and what it may become; `error` is relative to the energy of what it gives, on samples that were held out. */
export type LayerOption = Option & {readonly choice: Choice | null; readonly error: number};

export type Studied = Network & {
  /** By the name of the layer's result. The first option of each layer is to stay. */
  readonly options: ReadonlyMap<string, readonly LayerOption[]>;
};

/** Errors: those of `studyNetwork`. */
export async function study(tasks: readonly Task[], task: Task, samples: Labelled, options: StudyOptions): Promise<Studied> {
  const {studied, found} = await studyNetwork(tasks, task, samples, options, [
    'lowrank',
    own => optionsOf(own, tasks, task, options),
  ]);
  return {...studied, options: new Map(found)};
}

type Found = readonly (readonly [string, readonly LayerOption[]])[];

async function optionsOf(studied: Moved, tasks: readonly Task[], task: Task, options: StudyOptions): Promise<Found> {
  const {progress = () => {}} = options;
  const {layers} = studied.network;
  const choices = new Map(layers.map(layer => [layer.name, choicesFor(layer)] as const));
  const costs = await measureCosts(
    layers.flatMap(layer => [wholeOf(layer), ...choices.get(layer.name)!.flatMap(choice => sizedOf(layer, choice))]),
    tasks,
    options,
  );
  return layers.map(layer => {
    progress(`${task.name}: forms of ${layer.name}`);
    const saved = layers.filter(({name}) => layer.feeders.includes(name)).reduce((sum, own) => sum + costs(wholeOf(own)), 0);
    const tried = triedOf(studied, layer, choices.get(layer.name)!, costs, saved);
    const probe = probeOf(tried);
    const harm = probe ? divergenceOf(studied, [{layer, map: probe.map}]) / Math.max(probe.error, 1e-12) : 0;
    const whole: LayerOption = {choice: null, microseconds: costs(wholeOf(layer)), harm: 0, error: 0};
    const rest = tried.map(({choice, microseconds, error}) => ({choice, microseconds, error, harm: harm * error}));
    return [layer.name, [whole, ...rest]] as const;
  });
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

/** Options that are faster than the whole layer and stand for it. What feeds a layer that is removed is removed with it. */
function triedOf(studied: Moved, layer: Layer, choices: readonly Choice[], costs: Costs, feeding: number): readonly Tried[] {
  const {gram} = metricOf(studied.read.get(layer.name)!);
  const target = {map: layer.weights, gram};
  const whole = costs(wholeOf(layer));
  const errorOf = errorsOf(studied, layer);
  const faster = choices.flatMap(choice => {
    const own = sizedOf(layer, choice).reduce((sum, sized) => sum + costs(sized), 0);
    const microseconds = choice.form === 'none' ? -feeding : own;
    return microseconds < whole ? [{choice, microseconds}] : [];
  });
  const make = factorizer(
    studied.network.product,
    layer,
    target,
    faster.map(({choice}) => choice),
  );
  return faster.flatMap(({choice, microseconds}) => {
    const {map} = make(choice, quick);
    const error = errorOf(map);
    return error <= mostError ? [{choice, microseconds, error, map}] : [];
  });
}

/** Thin layers, and the option that they are. */
export type Thin = Factors & {readonly option: LayerOption};

export type Thinned = {
  /** By the name of the layer's result: those that are thin, and those behind them, which were fitted anew. */
  readonly layers: ReadonlyMap<string, Fitted<Thin | null>>;
  /** What was chosen for each layer; a fit may have been none, and another option taken. */
  readonly chosen: ReadonlyMap<string, LayerOption>;
  readonly expected: Expected;
  readonly offers: ReadonlyMap<string, Offer<Thin>>;
  readonly walked: Walked<Thin>;
};

/** What a layer has become; null: it is whole, chosen so or because no fit stood for it. */
export const optionOf = ({layers}: Thinned, name: string): LayerOption | null => layers.get(name)?.factors?.option ?? null;
export const choiceOf = (thin: Thinned, name: string): Choice | null => optionOf(thin, name)?.choice ?? null;

/** What has become of layers, by the names of their results, as it is written. */
export const thinLayers = ({network}: Studied, thin: Thinned): ReadonlyMap<string, ThinLayer> =>
  new Map(
    network.layers.flatMap(layer => {
      const fitted = thin.layers.get(layer.name);
      return fitted ? [[layer.name, {fitted, stages: stagesNow(layer, choiceOf(thin, layer.name))}] as const] : [];
    }),
  );

/** Where a fit is none, the fastest options that err at most so much as much are tried. */
const [gentle, mostFallbacks] = [0.6, 2];

/** The network made thinner up to a limit. It has these weights afterwards. `before`: what was made of it under other limits. */
export function thinned(
  {network, fit, held, options}: Studied,
  {share, harm}: Limit,
  progress: (layer: string) => void,
  before: readonly Thinned[] = [],
): Thinned {
  const names = [...options.keys()];
  const whole = [...options.values()].reduce((sum, [first]) => sum + first!.microseconds, 0);
  const lists = [...options.values()];
  const allocated = allocate(lists, (1 - share) * whole, harm);
  const chosen = new Map(allocated.map((option, i) => [names[i]!, option]));
  const offers = new Map<string, Offer<Thin>>();
  for (const [name, option] of chosen) {
    if (!option.choice) continue;
    const gentler = options.get(name)!.filter(({choice, error}) => choice && error < gentle * option.error);
    const next = gentler.toSorted((a, b) => a.microseconds - b.microseconds).slice(0, mostFallbacks);
    offers.set(name, {
      name: choiceName(option.choice),
      makers: [option, ...next].map(each => makerOf(network.product, each)),
    });
  }
  const walked = frontToBack(
    network,
    {offers, fit, held, progress},
    mostError,
    before.map(other => other.walked),
  );
  return {layers: walked.layers, chosen, offers, walked, expected: expectedOf(lists, allocated)};
}

/** What is expected of it on samples that it was not fitted to; see `estimate`. The network has these weights afterwards. */
export const judgementOf = (
  studied: Studied,
  {offers, walked}: Thinned,
  again: boolean,
  progress: (layer: string) => void,
): Judgement => estimate(studied, {offers, made: walked, again}, mostError, progress);

const makerOf =
  (product: Product, option: LayerOption): Maker<Thin> =>
  (layer, target, draft) => {
    const factors = factorize(product, layer, target, option.choice!, draft ? quick : thorough);
    return {map: factors.map, factors: {...factors, option}};
  };
