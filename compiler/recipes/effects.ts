/** How much each layer of a variant alone moves a network's scores. */

import {graft} from '../../ir/graft.js';
import {headOf} from '../../ir/graph.js';
import type {Module, ValueId} from '../../ir/types.js';
import type {Dataset} from '../data/dataset.js';
import {type ErrorSoFar, seeError} from '../quantize/observe.js';
import {forEachSample, spread} from '../quantize/samples.js';
import {openTapped, type Reading} from '../quantize/taps.js';
import type {Task} from '../tasks.js';
import type {Candidate} from './candidate.js';

/** Samples that effects are measured on: an order is wanted, not a number. */
const fewSamples = 16;

/**
 * Relative error of the scores where one layer alone is changed, by layer. One build has a network for each layer; what they
 * have in common is computed once.
 */
export async function effectsOf(
  {task: {name}, layers: layersIn, extend}: Candidate,
  data: Dataset,
  tasks: readonly Task[],
  reading: Reading,
): Promise<ReadonlyMap<string, number>> {
  const {progress = () => {}} = reading;
  const layers: string[] = [];
  const [open] = await openTapped(tasks, reading, given => {
    const changed = layersIn(given);
    const taps: ValueId[] = [headOf(given, name).outputs[0]!];
    let module: Module = given;
    for (const layer of changed) {
      const others = new Map(changed.flatMap(other => (other === layer ? [] : [[other, ''] as const])));
      const alone = `${name}.alone.${layers.length}`;
      module = graft(given, module, extend(given, others, {name: alone, attrs: {}}), alone);
      taps.push(headOf(module, alone).outputs[0]!);
      layers.push(layer);
    }
    return {module, taps: [{task: name, ids: taps}]};
  });
  const errors = layers.map((): ErrorSoFar => ({signal: 0, noise: 0}));
  const {entry, tapsOf} = open!;
  const indices = spread(data, fewSamples);
  forEachSample(
    entry,
    data,
    indices,
    outputs => {
      const [scores, ...alone] = tapsOf(outputs);
      for (const [at, error] of errors.entries()) seeError(error, scores!, alone[at]!);
    },
    done => progress(`${name}: effects of layers on ${done} of ${indices.length} samples`),
  );
  return new Map(layers.map((layer, at) => [layer, Math.sqrt(errors[at]!.noise / (errors[at]!.signal || 1))]));
}
