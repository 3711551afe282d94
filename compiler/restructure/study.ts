/** A network whose structure has changed, fitted from the front to what it gave before, where its layers are applied now. */
import {headOf, nodesFor} from '../../ir/graph.js';
import type {Module} from '../../ir/types.js';
import {siteOf} from '../quantize-weights/sites.js';
import {after, type Made} from '../recipes/steps.js';
import type {Maker} from '../reconstruct/fit.js';
import {frontToBack, type Offer, parametersIn} from '../reconstruct/front-to-back.js';
import {compared, type Judgement, judge} from '../reconstruct/judge.js';
import {type Layer, layersOf, positionsOf} from '../reconstruct/layers.js';
import {type Network, openNetwork, type Parameters} from '../reconstruct/network.js';
import type {Studied, StudyOptions} from '../reconstruct/study.js';
import type {Surveyed} from '../reconstruct/survey.js';
import {placesIn, walkThrough} from '../reconstruct/walk.js';
import type {Task} from '../tasks.js';
import type {Change, Pair, Structure} from './change.js';

export type Changed = {
  /** It has the weights that were fitted. */
  readonly network: Network;
  readonly judgement: Judgement;
  /** By the names of layers in the network as it was. */
  readonly layers: ReadonlyMap<string, Parameters>;
  /** Layers as they are now, by the names that they had. */
  readonly now: ReadonlyMap<string, Layer>;
};

/** The module with changes of the layers of these names, and with fitted weights. */
export const changesAt =
  <C extends Change>(
    {find, make}: Structure<C>,
    task: string,
    names: readonly string[],
    layers: ReadonlyMap<string, Parameters>,
  ): Made =>
  (module, as) => {
    const head = headOf(module, task);
    const all = find(module, head, layersOf(module, head));
    const changes = names.flatMap(name => {
      const change = all.get(name);
      return change === undefined || typeof change === 'string' ? [] : [change];
    });
    return make(module, head, {changes, layers}, as);
  };

/** `whole`: the network as it was. */
export async function changed<C extends Change>(
  structure: Structure<C>,
  tasks: readonly Task[],
  {name: task}: Task,
  whole: Studied,
  changes: readonly C[],
  options: StudyOptions,
): Promise<Changed> {
  const {progress = () => {}, before = module => module} = options;
  const names = changes.map(({layer}) => layer);
  const make = changesAt(structure, task, names, new Map());
  const opened = await openNetwork(tasks, task, {...options, before: module => after(before(module), task, [make])});
  const namesIn = (module: Module): readonly string[] =>
    nodesFor(module.graph, headOf(module, task).outputs).flatMap(node => siteOf(node, module.graph)?.name ?? []);
  const [was, is] = [namesIn(whole.network.module), namesIn(opened.module)];
  const nameOf = new Map(is.map((name, i) => [name, was[i]!]));
  const old = new Map(whole.network.layers.map(layer => [layer.name, layer]));
  // A small layer with a larger kernel may have become one that could be fitted: nothing is known to fit it to.
  const network = {...opened, layers: opened.layers.filter(({name}) => old.has(nameOf.get(name)!))};
  const pairs = network.layers.map((layer): Pair => ({now: layer, was: old.get(nameOf.get(layer.name)!)!}));
  const touched = new Set(changes.flatMap(change => [...change.touched]));
  const keep: Maker<null> = (_, {map}) => ({map, factors: null});
  const offer: Offer<null> = {name: 'as it is', makers: [keep]};
  const offers = new Map(pairs.flatMap(({now, was}) => (touched.has(was.name) ? [[now.name, offer] as const] : [])));
  whole.network.rewrite(new Map());
  const wanted = (of: Surveyed): Surveyed => wantedNow(structure, whole.network, of, network, pairs, changes);
  const made = frontToBack(
    network,
    {
      ...{offers, fit: wanted(whole.fit), held: wanted(whole.held)},
      progress: layer => progress(`${task}: fitting ${layer} to its new places`),
    },
    Number.POSITIVE_INFINITY,
  );
  return {
    network,
    judgement: judge(compared(network, whole.held.samples, whole.float), whole.float),
    layers: new Map(Array.from(parametersIn(made), ([name, own]) => [nameOf.get(name)!, own] as const)),
    now: new Map(opened.layers.map(layer => [nameOf.get(layer.name)!, layer])),
  };
}

/** What layers are to give at the places that are looked at now. */
function wantedNow<C extends Change>(
  structure: Structure<C>,
  float: Network,
  {samples, survey}: Surveyed,
  network: Pick<Network, 'layers'>,
  pairs: readonly Pair[],
  changes: readonly C[],
): Surveyed {
  const walk = walkThrough(float, samples);
  const [outputs, beside] = [new Map<string, readonly Float32Array[]>(), new Map<string, readonly Float32Array[]>()];
  for (const pair of pairs) {
    const {now, was} = pair;
    if (positionsOf(now) === positionsOf(was)) {
      const added = survey.beside.get(was.name);
      outputs.set(now.name, survey.outputs.get(was.name)!);
      if (added) beside.set(now.name, added);
      continue;
    }
    const rows: Float32Array[] = [];
    walk.through(
      float.parts.findIndex(part => part.includes(was)),
      (sample, _, look) => rows.push(structure.wanted(float, look, pair, placesIn(network, now, sample), changes)),
    );
    outputs.set(now.name, rows);
    // What is added to it is in there already.
    if (now.beside !== null)
      beside.set(
        now.name,
        rows.map(own => new Float32Array(own.length)),
      );
  }
  return {samples, survey: {outputs, beside}};
}
