/**
 * Low rank after training: which layers become which thin ones under a limit on what they cost, and how they are fitted.
 * Each layer's options are judged on samples that no fit has seen; what relative errors of a layer do to the scores is measured for a few
 * of them.
 */
import type {Matrix, Product} from '../algebra/matrix.js';
import type {Labelled} from '../data/dataset.js';
import {allocate, type Option} from '../reconstruct/allocate.js';
import {costsOf, type Sized} from '../reconstruct/costs.js';
import type {Maker} from '../reconstruct/fit.js';
import {frontToBack, type Offer, type Walked} from '../reconstruct/front-to-back.js';
import {harmsOf} from '../reconstruct/harm.js';
import type {Layer} from '../reconstruct/layers.js';
import {metricOf} from '../reconstruct/least-squares.js';
import {costOf, isCheaper, negated} from '../reconstruct/spared.js';
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
  type ShrinkOptions,
  studyNetwork,
} from '../reconstruct/study.js';
import type {Task} from '../tasks.js';
import {type Factors, factorize, factorizer, quick, thorough} from './factorize.js';
import {type Choice, choiceName, choicesFor, stagesOf} from './forms.js';
import type {ThinLayer} from './insert.js';

/** A layer and what it may become; `error` is relative to the energy of what it gives, on samples that were held out. */
export type LayerOption = Option & {readonly choice: Choice | null; readonly microseconds: number; readonly error: number};

export type Studied = Network & {
  /** By the name of the layer's result. The first option of each layer is to stay. */
  readonly options: ReadonlyMap<string, readonly LayerOption[]>;
};

/** Errors: those of `studyNetwork`. */
export async function study(tasks: readonly Task[], task: Task, samples: Labelled, options: ShrinkOptions): Promise<Studied> {
  const {studied, found} = await studyNetwork(tasks, task, samples, options, [
    `lowrank ${options.spared}`,
    own => optionsOf(own, task, options),
  ]);
  return {...studied, options: new Map(found)};
}

type Found = readonly (readonly [string, readonly LayerOption[]])[];

function optionsOf(studied: Moved, task: Task, {progress = () => {}, spared}: ShrinkOptions): Found {
  const {layers} = studied.network;
  const choices = new Map(layers.map(layer => [layer.name, choicesFor(layer, spared)] as const));
  const costs = costsOf(
    layers.flatMap(layer => choices.get(layer.name)!.flatMap(choice => sizedOf(layer, choice))),
    layers.map(wholeOf),
  );
  return layers.map(layer => {
    progress(`${task.name}: forms of ${layer.name}`);
    const feeding = layers.filter(({name}) => layer.feeders.includes(name)).map(wholeOf);
    const cost = costOf([wholeOf(layer)], costs);
    const cheaper = choices.get(layer.name)!.flatMap((choice): readonly Priced[] => {
      // What feeds a layer that is removed is removed with it.
      const own = choice.form === 'none' ? negated(costOf(feeding, costs)) : costOf(sizedOf(layer, choice), costs);
      return isCheaper(own, cost, spared) ? [{choice, cost: own[spared], microseconds: own.time}] : [];
    });
    const tried = triedOf(studied, layer, cheaper);
    const harms = harmsOf(tried, ({map}) => divergenceOf(studied, [{layer, map}]));
    const whole: LayerOption = {choice: null, cost: cost[spared], microseconds: cost.time, harm: 0, error: 0};
    const rest = tried.map(({map: _, ...option}, i) => ({...option, harm: harms[i]!}));
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

/** A form that is cheaper than the whole layer. */
type Priced = {readonly choice: Choice; readonly cost: number; readonly microseconds: number};
type Tried = Priced & {readonly error: number; readonly map: Matrix};

/** Those that stand for the layer. */
function triedOf(studied: Moved, layer: Layer, priced: readonly Priced[]): readonly Tried[] {
  const {gram} = metricOf(studied.read.get(layer.name)!);
  const target = {map: layer.weights, gram};
  const errorOf = errorsOf(studied, layer);
  const make = factorizer(
    studied.network.product,
    layer,
    target,
    priced.map(({choice}) => choice),
  );
  return priced.flatMap(own => {
    const {map} = make(own.choice, quick);
    const error = errorOf(map);
    return error <= mostError ? [{...own, error, map}] : [];
  });
}

/** Thin layers, and the option that they are. */
export type Thin = Factors & {readonly option: LayerOption};

/** Layers are those that are thin, and those behind them, which were fitted anew. */
export type Thinned = Walked<Thin> & {
  /** What was chosen for each layer; a fit may have been none, and another option taken. */
  readonly chosen: ReadonlyMap<string, LayerOption>;
  readonly expected: Expected;
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

/** Where a fit is none, the cheapest options that err at most so much as much are tried. */
const [gentle, mostFallbacks] = [0.6, 2];

/** The network made thinner up to a limit. It has these weights afterwards. `before`: what was made of it under other limits. */
export function thinned(
  {network, fit, held, options}: Studied,
  {share, harm}: Limit,
  progress: (layer: string) => void,
  before: readonly Thinned[] = [],
): Thinned {
  const names = [...options.keys()];
  const whole = [...options.values()].reduce((sum, [first]) => sum + first!.cost, 0);
  const lists = [...options.values()];
  const allocated = allocate(lists, (1 - share) * whole, harm);
  const chosen = new Map(allocated.map((option, i) => [names[i]!, option]));
  const offers = new Map<string, Offer<Thin>>();
  for (const [name, option] of chosen) {
    if (!option.choice) continue;
    const gentler = options.get(name)!.filter(({choice, error}) => choice && error < gentle * option.error);
    const next = gentler.toSorted((a, b) => a.cost - b.cost).slice(0, mostFallbacks);
    offers.set(name, {
      name: choiceName(option.choice),
      makers: [option, ...next].map(each => makerOf(network.product, each)),
    });
  }
  const walked = frontToBack(network, {offers, fit, held, progress}, mostError, before);
  return {...walked, chosen, expected: expectedOf(lists, allocated)};
}

const makerOf =
  (product: Product, option: LayerOption): Maker<Thin> =>
  (layer, target, draft) => {
    const factors = factorize(product, layer, target, option.choice!, draft ? quick : thorough);
    return {map: factors.map, factors: {...factors, option}};
  };
