/**
 * What layers take on this machine before and after a recipe, each where it stands: networks and variants run in one throw-away
 * build whose code tells when a step ends. A step belongs to the layer that its location begins with.
 */
import {graft} from '../../ir/graft.js';
import {headOf, nodesFor} from '../../ir/graph.js';
import type {Entry} from '../../ir/plan.js';
import {print} from '../../ir/print.js';
import type {Loc, Module, Node} from '../../ir/types.js';
import {runPasses} from '../../passes/framework/manager.js';
import {keep, recall} from '../cache.js';
import {targetsNamed} from '../host.js';
import {identity, thisMachine} from '../identity.js';
import {loadTasks} from '../load.js';
import {beforeFusion} from '../pipeline.js';
import {type Reading, withoutOthers} from '../quantize/taps.js';
import type {Task} from '../tasks.js';
import {buildTraced, timeSteps} from '../traced.js';
import {type Candidate, variantHead, withVariant} from './candidate.js';

/** Microseconds by the name of the layer. */
export type LayerTimes = {readonly before: ReadonlyMap<string, number>; readonly after: ReadonlyMap<string, number>};

/** A variant, and the layers that it leaves alone. */
export type Timed = {readonly candidate: Candidate; readonly float: ReadonlyMap<string, string>};

/** One build for all; remembered in the user's cache by machine, compiler, kernels and networks, so that building again tells the same. */
export async function timesOf(timed: readonly Timed[], tasks: readonly Task[], reading: Reading): Promise<readonly LayerTimes[]> {
  const {bind, share = true, progress = () => {}, before = module => module} = reading;
  const lossy = (given: Module): Module => {
    const module = withoutOthers(before(given), tasks);
    return timed.reduce(
      (extended, {candidate, float}) => graft(module, extended, withVariant(module, candidate, float), variantHead(candidate)),
      module,
    );
  };
  const plain = runPasses(loadTasks(tasks, {name: 'traced', bind, share}).module, beforeFusion);
  const module = before(plain);
  const [target] = targetsNamed(['native']);
  const key = [identity(), JSON.stringify(thisMachine()), target!.name, print(lossy(plain))].join('\n');
  const wanted = timed.map(({candidate: {task, layers}}) => layerNodes(module, task.name, layers(module)));
  const known = recall('layers', key);
  if (isKept(known, 2 * timed.length)) return timed.map((_, i) => timesFrom(known, i));
  progress('timing layers');
  const traced = await buildTraced(tasks, {targets: [target!], bind, share, lossy, progress});
  const {entries} = traced.built.compiled.plan;
  const times = timeSteps([traced])[0]!;
  const firsts = entries.map((_, i) => entries.slice(0, i).reduce((sum, {steps}) => sum + steps.length, 0));
  const of = (name: string, nodes: readonly Node[]): Kept[number] => {
    const at = entries.findIndex(entry => entry.name === name);
    const spent = (step: number): number => times[firsts[at]! + step]!;
    return [...layersOf(entries[at]!, nodes, spent)].map(([layer, microseconds]) => [layer, Number(microseconds.toPrecision(4))]);
  };
  const found = timed.flatMap(({candidate}, i) => [of(candidate.task.name, wanted[i]!), of(variantHead(candidate), wanted[i]!)]);
  keep('layers', key, found);
  return timed.map((_, i) => timesFrom(found, i));
}

/** Pairs of layer and microseconds, before and after for each variant. */
type Kept = readonly (readonly (readonly [string, number])[])[];

const timesFrom = (kept: Kept, i: number): LayerTimes => ({before: new Map(kept[2 * i]), after: new Map(kept[2 * i + 1])});

const isKept = (known: unknown, count: number): known is Kept =>
  Array.isArray(known) &&
  known.length === count &&
  known.every(
    list =>
      Array.isArray(list) &&
      list.every(pair => Array.isArray(pair) && typeof pair[0] === 'string' && typeof pair[1] === 'number'),
  );

function layerNodes(module: Module, task: string, names: readonly string[]): readonly Node[] {
  const wanted = new Set(names);
  return nodesFor(module.graph, headOf(module, task).outputs).filter(({outputs: [{name}]}) => wanted.has(name));
}

/** Where something began, and where what was absorbed by it did. */
function placesOf(loc: Loc): readonly string[] {
  if (loc.kind === 'pass') return loc.from.flatMap(placesOf);
  return [loc.kind === 'onnx' ? `${loc.file}\0${loc.node}` : `${loc.file}\0${loc.line}`];
}

/**
 * Microseconds by layer: of the step that has its multiply-adds, and of the copies and loops that come of it. Layers that began at one
 * place, as the thin ones of one do, are told apart by their order, or not at all.
 */
export function layersOf(
  {steps}: Pick<Entry, 'steps'>,
  layers: readonly Node[],
  spent: (step: number) => number,
): Map<string, number> {
  const places = new Map<string, Node[]>();
  for (const node of layers) {
    const [place = ''] = placesOf(node.loc);
    places.set(place, [...(places.get(place) ?? []), node]);
  }
  const own = new Map<string, number[]>();
  let pending: number[] = [];
  for (const [at, step] of steps.entries()) {
    const all = placesOf(step.loc);
    const place = all.find(each => places.has(each));
    // Borders and copies come before what they are made for.
    if (all.length === 0) pending.push(at);
    else if (place === undefined) pending = [];
    else {
      own.set(place, [...(own.get(place) ?? []), ...pending, at]);
      pending = [];
    }
  }
  const times = new Map<string, number>();
  for (const [place, nodes] of places) {
    const its = own.get(place) ?? [];
    const sums = its.filter(at => steps[at]!.macs > 0);
    if (sums.length !== nodes.length) continue;
    nodes.forEach((node, i) => {
      const until = i === nodes.length - 1 ? Number.POSITIVE_INFINITY : sums[i]!;
      const from = i === 0 ? -1 : sums[i - 1]!;
      const mine = its.filter(at => at > from && at <= until);
      times.set(
        node.outputs[0].name,
        mine.reduce((sum, at) => sum + spent(at), 0),
      );
    });
  }
  return times;
}
