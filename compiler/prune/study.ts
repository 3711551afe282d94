/**
 * Fewer channels after training: which ones, under a limit on time, and what their readers become (He et al. 2017, with the
 * choice by second moments of optimal brain surgeon in place of the lasso).
 */

import {headOf} from '../../ir/graph.js';
import type {Matrix} from '../algebra/matrix.js';
import type {Labelled} from '../data/dataset.js';
import {allocate, type Option} from '../reconstruct/allocate.js';
import {type Costs, measureCosts, type Sized} from '../reconstruct/costs.js';
import {estimate} from '../reconstruct/estimate.js';
import type {Fitted} from '../reconstruct/fit.js';
import {frontToBack, type Offer, type Walked} from '../reconstruct/front-to-back.js';
import type {Judgement} from '../reconstruct/judge.js';
import {kernelOf, type Layer} from '../reconstruct/layers.js';
import {metricOf} from '../reconstruct/least-squares.js';
import {type Stage, wholeStage} from '../reconstruct/stage.js';
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
import {type Group, type Groups, groupsOf, type Reader} from './groups.js';
import {columnsOf, removalOrder, restricted} from './select.js';

/** Channels of a group that stay, in order; null: all. `error` is the mean over readers of what they are off. */
export type GroupOption = Option & {readonly kept: readonly number[] | null; readonly error: number};

export type Studied = Network & {
  readonly groups: Groups;
  /** By the number of the group. The first option is to keep all channels. */
  readonly options: ReadonlyMap<number, readonly GroupOption[]>;
  /** Microseconds that all layers take. */
  readonly whole: number;
};

/** Errors: those of `studyNetwork`. */
export async function study(tasks: readonly Task[], task: Task, samples: Labelled, options: StudyOptions): Promise<Studied> {
  const {studied, found} = await studyNetwork(tasks, task, samples, options, [
    'prune',
    own => optionsOf(own, tasks, task, options),
  ]);
  return {...studied, groups: groupsIn(studied.network, task), options: new Map(found.options), whole: found.whole};
}

type Found = {readonly options: readonly (readonly [number, readonly GroupOption[]])[]; readonly whole: number};

const groupsIn = (network: Network['network'], {name}: Task): Groups =>
  groupsOf(network.module, headOf(network.module, name), network);

async function optionsOf(studied: Moved, tasks: readonly Task[], task: Task, options: StudyOptions): Promise<Found> {
  const {progress = () => {}} = options;
  const {network} = studied;
  const groups = groupsIn(network, task);
  const sizes = [...groups.free.values()].flatMap(group =>
    countsOf(group).flatMap(count => sizedOf(network.layers, group, count)),
  );
  const wholes = network.layers.map((layer): Sized => ({stage: wholeStage(layer), input: layer.inputShape}));
  const costs = await measureCosts([...sizes, ...wholes], tasks, options);
  const found = Array.from(groups.free, ([number, group]): readonly [number, readonly GroupOption[]] => {
    progress(`${task.name}: channels before ${group.readers[0]!.layer.name}`);
    const tried = triedOf(studied, group, costs);
    const probe = probeOf(tried);
    const harm = probe ? divergenceOf(studied, probe.maps) / Math.max(probe.error, 1e-12) : 0;
    const all: GroupOption = {kept: null, microseconds: timeOf(network.layers, group, group.channels, costs), harm: 0, error: 0};
    return [number, [all, ...tried.map(({kept, microseconds, error}) => ({kept, microseconds, error, harm: harm * error}))]];
  });
  return {options: found, whole: wholes.reduce((sum, sized) => sum + costs(sized), 0)};
}

/** How many channels may be left: whole vectors of them, or half ones where there are few. */
function countsOf({channels}: Group): readonly number[] {
  const step = Math.max(channels < 64 ? 8 : 16, Math.ceil(channels / 8 / 16) * 16 * (channels > 128 ? 1 : 0));
  return Array.from({length: Math.max(0, Math.ceil(channels / step) - 1)}, (_, i) => (i + 1) * step).reverse();
}

/** Makers and readers with so many channels; makers that cannot be fitted are left out. */
function sizedOf(layers: readonly Layer[], {makers, readers}: Group, count: number): readonly Sized[] {
  const narrowed = (layer: Layer, change: (shape: readonly number[]) => readonly number[], input: readonly number[]): Sized => {
    const stage: Stage = wholeStage(layer);
    return {stage: {...stage, shape: change(stage.shape)}, input};
  };
  const made = layers.filter(({output}) => makers.some(node => node.outputs[0].id === output));
  return [
    ...made.map(layer => narrowed(layer, shape => shape.with(0, count), layer.inputShape)),
    ...readers.map(({layer, span}) =>
      narrowed(layer, shape => shape.with(1, count * span), layer.inputShape.with(1, count * span)),
    ),
  ];
}

const timeOf = (layers: readonly Layer[], group: Group, count: number, costs: Costs): number =>
  sizedOf(layers, group, count).reduce((sum, sized) => sum + costs(sized), 0);

type Tried = {
  readonly kept: readonly number[];
  readonly microseconds: number;
  readonly error: number;
  readonly maps: readonly {readonly layer: Layer; readonly map: Matrix}[];
};

/** Columns that a channel is for a reader. */
const eachOf = ({layer, span}: Reader): number => span * kernelOf(layer)[0] * kernelOf(layer)[1];

/** Counts that are faster than all channels and whose readers stand for what they were. */
function triedOf(studied: Moved, group: Group, costs: Costs): readonly Tried[] {
  const {network, read} = studied;
  const {product, layers} = network;
  const whole = timeOf(layers, group, group.channels, costs);
  const counts = countsOf(group).filter(count => timeOf(layers, group, count, costs) < whole);
  const seen = group.readers.map(reader => ({
    ...reader,
    each: eachOf(reader),
    errorOf: errorsOf(studied, reader.layer),
    target: {map: reader.layer.weights, gram: metricOf(read.get(reader.layer.name)!).gram},
  }));
  const order = removalOrder(product, group.channels, counts.at(-1) ?? group.channels, seen);
  const result: Tried[] = [];
  for (const count of counts) {
    const gone = new Set(order.slice(0, group.channels - count));
    const kept = Array.from({length: group.channels}, (_, c) => c).filter(c => !gone.has(c));
    const maps = seen.map(({layer, target, each}) => ({layer, map: restricted(product, target, columnsOf(kept, each))}));
    const error = seen.reduce((sum, {errorOf}, i) => sum + errorOf(maps[i]!.map), 0) / maps.length;
    if (error > mostError) break;
    result.push({kept, microseconds: timeOf(layers, group, count, costs), error, maps});
  }
  return result;
}

/** A layer as it has become by sizes: the channels that it makes and reads. */
export function stageAfter({groups}: Studied, {chosen}: Pruned, layer: Layer): Sized {
  const left = (id: Layer['input'], size: number): number => {
    const place = groups.of(id);
    const kept = place && chosen.get(place.group)?.kept;
    return place && kept ? kept.length * place.span : size;
  };
  const stage = wholeStage(layer);
  const [outputs, inputs] = [left(layer.output, stage.shape[0]!), left(layer.input, stage.shape[1]!)];
  return {stage: {...stage, shape: stage.shape.with(0, outputs).with(1, inputs)}, input: layer.inputShape.with(1, inputs)};
}

export type Pruned = {
  /** By the name of the layer's result: readers of what is left, and those behind them, which were fitted anew. */
  readonly layers: ReadonlyMap<string, Fitted<'narrow' | null>>;
  /** By the number of the group. */
  readonly chosen: ReadonlyMap<number, GroupOption>;
  readonly expected: Expected;
  readonly offers: ReadonlyMap<string, Offer<'narrow'>>;
  readonly walked: Walked<'narrow'>;
};

/** The network made narrower up to a limit. It has these weights afterwards. `before`: what was made of it under other limits. */
export function pruned(
  {network, fit, held, groups, options, whole}: Studied,
  {share, harm}: Limit,
  progress: (layer: string) => void,
  before: readonly Pruned[] = [],
): Pruned {
  const numbers = [...options.keys()];
  const lists = [...options.values()];
  const allocated = allocate(lists, (1 - share) * whole, harm);
  const chosen = new Map(allocated.map((option, i) => [numbers[i]!, option]));
  const offers = new Map<string, Offer<'narrow'>>();
  for (const [number, {kept}] of chosen)
    if (kept)
      for (const reader of groups.free.get(number)!.readers)
        offers.set(reader.layer.name, {
          name: String(kept),
          makers: [
            (_, target) => ({
              map: restricted(network.product, target, columnsOf(kept, eachOf(reader))),
              factors: 'narrow',
            }),
          ],
        });
  const walked = frontToBack(
    network,
    {offers, fit, held, progress},
    any,
    before.map(other => other.walked),
  );
  return {layers: walked.layers, chosen, offers, walked, expected: expectedOf(lists, allocated)};
}

/** All readers of a group have to do without its channels: none may go back. */
const any = Number.POSITIVE_INFINITY;

/** What is expected of it on samples that it was not fitted to; see `estimate`. The network has these weights afterwards. */
export const judgementOf = (
  studied: Studied,
  {offers, walked}: Pruned,
  again: boolean,
  progress: (layer: string) => void,
): Judgement => estimate(studied, {offers, made: walked, again}, any, progress);
