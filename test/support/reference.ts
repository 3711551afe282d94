/** The reference evaluator on a whole module, and its comparison with programs. */
import type {Target} from '../../codegen/targets/index.js';
import {evaluate} from '../../ir/evaluate.js';
import {parse} from '../../ir/parse.js';
import {print} from '../../ir/print.js';
import type {Module} from '../../ir/types.js';
import type {Program, Results, Tensors} from './cc.js';
import {difference, type Random, randomTensor} from './tensors.js';

export function referenceOf(module: Module, inputs: Tensors): Results {
  const values = evaluate(module, inputs);
  return new Map(module.heads.map(head => [head.name, head.outputs.map(id => values.get(id)!)]));
}

export const randomInputs = (module: Module, random: Random): Tensors =>
  new Map(module.graph.inputs.map(({name, type}) => [name, randomTensor(type, random)]));

/** What differs between two results, as `head[output]: ...`; empty where nothing does. */
export function differences(actual: Results, expected: Results, tolerance: number): readonly string[] {
  return [...expected].flatMap(([head, tensors]) =>
    tensors.flatMap((tensor, i) => {
      const result = actual.get(head)?.[i];
      const says = result ? difference(result, tensor, tolerance) : 'is missing';
      return says === null ? [] : [`${head}[${i}] ${says}`];
    }),
  );
}

/** The same, for a program on several targets, each named. */
export const programDifferences = (
  program: Program,
  targets: readonly Target[],
  inputs: Tensors,
  expected: Results,
  tolerance: number,
): readonly string[] =>
  targets.flatMap(target => differences(program.run(target, inputs), expected, tolerance).map(says => `${target.name}: ${says}`));

/** Bytes of a module's constants by hash, as the parser asks for them. */
export function blobsOf(...modules: readonly Module[]): (hash: string) => Uint8Array | undefined {
  const blobs = new Map(modules.flatMap(({graph}) => graph.constants.map(({blob}) => [blob.hash, blob.bytes] as const)));
  return hash => blobs.get(hash);
}

/** The text of what the text of a module reads back to. */
export const printedAgain = (module: Module): string => print(parse(print(module), {blobs: blobsOf(module)}));
