/** A task's network in a throw-away build whose layers can be given other weights and biases between calls. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {packInto, seal} from '../../codegen/weights.js';
import {invariant} from '../../ir/diagnostics.js';
import {blobOf, editor} from '../../ir/edit.js';
import {headOf, producerOf, valueAt} from '../../ir/graph.js';
import type {Weight} from '../../ir/plan.js';
import {bytesOfTensor, elements, filled, tensorFrom} from '../../ir/tensor.js';
import type {Head, Module, ValueId} from '../../ir/types.js';
import {type Entry, load, openLoader, posterior, type SegmentEntry, type Session, type TypedArray} from '../../runtime/index.js';
import type {FloatProduct, Product} from '../algebra/matrix.js';
import {build} from '../build.js';
import {targetsNamed} from '../host.js';
import {temporaryFolder} from '../open.js';
import {floats, inOneRow, type Reading, withoutOthers} from '../quantize/taps.js';
import type {Task} from '../tasks.js';
import {type Layer, type Layers, layersOf} from './layers.js';

/** [outputs][width], and [outputs]. */
export type Parameters = {readonly weights: ArrayLike<number>; readonly bias: ArrayLike<number>};

export type Network = Layers & {
  /** As the recipe was given it. */
  readonly module: Module;
  readonly product: Product;
  readonly floats: FloatProduct;
  /** Bound to the weights of the last `rewrite`: of the task as it is, and with all that layers read. */
  readonly entry: () => Entry;
  /** Probabilities of the classes. */
  probabilities(input: TypedArray): Float64Array;
  /** Parts of the layers, in order, that are looked at together: what lies behind a part is not computed for it. */
  readonly parts: readonly (readonly Layer[])[];
  /** A sample on its way to a part: what lies between is run with the weights that the network has now. */
  bring(place: Place, part: number): Place;
  /** What layers of the part read to which a sample was brought, and what is added to their results; views that the next call overwrites. */
  look(place: Place, part: number): (id: ValueId) => Float32Array;
  /** Layers that are not named have their own weights again. */
  rewrite(changes: ReadonlyMap<string, Parameters>): void;
};

/** A sample, segments of the network that it has been through, and what it is behind them, as code has it. */
export type Place = {readonly input: TypedArray; readonly path: readonly string[]; readonly values: readonly TypedArray[]};

/** A sample before the network. */
export const begin = (input: TypedArray): Place => ({input, path: [], values: [input]});

/** The name of a task beside it that returns what is looked at in a part. */
const tappedTask = (task: string, part: number): string => `${task}_taps_${part}`;

/** Which layers can be rewritten, and what is looked at with a layer besides what it reads and what is added to it. */
export type Looking = {
  readonly layersIn: (module: Module, head: Head) => Layers;
  readonly besides: (layer: Layer) => readonly ValueId[];
  /** Parts that layers are looked at in: more take longer to compile than they save. */
  readonly parts: number;
};

const asTheyAre: Looking = {layersIn: layersOf, besides: () => [], parts: 12};

/** For the best target of this machine: what layers take there decides what they become. */
export async function openNetwork(
  tasks: readonly Task[],
  task: string,
  {bind, share = true, progress = () => {}, before = module => module}: Reading,
  {layersIn, besides, parts: partCount}: Looking = asTheyAre,
): Promise<Network> {
  const directory = join(temporaryFolder(), 'network');
  const name = 'network';
  const own = tasks.find(each => each.name === task)!;
  const all = [...tasks, ...Array.from({length: partCount}, (_, part) => ({...own, name: tappedTask(task, part)}))];
  const opened: {readonly module: Module; readonly layers: Layers; readonly parts: readonly Part[]}[] = [];
  const placeholders = new Map<string, {readonly layer: string; readonly what: keyof Parameters}>();
  const lossy = (given: Module): Module => {
    const module = withoutOthers(before(given), all);
    const layers = layersIn(module, headOf(module, task));
    const parts = partsOf(module, layers.layers, headOf(module, task), {besides, parts: partCount});
    opened.push({module, layers, parts});
    return parts.reduce(
      (tapped, {watched}, part) => withTaps(tapped, tappedTask(task, part), watched),
      withPlaceholders(holding(module, parts, task), layers.layers, placeholders),
    );
  };
  const built = await build(all, {
    ...{directory, name, targets: targetsNamed(['native']), bind, share, lossy, progress},
    ...{measure: false, typed: false, keepLibrary: true},
  });
  const [first] = opened;
  invariant(first, 'network.module', task, 'was not built');
  const {module, layers, parts} = first;
  const {layout, weights: plain, hash} = built.compiled;
  const holders = new Map<string, {readonly weight: Weight; readonly layer: string; readonly what: keyof Parameters}>();
  for (const weight of layout.weights) {
    const placeholder = weight.blob && placeholders.get(weight.blob.hash);
    if (placeholder) holders.set(`${placeholder.layer}\0${placeholder.what}`, {weight, ...placeholder});
  }
  invariant(holders.size === placeholders.size, 'network.weights', task, 'has layers whose weights are not where they should be');
  const float = new Map(layers.layers.map(({name, weights, bias}) => [name, {weights: weights.data, bias}] as const));
  const bytes = Uint8Array.from(plain);
  const written = new Map<string, Parameters>();
  let bound: Bound | null = null;
  const rewrite = (changes: ReadonlyMap<string, Parameters>): void => {
    for (const [key, {weight, layer, what}] of holders) {
      const wanted = changes.get(layer) ?? float.get(layer)!;
      if (written.get(key) === wanted) continue;
      written.set(key, wanted);
      const values = bytesOfTensor(tensorFrom('f32', weight.type.shape, Array.from(wanted[what])));
      packInto({...weight, blob: blobOf(values)}, bytes, layout.offsetOf(weight));
    }
    seal(bytes, hash);
    writeFileSync(join(directory, `${name}.weights`), bytes);
    bound = boundOf(
      load(directory),
      task,
      parts.map((_, part) => tappedTask(task, part)),
    );
  };
  rewrite(new Map());
  const loader = openLoader(directory);
  const at = parts.map(({watched}) => offsetsOf(module, watched));
  const inputs = new Set(module.graph.inputs.map(({id}) => id));
  return {
    ...{module, ...layers, rewrite},
    parts: parts.map(part => part.layers),
    ...{product: loader.product, floats: loader.productOfFloats},
    entry: () => bound!.plain,
    probabilities(input) {
      const {plain} = bound!;
      const outputs = plain.newOutputs();
      plain.call([input], outputs);
      const scores = Float64Array.from(floats(outputs[0]!));
      return Float64Array.from(
        posterior(scores, {scores: plain.task.scores, temperature: 1, shift: new Array<number>(scores.length).fill(0)}),
      );
    },
    bring(place, part) {
      const {session, paths} = bound!;
      const path = paths[part]!.slice(0, -1);
      // Parts that were cut in another way begin at the input again.
      const from = place.path.every((id, i) => id === path[i]) ? place : begin(place.input);
      let {values} = from;
      for (const id of path.slice(from.path.length)) {
        const segment = session.segment(id);
        const made = segment.newOutputs();
        segment.call(values, made);
        values = made;
      }
      return {...place, path, values};
    },
    look({input, values}, part) {
      const {code, outputs} = bound!.tapped[part]!();
      code.call(values, outputs);
      const all = floats(outputs.at(-1)!);
      return id => {
        if (inputs.has(id)) return floats(input);
        const [begin, size] = at[part]!.get(id)!;
        return all.subarray(begin, begin + size);
      };
    },
  };
}

/** The module whose tapped tasks return all that is looked at, so that no edit takes it for dead. */
function holding(module: Module, parts: readonly Part[], task: string): Module {
  const names = new Set(parts.map((_, part) => tappedTask(task, part)));
  const outputs = parts.flatMap(({watched}) => watched);
  return {...module, heads: module.heads.map(head => (names.has(head.name) ? {...head, outputs} : head))};
}

/** Code with the weights of one `rewrite`. */
type Bound = {
  readonly session: Session;
  readonly plain: Entry;
  /** Segments of each tapped task; none where it is not cut. */
  readonly paths: readonly (readonly string[])[];
  /** The last segment of each, and arrays for what it gives. */
  readonly tapped: readonly (() => {readonly code: Entry | SegmentEntry; readonly outputs: TypedArray[]})[];
};

function boundOf(session: Session, task: string, tapped: readonly string[]): Bound {
  const paths = tapped.map(name => session.manifest.variants.find(variant => variant.task === name)!.path);
  return {
    ...{session, paths, plain: session.entry(task)},
    tapped: tapped.map((name, part) => {
      const last = paths[part]!.at(-1);
      let known: {readonly code: Entry | SegmentEntry; readonly outputs: TypedArray[]} | null = null;
      return () => {
        if (known) return known;
        const code = last === undefined ? session.entry(name) : session.segment(last);
        known = {code, outputs: code.newOutputs()};
        return known;
      };
    }),
  };
}

type Part = {readonly layers: readonly Layer[]; readonly watched: readonly ValueId[]};

/** All that fits of layers in turn look at; inputs of the network are known without a tap. */
function partsOf(
  {graph}: Module,
  layers: readonly Layer[],
  {outputs}: Head,
  {besides, parts}: Pick<Looking, 'besides' | 'parts'>,
): readonly Part[] {
  const each = Math.max(1, Math.ceil(layers.length / parts));
  return Array.from({length: Math.ceil(layers.length / each)}, (_, part) => {
    const own = layers.slice(part * each, (part + 1) * each);
    const read = own.flatMap(layer => [layer.input, ...(layer.beside === null ? [] : [layer.beside]), ...besides(layer)]);
    const watched = [...new Set(read)].filter(id => producerOf(graph, id) !== null);
    // Every task returns something.
    return {layers: own, watched: watched.length > 0 ? watched : outputs.slice(0, 1)};
  });
}

function offsetsOf(module: Module, watched: readonly ValueId[]): ReadonlyMap<ValueId, readonly [number, number]> {
  let begin = 0;
  return new Map(
    watched.map(id => {
      const size = elements(valueAt(module.graph, id).type.shape);
      begin += size;
      return [id, [begin - size, size]] as const;
    }),
  );
}

/** Weights that no pass takes for equal, or for whole numbers, and that are found again by their hashes. */
function withPlaceholders(
  module: Module,
  layers: readonly Layer[],
  found: Map<string, {readonly layer: string; readonly what: keyof Parameters}>,
): Module {
  const edit = editor(module, 'network');
  layers.forEach(({name, output, bias}, i) => {
    const node = producerOf(module.graph, output)!;
    const {literal} = edit.before(node);
    const {shape} = valueAt(module.graph, node.inputs[1]!).type;
    const [weights, biases] = [filled('f32', shape, 0.5 + i), filled('f32', [bias.length], 0.5 + i)];
    found.set(blobOf(bytesOfTensor(weights)).hash, {layer: name, what: 'weights'});
    found.set(blobOf(bytesOfTensor(biases)).hash, {layer: name, what: 'bias'});
    edit.update(node, {
      inputs: [
        node.inputs[0]!,
        literal(weights, `${name}.weights`).id,
        literal(biases, `${name}.bias`).id,
        ...node.inputs.slice(3),
      ],
    });
  });
  return edit.finish();
}

/** The module whose task of that name returns all of these, one behind the other, and nothing else. */
function withTaps(module: Module, name: string, ids: readonly ValueId[]): Module {
  const edit = editor(module, 'taps');
  const all = inOneRow(edit.atEnd(name), ids, module.graph);
  const head = headOf(module, name);
  edit.addHead({...head, outputs: [all.id], attrs: {...head.attrs, outputs: ['taps']}});
  const {heads, ...rest} = edit.finish();
  return {...rest, heads: heads.filter((each, i) => each.name !== name || i === heads.length - 1)};
}
