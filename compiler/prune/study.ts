/**
 * Fewer channels after training: which ones, under a limit on what they cost, and what their readers become (He et al. 2017, with the
 * choice by second moments of optimal brain surgeon in place of the lasso).
 */

import {headOf} from '../../ir/graph.js';
import type {ValueId} from '../../ir/types.js';
import type {Matrix} from '../algebra/matrix.js';
import type {Labelled} from '../data/dataset.js';
import {allocate, type Option} from '../reconstruct/allocate.js';
import {costsOf, type Sized} from '../reconstruct/costs.js';
import {frontToBack, type Offer, type Walked} from '../reconstruct/front-to-back.js';
import {harmsOf} from '../reconstruct/harm.js';
import {kernelOf, type Layer} from '../reconstruct/layers.js';
import {metricOf} from '../reconstruct/least-squares.js';
import {type Cost, costOf, isCheaper} from '../reconstruct/spared.js';
import {wholeStage} from '../reconstruct/stage.js';
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
import {elementsLeft, type Group, type Groups, groupsOf, type Kept} from './groups.js';
import {columnsOf, removalOrder, restricted, seenIn} from './select.js';

/** Channels of a group that stay, in order; null: all. `error` is the mean over readers of what they are off. */
export type GroupOption = Option & {
  readonly kept: readonly number[] | null;
  readonly error: number;
  /** What layers cost that make or read them. */
  readonly each: CostByLayer;
};

/** By the names of layers. */
type CostByLayer = Readonly<Record<string, number>>;

export type Studied = Network & {
  readonly groups: Groups;
  /** By the number of the group. The first option is to keep all channels. */
  readonly options: readonly (readonly GroupOption[])[];
  /** What layers cost as they are. */
  readonly wholes: CostByLayer;
};

/** Errors: those of `studyNetwork`. */
export async function study(tasks: readonly Task[], task: Task, samples: Labelled, options: ShrinkOptions): Promise<Studied> {
  const {studied, found} = await studyNetwork(tasks, task, samples, options, [
    `prune ${options.spared}`,
    own => optionsOf(own, task, options),
  ]);
  return {...studied, groups: groupsIn(studied.network, task), ...found};
}

const groupsIn = (network: Network['network'], {name}: Task): Groups =>
  groupsOf(network.module, headOf(network.module, name), network);

function optionsOf(
  studied: Moved,
  task: Task,
  {progress = () => {}, spared}: ShrinkOptions,
): Pick<Studied, 'options' | 'wholes'> {
  const {network} = studied;
  const groups = groupsIn(network, task);
  const sizes = groups.free.flatMap(group =>
    countsOf(group).flatMap(count => touchedBy(network.layers, group, count).map(({sized}) => sized)),
  );
  const wholes = network.layers.map((layer): Touched => ({layer, sized: {stage: wholeStage(layer), input: layer.inputShape}}));
  const costs = costsOf(
    sizes,
    wholes.map(({sized}) => sized),
  );
  const byLayer = (touched: readonly Touched[]): CostByLayer =>
    Object.fromEntries(touched.map(({layer, sized}) => [layer.name, costOf([sized], costs)[spared]]));
  const options = groups.free.map((group): readonly GroupOption[] => {
    progress(`${task.name}: channels before ${group.readers[0]!.layer.name}`);
    const priced = (count: number): Priced & {readonly all: Cost} => {
      const touched = touchedBy(network.layers, group, count);
      const all = costOf(
        touched.map(({sized}) => sized),
        costs,
      );
      return {count, cost: all[spared], each: byLayer(touched), all};
    };
    const whole = priced(group.channels);
    const tried = triedOf(
      studied,
      group,
      countsOf(group)
        .map(priced)
        .filter(({all}) => isCheaper(all, whole.all, spared)),
    );
    const harms = harmsOf(tried, ({maps}) => divergenceOf(studied, maps));
    const all: GroupOption = {kept: null, cost: whole.cost, each: {}, harm: 0, error: 0};
    return [all, ...tried.map(({maps: _, ...option}, i) => ({...option, harm: harms[i]!}))];
  });
  return {options, wholes: byLayer(wholes)};
}

/** How many channels may be left: whole vectors of them, or half ones where there are few. */
function countsOf({channels}: Group): readonly number[] {
  const step = Math.max(channels < 64 ? 8 : 16, Math.ceil(channels / 8 / 16) * 16 * (channels > 128 ? 1 : 0));
  return Array.from({length: Math.max(0, Math.ceil(channels / step) - 1)}, (_, i) => (i + 1) * step).reverse();
}

/** A layer, and its size where some channels are gone. */
type Touched = {readonly layer: Layer; readonly sized: Sized};

/** Makers and readers with so many channels of a group; makers that cannot be fitted are left out. */
function touchedBy(layers: readonly Layer[], {channels, makers, readers}: Group, count: number): readonly Touched[] {
  const gone = channels - count;
  const made = layers.flatMap(layer => {
    const each = makers.find(({node}) => node.outputs[0].id === layer.output)?.each;
    return each === undefined ? [] : [{layer, sized: narrowed(layer, gone * each, 0)}];
  });
  return [...made, ...readers.map(({layer, places}) => ({layer, sized: narrowed(layer, 0, gone * places[0]!.length)}))];
}

/** A layer with fewer outputs and inputs. */
function narrowed(layer: Layer, outputs: number, inputs: number): Sized {
  const stage = wholeStage(layer);
  const less = (shape: readonly number[], axis: number, by: number): readonly number[] => shape.with(axis, shape[axis]! - by);
  return {stage: {...stage, shape: less(less(stage.shape, 0, outputs), 1, inputs)}, input: less(layer.inputShape, 1, inputs)};
}

/** How many channels are left, and what that costs. */
type Priced = Pick<GroupOption, 'cost' | 'each'> & {readonly count: number};

type Tried = Omit<GroupOption, 'harm' | 'kept'> & {
  readonly kept: readonly number[];
  readonly maps: readonly {readonly layer: Layer; readonly map: Matrix}[];
};

/** Weights of a layer that belong to elements of what it reads. */
const columnsIn = (layer: Layer, elements: readonly number[]): readonly number[] =>
  columnsOf(elements, kernelOf(layer)[0] * kernelOf(layer)[1]);

/** Counts at which readers stand for what they were. */
function triedOf(studied: Moved, group: Group, priced: readonly Priced[]): readonly Tried[] {
  const {network, read} = studied;
  const {product} = network;
  const readers = group.readers.map(({layer, places}) => ({
    ...{layer, places, errorOf: errorsOf(studied, layer)},
    target: {map: layer.weights, gram: metricOf(read.get(layer.name)!).gram},
  }));
  const least = priced.at(-1)?.count ?? group.channels;
  const seen = readers.map(({layer, places, target}) =>
    seenIn(
      product,
      target,
      places.map(own => columnsIn(layer, own)),
    ),
  );
  const order = removalOrder(product, group.channels, least, seen);
  const result: Tried[] = [];
  for (const {count, cost, each} of priced) {
    const gone = new Set(order.slice(0, group.channels - count));
    const kept = Array.from({length: group.channels}, (_, c) => c).filter(c => !gone.has(c));
    const maps = readers.map(({layer, places, target}) => {
      const without = new Set([...gone].flatMap(channel => places[channel]!));
      const elements = Array.from({length: layer.channels}, (_, i) => i).filter(i => !without.has(i));
      return {layer, map: restricted(product, target, columnsIn(layer, elements))};
    });
    const error = readers.reduce((sum, {errorOf}, i) => sum + errorOf(maps[i]!.map), 0) / maps.length;
    if (error > mostError) break;
    result.push({kept, cost, each, error, maps});
  }
  return result;
}

/** A layer as it has become by sizes: the channels that it makes and reads. */
export function stageAfter({groups}: Studied, {chosen}: Pruned, layer: Layer): Sized {
  const gone = (id: ValueId, size: number): number => size - (elementsLeft(groups, keptBy(chosen), id)?.length ?? size);
  return narrowed(layer, gone(layer.output, layer.weights.rows), gone(layer.input, layer.channels));
}

/** Layers are readers of what is left, and those behind them, which were fitted anew. */
export type Pruned = Walked<'narrow'> & {
  /** By the number of the group. */
  readonly chosen: readonly GroupOption[];
  readonly expected: Expected;
};

/** The network made narrower up to a limit. It has these weights afterwards. `before`: what was made of it under other limits. */
export function pruned(
  {network, fit, held, groups, options, wholes}: Studied,
  {share, harm}: Limit,
  progress: (layer: string) => void,
  before: readonly Pruned[] = [],
): Pruned {
  const chosen = chosenFor(options, wholes, {share, harm});
  const kept = keptBy(chosen);
  const offers = new Map<string, Offer<'narrow'>>();
  for (const layer of network.layers) {
    const elements = elementsLeft(groups, kept, layer.input);
    if (!elements) continue;
    const columns = columnsIn(layer, elements);
    offers.set(layer.name, {
      name: String(elements),
      makers: [(_, target) => ({map: restricted(network.product, target, columns), factors: 'narrow'})],
    });
  }
  const walked = frontToBack(network, {offers, fit, held, progress}, any, before);
  return {...walked, chosen, expected: expectedOf(options, chosen)};
}

/** All readers of a group have to do without its channels: none may go back. */
const any = Number.POSITIVE_INFINITY;

/** Channels that stay, of groups that lose some. */
export const keptBy = (chosen: readonly GroupOption[]): Kept =>
  new Map(chosen.flatMap(({kept}, group) => (kept ? [[group, kept] as const] : [])));

/**
 * A layer that loses outputs and inputs saves less than both alone would: more is asked for until the share is reached, or there is
 * no more.
 */
export function chosenFor(options: Studied['options'], wholes: CostByLayer, {share, harm}: Limit): readonly GroupOption[] {
  const whole = Object.values(wholes).reduce((sum, cost) => sum + cost, 0);
  for (let wanted = (1 - share) * whole; ; ) {
    const chosen = allocate(options, wanted, harm);
    const over = costAfter(wholes, chosen) - share * whole;
    const saved = chosen.reduce((sum, {cost}, group) => sum + options[group]![0]!.cost - cost, 0);
    // Steps come one after the other, so where no more is saved there is nothing to be had.
    if (over <= 0 || saved < wanted) return chosen;
    wanted = saved + over;
  }
}

/** What all layers cost: what each choice leaves of a layer, multiplied. */
const costAfter = (wholes: CostByLayer, chosen: readonly GroupOption[]): number =>
  Object.entries(wholes).reduce(
    (sum, [layer, whole]) => sum + chosen.reduce((cost, {each}) => (cost * (each[layer] ?? whole)) / whole, whole),
    0,
  );
