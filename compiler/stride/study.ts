/**
 * A network that halves its image earlier, fitted to what it gave before: layers that see a quarter of the places should give the
 * mean of the four that one stands for (or the largest, where a pool takes that), those behind them what they gave.
 */
import {headOf, nodesFor} from '../../ir/graph.js';
import type {Module} from '../../ir/types.js';
import type {TypedArray} from '../../runtime/index.js';
import {matrixOf, timesTransposed} from '../algebra/matrix.js';
import {siteOf as layerSiteOf} from '../quantize-weights/sites.js';
import {after, type Made} from '../recipes/steps.js';
import {frontToBack, type Maker, placesOf, type Surveyed} from '../reconstruct/front-to-back.js';
import {type Judgement, judge} from '../reconstruct/judge.js';
import {type Layer, layersOf, positionsOf} from '../reconstruct/layers.js';
import {type Network, openNetwork, type Parameters} from '../reconstruct/network.js';
import {gatherRows, gatherValues} from '../reconstruct/rows.js';
import type {Studied, StudyOptions} from '../reconstruct/study.js';
import type {Task} from '../tasks.js';
import {withStride} from './insert.js';
import {type Site, sitesOf} from './sites.js';

export type Strided = {
  /** It has the weights that were fitted. */
  readonly network: Network;
  readonly judgement: Judgement;
  /** By the names of layers in the network as it was. */
  readonly layers: ReadonlyMap<string, Parameters>;
  /** Layers as they are now, by the names that they had. */
  readonly now: ReadonlyMap<string, Layer>;
};

/** The module with larger strides at layers of these names, and with fitted weights. */
export const stridesAt =
  (task: string, names: readonly string[], layers: ReadonlyMap<string, Parameters>): Made =>
  (module, as) =>
    withStride(module, headOf(module, task), {sites: sitesNamed(module, task, names), layers}, as);

function sitesNamed(module: Module, task: string, names: readonly string[]): readonly Site[] {
  const head = headOf(module, task);
  const all = sitesOf(module, head, layersOf(module, head));
  return names.flatMap(name => {
    const site = all.get(name);
    return site === undefined || typeof site === 'string' ? [] : [site];
  });
}

/** `whole`: the network as it was. */
export async function strided(
  tasks: readonly Task[],
  {name: task}: Task,
  whole: Studied,
  sites: readonly Site[],
  options: StudyOptions,
): Promise<Strided> {
  const {progress = () => {}, before = module => module} = options;
  const make = stridesAt(
    task,
    sites.map(({layer}) => layer),
    new Map(),
  );
  const opened = await openNetwork(tasks, task, {...options, before: module => after(before(module), task, [make])});
  const namesIn = (module: Module): readonly string[] =>
    nodesFor(module.graph, headOf(module, task).outputs).flatMap(node => layerSiteOf(node, module.graph)?.name ?? []);
  const [was, is] = [namesIn(whole.network.module), namesIn(opened.module)];
  const nameOf = new Map(is.map((name, i) => [name, was[i]!]));
  const old = new Map(whole.network.layers.map(layer => [layer.name, layer]));
  // A small layer with a larger kernel may have become one that could be fitted: nothing is known to fit it to.
  const network = {...opened, layers: opened.layers.filter(({name}) => old.has(nameOf.get(name)!))};
  const pairs = network.layers.map((layer): Pair => ({now: layer, was: old.get(nameOf.get(layer.name)!)!}));
  const peaks = new Set(sites.flatMap(site => [...site.peaks]));
  const touched = new Set(sites.flatMap(({roles}) => Array.from(roles.keys(), node => node.outputs[0].name)));
  const keep: Maker<null> = (_, {map}) => ({map, factors: null});
  const makers = new Map(pairs.flatMap(({now, was}) => (touched.has(was.name) ? [[now.name, [keep]] as const] : [])));
  whole.network.rewrite(new Map());
  const [fit, held] = [wantedOf(whole, whole.fit, network, pairs, peaks), wantedOf(whole, whole.held, network, pairs, peaks)];
  const made = frontToBack(
    network,
    {makers, fit, held, progress: layer => progress(`${task}: fitting ${layer} to fewer places`)},
    Number.POSITIVE_INFINITY,
  );
  return {
    network,
    judgement: judge(network, whole.held.samples, whole.float),
    layers: new Map(Array.from(made, ([name, {map, bias}]) => [nameOf.get(name)!, {weights: map.data, bias}] as const)),
    now: new Map(opened.layers.map(layer => [nameOf.get(layer.name)!, layer])),
  };
}

type Pair = {readonly now: Layer; readonly was: Layer};

/** What layers are to give at the places that are looked at now. */
function wantedOf(
  {network: float}: Studied,
  {samples, survey}: Surveyed,
  network: Pick<Network, 'layers'>,
  pairs: readonly Pair[],
  peaks: ReadonlySet<string>,
): Surveyed {
  const [outputs, beside] = [new Map<string, readonly Float32Array[]>(), new Map<string, readonly Float32Array[]>()];
  for (const pair of pairs) {
    const {now, was} = pair;
    const added = survey.beside.get(was.name);
    if (positionsOf(now) === positionsOf(was)) {
      outputs.set(now.name, survey.outputs.get(was.name)!);
      if (added) beside.set(now.name, added);
      continue;
    }
    const rows = samples.map((input, sample) =>
      ofFour(float, input, was, placesOf(network, now, sample), now, peaks.has(was.name)),
    );
    outputs.set(now.name, rows);
    // What is added to it is in there already.
    if (added)
      beside.set(
        now.name,
        rows.map(own => new Float32Array(own.length)),
      );
  }
  return {samples, survey: {moments: new Map(), outputs, beside}};
}

/** At each place the mean, or the largest, of what the float network had at four: [place][output]. */
function ofFour(
  float: Network,
  input: TypedArray,
  layer: Layer,
  places: readonly number[],
  now: Layer,
  largest: boolean,
): Float32Array {
  const {weights, bias, window, inputShape, outputShape, rectified} = layer;
  const [outputs, right, across] = [weights.rows, outputShape[3]!, now.outputShape[3]!];
  const four = places.flatMap(place => {
    const first = 2 * Math.floor(place / across) * right + 2 * (place % across);
    return [first, first + 1, first + right, first + right + 1];
  });
  const look = float.look(
    input,
    float.parts.findIndex(part => part.includes(layer)),
  );
  const x = new Float32Array(four.length * weights.columns);
  gatherRows(look(layer.input), inputShape, window!, {n: 0, group: 0, places: four}, x);
  const given = timesTransposed(float.product, matrixOf(four.length, weights.columns, x), weights).data;
  const added = layer.beside === null ? null : gatherValues(look(layer.beside), outputShape, four);
  const result = new Float32Array(places.length * outputs);
  for (let at = 0; at < result.length; at++) {
    const [place, o] = [Math.floor(at / outputs), at % outputs];
    const values = [0, 1, 2, 3].map(i => {
      const own = (4 * place + i) * outputs + o;
      const value = given[own]! + bias[o]! + (added?.[own] ?? 0);
      return rectified ? Math.max(0, value) : value;
    });
    result[at] = largest ? Math.max(...values) : values.reduce((sum, value) => sum + value / 4, 0);
  }
  return result;
}
