/** The manifest of a build: only what was computed or measured. */
import {createHash} from 'node:crypto';
import {invokeNames} from '../codegen/c/module.js';
import type {Preference} from '../codegen/kernels/ways.js';
import {libraryFile} from '../codegen/project.js';
import type {Target} from '../codegen/targets/index.js';
import {blobAlignment} from '../codegen/weights.js';
import {costOfHead, costOfNodes} from '../ir/cost.js';
import {headOf, inputsFor, outputNames, producerOf, valueAt} from '../ir/graph.js';
import {isOp} from '../ir/op.js';
import {opOf} from '../ir/ops/index.js';
import {softmax} from '../ir/ops/softmax/index.js';
import {alignment, everyEntry} from '../ir/plan.js';
import {graphOf, pathOf, type Segment as SharedSegment} from '../ir/segments.js';
import {bytesOf} from '../ir/tensor.js';
import type {Cost, Graph, Head} from '../ir/types.js';
import type {
  Calibration,
  ConfusionRow,
  Cut,
  Latency,
  Manifest,
  Task as ManifestTask,
  Preparation,
  Quality,
  Segment,
  Split,
  Variant,
} from '../runtime/manifest.js';
import type {Compiled} from './compile.js';
import {costsOf, workOf} from './energy/model.js';
import type {DeviceProfile} from './energy/profile.js';
import type {Loaded} from './load.js';
import {chooseLayouts} from './lower/layout.js';
import {filesOf, type Task} from './tasks.js';
import {version} from './version.js';

export type ManifestFacts = {
  readonly name: string;
  readonly tasks: readonly Task[];
  readonly compiled: Compiled;
  readonly loaded: Loaded;
  readonly targets: readonly Target[];
  readonly embedded: boolean;
  readonly prefer: Preference;
  /** By variant id, measured on `latencyTarget`. */
  readonly latencies?: ReadonlyMap<string, Latency>;
  readonly energies?: ReadonlyMap<string, NonNullable<Variant['energy']>>;
  /** By segment id. */
  readonly segmentLatencies?: ReadonlyMap<string, Latency>;
  readonly latencyTarget?: Target;
  /** That energies and prices are modelled for. */
  readonly profiles?: readonly DeviceProfile[];
  /** By variant id. */
  readonly qualities?: ReadonlyMap<string, Quality>;
  readonly confusions?: ReadonlyMap<string, readonly ConfusionRow[]>;
  readonly calibrations?: ReadonlyMap<string, Calibration>;
  /** By variant id. */
  readonly splits?: ReadonlyMap<string, readonly Split[]>;
  readonly files: Readonly<Record<string, string>>;
};

export function manifestOf(facts: ManifestFacts): Manifest {
  const {name, tasks, compiled, loaded, targets, embedded, prefer, files} = facts;
  const {module, segments: shared, plan, layout, weights, hash} = compiled;
  const memory = plan.memory!;
  const symbols = invokeNames(plan);
  const layouts = chooseLayouts(module.graph);
  const options = {
    targets: targets.map(target => target.name),
    embedded,
    prefer,
    bound: [...loaded.bound],
    tasks: tasks.map(task => [task.name, task.output]),
  };
  const libraries = targets.map(target => {
    const file = libraryFile(name, target);
    return {
      target: target.name,
      file,
      sha256: files[file] ?? '',
      needs: target.features,
      ...(target.format === 'shared' && {platform: `${process.platform}-${process.arch}`}),
    };
  });
  const weightsFile = embedded ? `${name}_weights.c` : `${name}.weights`;
  return {
    schema: 1,
    generator: {
      name: 'dnnc',
      version,
      optionsHash: createHash('sha256').update(JSON.stringify(options)).digest('hex').slice(0, 32),
      sources: filesOf(tasks),
    },
    name,
    buildHash: hash,
    libraries,
    weights: {
      file: weightsFile,
      bytes: weights.byteLength,
      sha256: files[weightsFile] ?? '',
      alignment: blobAlignment,
      ...(embedded && {symbol: `${name}_blob`}),
    },
    arena: {bytes: Math.max(memory.bytes, alignment), lowerBound: memory.lowerBound, alignment},
    tasks: Object.fromEntries(tasks.map(task => [task.name, taskOf(task)])),
    segments: [
      ...shared.map(segmentOf),
      ...module.heads.flatMap((head, i) => (pathOf(shared, head).length > 0 ? [] : [wholeOf(head, i)])),
    ],
    cuts: shared.flatMap(cutOf),
    variants: module.heads.map((head, i) => variantOf(head, i, facts)),
    files,
  };

  function latencyOf(latency: Latency | undefined): Pick<Variant, 'latency'> {
    return latency && facts.latencyTarget ? {latency: {[facts.latencyTarget.name]: latency}} : {};
  }

  function taskOf(task: Task): ManifestTask {
    const head = headOf(module, task.name);
    const describe = (id: Parameters<typeof valueAt>[1]) => {
      const {name: value, type} = valueAt(module.graph, id);
      return {name: value, dtype: type.dtype, shape: type.shape};
    };
    const preparation = preparationOf(task);
    const outputs = head.outputs.map((id, at) => ({
      ...describe(id),
      name: outputNames(head)[at] ?? describe(id).name,
    }));
    return {
      ...(task.labels && {labels: task.labels}),
      ...(task.labelOffset && {labelOffset: task.labelOffset}),
      inputs: inputsFor(module.graph, head).map(input => ({...describe(input.id), ...(preparation && {preparation})})),
      outputs,
      scores: scoresOf(module.graph, head),
      variants: module.heads.filter(each => taskNameOf(each) === task.name).map(variantIdOf),
    };
  }

  function sizes(i: number): {cost: Cost; macs: number; weightBytes: number; packedBytes: number} {
    const cost = costOfHead(compiled.module.graph, compiled.module.heads[i]!);
    const its = plan.entries[i]!.roots.flatMap(root => (root.kind === 'weights' ? [root.weight] : []));
    const packedBytes = its.reduce((sum, weight) => sum + layout.sizeOf(weight), 0);
    return {cost, macs: cost.macs, weightBytes: cost.bytesOfWeights, packedBytes};
  }

  /** What several tasks compute, or one of these after it has parted from the others. */
  function segmentOf(segment: SharedSegment, at: number): Segment {
    const {name: id, from, to, heads} = segment;
    const {graph, nodes} = graphOf(module.graph, segment);
    const {macs, bytesOfWeights} = costOfNodes(graph, nodes);
    const index = plan.entries.length + at;
    return {
      id,
      tasks: taskNamesOf(heads),
      ...(from !== null && {from: valueAt(module.graph, from).name}),
      ...(to !== null && {to: valueAt(module.graph, to).name}),
      macs,
      weightBytes: bytesOfWeights,
      arenaBytes: memory.entryBytes[index]!.bytes,
      entry: symbols[index]!,
      ...placeOf(index),
      ...latencyOf(facts.segmentLatencies?.get(id)),
    };
  }

  /** Where the weights of an entry lie in the blob, if nothing else lies between them. */
  function placeOf(index: number): Pick<Segment, 'weights'> {
    const roots = everyEntry(plan)[index]!.roots;
    const its = new Map(
      roots.flatMap(root => (root.kind === 'weights' ? [[layout.offsetOf(root.weight), root.weight] as const] : [])),
    );
    if (its.size === 0) return {};
    const offset = Math.min(...its.keys());
    const end = Math.max(...[...its].map(([at, weight]) => at + layout.sizeOf(weight)));
    const bytes = [...its.values()].reduce((sum, weight) => sum + layout.sizeOf(weight), 0);
    return end - offset === bytes ? {weights: {offset, bytes}} : {};
  }

  /** A task that shares nothing is one segment. */
  function wholeOf(head: Head, i: number): Segment {
    const {macs, weightBytes} = sizes(i);
    return {
      id: head.name,
      tasks: [taskNameOf(head)],
      macs,
      weightBytes,
      arenaBytes: memory.entryBytes[i]!.bytes,
      entry: symbols[i]!,
      ...placeOf(i),
    };
  }

  function cutOf({to, heads}: SharedSegment): readonly Cut[] {
    if (to === null) return [];
    const {name: id, type} = valueAt(module.graph, to);
    const layout = layouts.get(to) === 'channels-last' ? {layout: 'channels-last' as const} : {};
    return [{id, dtype: type.dtype, shape: type.shape, bytes: bytesOf(type), ...layout, tasks: taskNamesOf(heads)}];
  }

  function variantOf(
    head: Head,
    i: number,
    {latencies, energies, qualities, confusions, calibrations, splits}: ManifestFacts,
  ): Variant {
    const {cost, macs, weightBytes, packedBytes} = sizes(i);
    const id = variantIdOf(head);
    const quality = qualities?.get(id);
    const confusion = confusions?.get(id);
    const calibration = calibrations?.get(id);
    const own = splits?.get(id);
    const path = pathOf(shared, head);
    return {
      id,
      task: taskNameOf(head),
      recipe: recipeOf(head),
      entry: symbols[i]!,
      path: path.length > 0 ? path.map(segment => segment.name) : [head.name],
      macs,
      weightBytes,
      arenaBytes: memory.entryBytes[i]!.bytes,
      arenaLowerBound: memory.entryBytes[i]!.lowerBound,
      loadBytes: packedBytes,
      ...(quality && {quality}),
      ...(confusion && {confusion}),
      ...(calibration && {calibration}),
      ...(own && own.length > 0 && {splits: own}),
      ...latencyOf(latencies?.get(id)),
      ...costsOf(facts.profiles ?? [], workOf(cost, packedBytes, plan.entries[i]!.steps), energies?.get(id)),
    };
  }
}

/** A head of a task under a recipe says so; one that does not is the whole task. */
const taskNameOf = ({name, attrs}: Head): string => String(attrs.task ?? name);
const recipeOf = ({attrs}: Head): string => String(attrs.recipe ?? 'full');
/** Of the variant that a head becomes. */
export const variantIdOf = (head: Head): string => `${taskNameOf(head)}/${recipeOf(head)}`;
const taskNamesOf = (heads: readonly Head[]): readonly string[] => [...new Set(heads.map(taskNameOf))];

/** Probabilities come out of a softmax, seen through what only moves them; their logarithms are logits like others. */
function scoresOf(graph: Graph, {outputs}: Head): 'logits' | 'probabilities' {
  const [id] = outputs;
  let node = id === undefined ? null : producerOf(graph, id);
  while (node && opOf(node).view) node = producerOf(graph, node.inputs[0]!);
  return node && isOp(node, softmax) && !node.attrs.log ? 'probabilities' : 'logits';
}

function preparationOf({input}: Task): Preparation | null {
  if (!input) return null;
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as Preparation;
}
