/**
 * What onnxruntime makes of a network, and how far it is from itself. Where a network rounds to integers, a last bit decides which of
 * two steps a sum becomes, and later layers make more of it: onnxruntime's fused kernels, which add in another order or compute in
 * other steps, are then several steps from its plain ones, which compute every node as ONNX defines it. A right implementation is
 * within the tolerance of one of them, or no farther from the nearer than they are from each other.
 */
import {headOf, inputsFor} from '../ir/graph.js';
import type {Tensor} from '../ir/tensor.js';
import type {Module} from '../ir/types.js';
import {type Difference, difference, noDifference, worse} from './compare.js';
import {openPeer, type PeerOptions} from './onnxruntime.js';
import type {Opened} from './open.js';
import {randomInput} from './random-inputs.js';
import type {Task} from './tasks.js';

/** Outputs in the order of the task's, by sample. */
export type Outputs = readonly (readonly Tensor[])[];

/** Of our outputs to those without optimizations, and of these to those with them. */
export type Itself = {readonly plain: Difference; readonly apart: Difference};

/** onnxruntime reads the model file itself, so its inputs are those of the file, used or not. */
export async function peerResults(
  {manifest}: Opened,
  module: Module,
  task: Task,
  inputs: Outputs,
  optimize: NonNullable<PeerOptions['optimize']>,
): Promise<Outputs> {
  const peer = await openPeer(task.model, {optimize});
  const {inputs: declared, outputs} = manifest.tasks[task.name]!;
  const shown = module.heads.length === 1 ? module.graph.inputs : inputsFor(module.graph, headOf(module, task.name));
  const all: (readonly Tensor[])[] = [];
  for (const sample of inputs) {
    const given = shown.map(value => {
      const at = declared.findIndex(input => input.name === value.name);
      return at >= 0 ? sample[at]! : randomInput({name: value.name, ...value.type}, 1);
    });
    const theirs = await peer.run(given);
    all.push(outputs.map((output, at) => theirs.get(output.name) ?? [...theirs.values()][at]!));
  }
  await peer.close();
  return all;
}

export async function againstItself(
  opened: Opened,
  module: Module,
  task: Task,
  inputs: Outputs,
  ours: Outputs,
  optimized: Outputs,
): Promise<Itself> {
  const plain = await peerResults(opened, module, task, inputs, 'disabled');
  return {plain: worstOf(ours, plain), apart: worstOf(plain, optimized)};
}

/** Over all samples and outputs. */
export const worstOf = (got: Outputs, want: Outputs): Difference =>
  want.flatMap((tensors, i) => tensors.map((tensor, at) => difference(got[i]![at]!, tensor))).reduce(worse, noDifference);

/** `optimized`: of our outputs to onnxruntime's as it is used. */
export const isAsNear = (optimized: Difference, {plain, apart}: Itself, tolerance: number): boolean =>
  Math.min(optimized.maxRelative, plain.maxRelative) <= Math.max(tolerance, apart.maxRelative);

/** `reference`: of our outputs to the reference evaluator's, which rounds node by node; a last bit moves its near ties, too. */
export const isRoundedAsByPeer = (reference: Difference, peer: Difference | undefined, tolerance: number): boolean =>
  !(reference.maxRelative <= tolerance) && peer !== undefined && peer.maxRelative <= tolerance;
