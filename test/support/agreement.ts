/** All that must agree about one module: its text, the reference before and after the passes, and the C of every target. */
import type {Target} from '../../codegen/targets/index.js';
import {exact} from '../../compiler/pipeline.js';
import {evaluate} from '../../ir/evaluate.js';
import {verify} from '../../ir/invariants.js';
import {print} from '../../ir/print.js';
import {numberAt} from '../../ir/tensor.js';
import type {Module} from '../../ir/types.js';
import {initially, runPasses} from '../../passes/framework/manager.js';
import {buildAll, type Program, type Results, type Tensors} from './cc.js';
import {differences, printedAgain, randomInputs, referenceOf} from './reference.js';
import {randomOf} from './tensors.js';

/** Of the largest finite value anywhere in the module: what is left of a difference of large values has their error. */
const tolerance = 1e-5;

/** What was expected of a module, and how far results may be off. */
export type Expectation = {readonly inputs: Tensors; readonly results: Results; readonly largest: number};

export function expectationOf(module: Module, seed: number): Expectation {
  const inputs = randomInputs(module, randomOf(seed));
  let largest = 1;
  for (const tensor of evaluate(module, inputs).values())
    for (let i = 0; i < tensor.data.length; i++) {
      const size = Math.abs(numberAt(tensor, i));
      if (Number.isFinite(size) && size > largest) largest = size;
    }
  return {inputs, results: referenceOf(module, inputs), largest};
}

/** `tolerance` is of each output's largest value; this makes it one of the module's. */
function off(actual: Results, {results, largest}: Expectation): readonly string[] {
  return [...results].flatMap(([head, tensors]) => {
    const own = tensors.reduce((most, tensor) => {
      for (let i = 0; i < tensor.data.length; i++) {
        const size = Math.abs(numberAt(tensor, i));
        if (Number.isFinite(size) && size > most) most = size;
      }
      return most;
    }, 1e-30);
    return differences(new Map([[head, actual.get(head) ?? []]]), new Map([[head, tensors]]), (tolerance * largest) / own);
  });
}

const attempt = (stage: string, work: () => readonly string[]): readonly string[] => {
  try {
    return work().map(says => `${stage}: ${says}`);
  } catch (error) {
    return [`${stage}: ${error instanceof Error ? error.message : String(error)}`];
  }
};

/** Without C. Every message begins with the stage that failed. */
export function problemsInIr(module: Module, expected: Expectation): readonly string[] {
  return [
    ...attempt('invariants', () => {
      verify(module, initially);
      return [];
    }),
    ...attempt('text', () => (printedAgain(module) === print(module) ? [] : ['reads back to another text'])),
    ...attempt('passes', () => {
      const optimized = runPasses(module, exact);
      if (runPasses(optimized, exact) !== optimized) return ['a second run changes something'];
      return [
        ...(printedAgain(optimized) === print(optimized) ? [] : ['the result reads back to another text']),
        ...off(referenceOf(optimized, expected.inputs), expected),
      ];
    }),
  ];
}

export const problemsInC = (program: Program | Error, targets: readonly Target[], expected: Expectation): readonly string[] =>
  targets.flatMap(target =>
    attempt(target.name, () =>
      program instanceof Error ? [program.message] : off(program.run(target, expected.inputs), expected),
    ),
  );

/** The same as above for one module, C included. */
export async function problemsOf(module: Module, seed: number, targets: readonly Target[]): Promise<readonly string[]> {
  const expected = expectationOf(module, seed);
  const found = problemsInIr(module, expected);
  if (found.length > 0) return found;
  const [program] = await buildAll([module], {targets});
  return problemsInC(program!, targets, expected);
}

/** The stage of a message: a shrunk module must fail at the same one. */
export const stageOf = (problem: string): string => problem.slice(0, problem.indexOf(':'));
