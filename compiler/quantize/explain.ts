/** What quantization did to each layer: both networks run side by side on the samples. */
import {headOf} from '../../ir/graph.js';
import {bytesOfTensor} from '../../ir/tensor.js';
import type {Graph, Module} from '../../ir/types.js';
import type {LayerReport} from '../recipes/report.js';
import type {Task} from '../tasks.js';
import {integerLayer, parametersOf, type Quantization, withQuantized} from './insert.js';
import {type ErrorSoFar, seeError, sqnrOf} from './observe.js';
import {forEachSample} from './samples.js';
import {type Int8Options, quantizationOf, type Studied, withReal} from './study.js';
import {openTapped} from './taps.js';
import {errorOfWeights} from './weights.js';

/** By what was studied, by layer. `floats` names the layers that stay in float, and why. One build for all. */
export async function explain(
  studied: readonly Studied[],
  tasks: readonly Task[],
  floats: readonly ReadonlyMap<string, string>[],
  options: Int8Options,
): Promise<readonly (readonly LayerReport[])[]> {
  const {progress = () => {}, correctBias} = options;
  const known: {readonly graph: Graph; readonly quantization: Quantization}[] = [];
  const open = await openTapped(tasks, options, given => {
    let module: Module = given;
    const taps = studied.map((each, i) => {
      const task = each.task.name;
      const quantization = quantizationOf(given, each, floats[i]!, correctBias);
      const results = quantization.sites.layers.map(({result}) => result);
      known.push({graph: given.graph, quantization});
      const real = each.equalized ? withReal(module, task, each.equalized.changed, results) : {module, ids: results};
      const head = headOf(real.module, task);
      const name = `${task}.whole.${i}`;
      module = withQuantized(real.module, head, quantization, {name, attrs: {}, also: results});
      return {task, ids: [...real.ids, ...headOf(module, name).outputs.slice(head.outputs.length)]};
    });
    return {module, taps};
  });
  return studied.map(({task, samples, indices, survey, rounded}, i) => {
    const {graph, quantization} = known[i]!;
    const {layers} = quantization.sites;
    const errors = layers.map((): ErrorSoFar => ({signal: 0, noise: 0}));
    const {entry, tapsOf} = open[i]!;
    forEachSample(
      entry,
      samples.data,
      indices,
      outputs => {
        const taps = tapsOf(outputs);
        for (const [at, error] of errors.entries()) seeError(error, taps[at]!, taps[at + layers.length]!);
      },
      done => progress(`${task.name}: layers on ${done} of ${indices.length} samples`),
    );
    return layers.map((layer, at): LayerReport => {
      const {weights, bias} = parametersOf(graph, layer.node);
      const bytesBefore = bytesOfTensor(weights).length + 4 * (bias?.length ?? 0);
      const common = {layer: layer.name, outputSqnr: round(sqnrOf(errors[at]!), 2), bytesBefore};
      if (layer.float !== null) return {...common, float: layer.float, bytesAfter: bytesBefore};
      const affine = quantization.affine.get(layer.result);
      const integer = integerLayer(graph, layer.node, quantization);
      const outputs = integer.scales.length;
      const found = rounded?.get(layer.name);
      return {
        ...common,
        ...(affine && {...affine, clipped: round(survey.clipped.get(layer.result) ?? 0, 6)}),
        ...(found && {rounding: found.way, gain: round(found.gain, 2)}),
        weightSqnr: round(sqnrOf(errorOfWeights(integer.real, integer)), 2),
        // A scale and a bias of four bytes per channel.
        bytesAfter: integer.weights.data.length + 8 * outputs,
      };
    });
  });
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));
