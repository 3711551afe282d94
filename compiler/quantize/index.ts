/**
 * Quantization after training: a network's values are watched while it runs compiled on samples, scales follow from what was
 * seen, and a quantized copy becomes another head (Krishnamoorthi 2018; bias correction: Nagel et al. 2019).
 */
import {fail, invariant} from '../../ir/diagnostics.js';
import {constantOf, valueAt} from '../../ir/graph.js';
import {bytesOf} from '../../ir/tensor.js';
import type {Graph, Head, Module, ValueId} from '../../ir/types.js';
import type {Labelled} from '../data/dataset.js';
import type {LayerReport} from '../recipes/report.js';
import type {Task} from '../tasks.js';
import {integerLayer, type Quantization, withQuantized} from './insert.js';
import {type ErrorSoFar, seeError, sqnrOf} from './observe.js';
import type {Method} from './ranges.js';
import {forEachSample, spread} from './samples.js';
import {isQuantized, type Sites, sitesOf} from './sites.js';
import {affineFor, type Survey, surveyOf, watchedOf} from './survey.js';
import {openTapped, type Reading} from './taps.js';
import {errorOfWeights} from './weights.js';

/** A task under a recipe that ends in `int8`. */
export type Wanted = {
  readonly task: Task;
  readonly recipe: string;
  readonly samples: Labelled;
};

export type Int8Options = Reading & {
  readonly method: Method;
  /** How many samples are looked at. */
  readonly count: number;
  /** Whether biases make up for what rounding does to means. */
  readonly correctBias: boolean;
};

/** What has been found out about a task. */
export type Studied = Wanted & {
  readonly indices: readonly number[];
  readonly survey: Survey;
  readonly names: ReadonlyMap<ValueId, string>;
};

export const headOf = ({heads}: Module, task: string): Head => heads.find(({name}) => name === task)!;

/** One build for all of them. Errors: usage int8.quantized, int8.layers; input calibrate.few, calibrate.constant. */
export async function study(
  wanted: readonly Wanted[],
  tasks: readonly Task[],
  options: Int8Options,
): Promise<readonly Studied[]> {
  const {progress = () => {}, method, count} = options;
  const indices = wanted.map(({samples}) => spread(samples.data, count));
  let module: Module | null = null;
  const open = await openTapped(tasks, options, given => {
    module = given;
    const taps = wanted.map(({task: {name}}) => {
      const sites = sitesOf(given, headOf(given, name));
      refuse(sites, name);
      return [name, watchedOf(given, sites)] as const;
    });
    return {module: given, taps: new Map(taps)};
  });
  invariant(module, 'int8.module', 'survey', 'was not built');
  const its: Module = module;
  return wanted.map((each, i) => {
    const {name} = each.task;
    const show = (doing: string): void => progress(`${name}: ${doing}`);
    const view = {data: each.samples.data, indices: indices[i]!, method, progress: show};
    const survey = surveyOf(its, headOf(its, name), open(name), view);
    const names = new Map([...survey.ranges.keys()].map(id => [id, valueAt(its.graph, id).name]));
    return {...each, indices: indices[i]!, survey, names};
  });
}

function refuse(sites: Sites, task: string): void {
  if (isQuantized(sites))
    fail('usage', 'int8.quantized', task, 'is a quantized network already', 'build it without --recipe int8');
  if (sites.layers.every(({float}) => float !== null))
    fail(
      'usage',
      'int8.layers',
      task,
      'has no convolution or fully connected layer to quantize',
      'build it without --recipe int8',
    );
}

/** How a task is quantized where the layers named stay in float. */
export function quantizationOf(
  module: Module,
  {task, survey, names}: Studied,
  float: ReadonlyMap<string, string>,
  correctBias: boolean,
): Quantization {
  const sites = sitesOf(module, headOf(module, task.name), float);
  for (const id of sites.made)
    invariant(names.get(id) === valueAt(module.graph, id).name, 'int8.module', task.name, 'is not the network that was surveyed');
  return {sites, affine: affineFor(sites, survey.ranges), ...(correctBias && {means: survey.means})};
}

/** The module with the quantized network as a variant of its task. */
export function withVariant(module: Module, studied: Studied, float: ReadonlyMap<string, string>, correctBias: boolean): Module {
  const {task, recipe} = studied;
  const head = headOf(module, task.name);
  const name = `${task.name}_${recipe.replaceAll(/\W/g, '_')}`;
  const quantization = quantizationOf(module, studied, float, correctBias);
  return withQuantized(module, head, quantization, {name, attrs: {...head.attrs, task: task.name, recipe}});
}

/** Layer by layer: both networks run side by side on the samples. One build for all of them. */
export async function explain(
  studied: readonly Studied[],
  tasks: readonly Task[],
  floats: readonly ReadonlyMap<string, string>[],
  options: Int8Options,
): Promise<readonly (readonly LayerReport[])[]> {
  const {progress = () => {}, correctBias} = options;
  const known: {readonly graph: Graph; readonly quantization: Quantization}[] = [];
  const open = await openTapped(tasks, options, given => {
    let module = given;
    const taps = new Map<string, readonly ValueId[]>();
    studied.forEach((each, i) => {
      const head = headOf(module, each.task.name);
      const quantization = quantizationOf(module, each, floats[i]!, correctBias);
      const results = quantization.sites.layers.map(({result}) => result);
      known.push({graph: module.graph, quantization});
      const name = `${each.task.name}.taps`;
      module = withQuantized(module, head, quantization, {name, attrs: {}, also: results});
      const others = headOf(module, name).outputs.slice(head.outputs.length);
      taps.set(each.task.name, [...(taps.get(each.task.name) ?? []), ...results, ...others]);
    });
    return {module, taps};
  });
  return studied.map(({task, samples, indices, survey}, i) => {
    const {graph, quantization} = known[i]!;
    const {layers} = quantization.sites;
    const errors = layers.map((): ErrorSoFar => ({signal: 0, noise: 0}));
    const {entry, tapsOf} = open(task.name);
    const before = studied.slice(0, i).filter(other => other.task.name === task.name).length;
    forEachSample(
      entry,
      samples.data,
      indices,
      outputs => {
        const taps = tapsOf(outputs).slice(2 * before * layers.length);
        for (const [at, error] of errors.entries()) seeError(error, taps[at]!, taps[at + layers.length]!);
      },
      done => progress(`${task.name}: layers on ${done} of ${indices.length} samples`),
    );
    return layers.map((layer, at): LayerReport => {
      const bytesBefore = layer.node.inputs.slice(1).reduce((sum, id) => sum + sizeOf(graph, id), 0);
      const common = {layer: layer.name, outputSqnr: round(sqnrOf(errors[at]!), 2), bytesBefore};
      if (layer.float !== null) return {...common, float: layer.float, bytesAfter: bytesBefore};
      const affine = quantization.affine.get(layer.result);
      const integer = integerLayer(graph, layer.node, quantization);
      const outputs = integer.scales.length;
      return {
        ...common,
        ...(affine && {...affine, clipped: round(survey.clipped.get(layer.result) ?? 0, 6)}),
        weightSqnr: round(sqnrOf(errorOfWeights(integer.real, integer)), 2),
        // A scale and a bias of four bytes per channel.
        bytesAfter: integer.weights.data.length + 8 * outputs,
      };
    });
  });
}

const sizeOf = (graph: Graph, id: ValueId | null): number => {
  const constant = id === null ? null : constantOf(graph, id);
  return constant ? bytesOf(constant.value.type) : 0;
};

const round = (value: number, digits: number): number => Number(value.toFixed(digits));
