/** Narrow weights for tasks: each layer's by itself, those of 4 bits by second moments of what it reads on samples. */
import {fail, invariant} from '../../ir/diagnostics.js';
import {headOf, nodesFor, valueAt} from '../../ir/graph.js';
import type {Graph, Module, ValueId} from '../../ir/types.js';
import {runPasses} from '../../passes/framework/manager.js';
import type {Labelled} from '../data/dataset.js';
import {loadTasks} from '../load.js';
import {beforeFusion} from '../pipeline.js';
import {forEachSample, spread} from '../quantize/samples.js';
import {sitesOf as integerSitesOf, isQuantized} from '../quantize/sites.js';
import {floats, openTapped, type Reading, type TappedEntry} from '../quantize/taps.js';
import type {Task} from '../tasks.js';
import {accumulator, type Moments, momentsOf, secondMoments} from './moments.js';
import {type Form, type Narrowed, narrow, needsMoments} from './narrow.js';
import {type Layer, type Site, sitesOf} from './sites.js';

/** A task under a recipe. */
export type Wanted = {
  readonly task: Task;
  readonly recipe: string;
  readonly form: Form;
  /** Needed where `needsMoments`. */
  readonly samples: Labelled | null;
};

export type Options = Reading & {
  /** How many samples are looked at. */
  readonly count: number;
};

/** What has been found out about a task. */
export type Studied = Wanted & {
  readonly sites: readonly Site[];
  /** By the site's name, or why it cannot be narrowed. */
  readonly narrowed: ReadonlyMap<string, Narrowed | string>;
};

/** Bytes of moments that are gathered at once; samples run again for more. */
const mostBytes = 2 ** 29;

/** Wider sums than these are rounded to nearest: moments grow with the square, their factorization with the third power. */
const widest = 6144;

/** Errors: usage narrow.quantized, narrow.layers; input calibrate.few, calibrate.constant. */
export async function study(wanted: readonly Wanted[], tasks: readonly Task[], options: Options): Promise<readonly Studied[]> {
  const {bind, share = true} = options;
  const module = runPasses(loadTasks(tasks, {name: 'narrow', bind, share}).module, beforeFusion);
  const sites = new Map([...new Set(wanted.map(({task}) => task.name))].map(task => [task, narrowSitesOf(module, task)]));
  const found = wanted.map(() => new Map<string, Narrowed | string>());
  const add = (at: number, {name}: Site, layer: Layer, moments: Moments | null): void => {
    found[at]!.set(name, narrow(layer, wanted[at]!.form, moments));
  };
  const sampled = new Map<string, {readonly samples: Labelled; readonly recipes: readonly number[]}>();
  wanted.forEach(({task: {name}, form, samples}, at) => {
    if (needsMoments(form)) {
      invariant(samples, 'quantize-weights.samples', name, 'has none');
      sampled.set(name, {samples, recipes: [...(sampled.get(name)?.recipes ?? []), at]});
    } else for (const {site, layer} of layersIn(sites.get(name)!)) add(at, site, layer, null);
  });
  if (sampled.size > 0) {
    const names = [...sampled.keys()];
    const open = await openInputs(
      names.map(task => ({task, layers: layersIn(sites.get(task)!)})),
      tasks,
      options,
    );
    for (const [i, [task, {samples, recipes}]] of [...sampled].entries())
      forEachMoments(task, layersIn(sites.get(task)!), open[i]!, samples, options, (each, moments) => {
        for (const at of recipes) add(at, each.site, each.layer, moments);
      });
  }
  return wanted.map((each, at) => ({...each, sites: sites.get(each.task.name)!, narrowed: found[at]!}));
}

type Each = {readonly site: Site; readonly layer: Layer};

const layersIn = (sites: readonly Site[]): readonly Each[] =>
  sites.flatMap(site => (typeof site.layer === 'string' ? [] : [{site, layer: site.layer}]));

function narrowSitesOf(module: Module, task: string): readonly Site[] {
  const head = headOf(module, task);
  if (isQuantized(integerSitesOf(module, head)))
    fail('usage', 'narrow.quantized', task, 'is a quantized network already', 'build it without --recipe');
  const sites = sitesOf(module, head);
  if (layersIn(sites).length === 0)
    fail('usage', 'narrow.layers', task, 'has no layer whose weights could be narrower', 'build it without --recipe');
  return sites;
}

/** What the layers of a task read, by their names. The input of the network is seen without a tap. */
type Inputs = TappedEntry & {
  readonly ids: ReadonlyMap<string, ValueId>;
  readonly tapped: readonly ValueId[];
  readonly graph: Graph;
};

async function openInputs(
  wanted: readonly {readonly task: string; readonly layers: readonly Each[]}[],
  tasks: readonly Task[],
  options: Options,
): Promise<readonly Inputs[]> {
  const known: Omit<Inputs, keyof TappedEntry>[] = [];
  const open = await openTapped(tasks, options, module => {
    const {graph} = module;
    const given = new Set(graph.inputs.map(({id}) => id));
    const taps = wanted.map(({task, layers}) => {
      const nodes = new Map(nodesFor(graph, headOf(module, task).outputs).map(node => [node.outputs[0].name, node]));
      const ids = new Map(
        layers.map(({site: {name}}) => {
          const input = nodes.get(name)?.inputs[0];
          invariant(input != null, 'quantize-weights.module', name, 'is not in the network that is tapped');
          return [name, input] as const;
        }),
      );
      const tapped = [...new Set(ids.values())].filter(id => !given.has(id));
      known.push({ids, tapped, graph});
      return {task, ids: tapped};
    });
    return {module, taps};
  });
  return open.map((entry, i) => ({...entry, ...known[i]!}));
}

/** Shows the moments of each layer's input; those of few layers are held at a time. Null: the sum is too wide. */
function forEachMoments(
  task: string,
  layers: readonly Each[],
  {entry, tapsOf, ids, tapped, graph}: Inputs,
  {data}: Labelled,
  {count, progress = () => {}}: Options,
  show: (each: Each, moments: Moments | null) => void,
): void {
  const indices = spread(data, count);
  for (const each of layers) if (each.layer.width > widest) show(each, null);
  for (const chunk of chunksOf(layers.filter(({layer}) => layer.width <= widest))) {
    const gathered = chunk.map(each => ({each, into: accumulator(each.layer.width, each.layer.weights.groups)}));
    forEachSample(
      entry,
      data,
      indices,
      (outputs, input) => {
        const taps = tapsOf(outputs);
        for (const {each, into} of gathered) {
          const id = ids.get(each.site.name)!;
          const at = tapped.indexOf(id);
          secondMoments(at < 0 ? floats(input) : taps[at]!, valueAt(graph, id).type.shape, each.layer.window, into);
        }
      },
      done => progress(`${task}: second moments of ${chunk.length} layers: ${done} of ${indices.length} samples`),
    );
    for (const {each, into} of gathered) {
      progress(`${task}: rounding ${each.site.name}`);
      show(each, momentsOf(into));
    }
  }
}

function chunksOf(layers: readonly Each[]): readonly (readonly Each[])[] {
  const chunks: Each[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const each of layers) {
    const own = 8 * each.layer.weights.groups * each.layer.width ** 2;
    if (bytes + own > mostBytes) {
      chunks.push([]);
      bytes = 0;
    }
    chunks.at(-1)!.push(each);
    bytes += own;
  }
  return chunks;
}
