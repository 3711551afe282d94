/** All that must agree about one module: its text, the reference before and after the passes, and the C of every target. */
import type {Target} from '../../codegen/targets/index.js';
import {exact} from '../../compiler/pipeline.js';
import {evaluate} from '../../ir/evaluate.js';
import {verify} from '../../ir/invariants.js';
import {print} from '../../ir/print.js';
import {bytesOfTensor, numbersOf, type Tensor} from '../../ir/tensor.js';
import type {Module} from '../../ir/types.js';
import {initially, runPasses} from '../../passes/framework/manager.js';
import {buildAll, type Program, type Results, type Tensors} from './cc.js';
import {printedAgain, randomInputs, referenceOf} from './reference.js';
import {difference, randomOf} from './tensors.js';

/** Of the largest finite value anywhere in the module: what is left of a difference of large values has their error. */
const tolerance = 1e-5;

/** What is expected of a module, and how far each output may be off, absolute. */
export type Expectation = {
  readonly inputs: Tensors;
  readonly results: Results;
  readonly allowed: (head: string, output: number) => number;
};

export const expectationOf = (module: Module, seed: number): Expectation =>
  expectationFrom(module, randomInputs(module, randomOf(seed)));

/** What the reference evaluator makes of these inputs. */
export function expectationFrom(module: Module, inputs: Tensors): Expectation {
  const largest = Math.max(1, ...[...evaluate(module, inputs).values()].map(largestOf));
  return {inputs, results: referenceOf(module, inputs), allowed: () => tolerance * largest};
}

/** The largest finite magnitude. */
export const largestOf = (tensor: Tensor): number =>
  numbersOf(tensor).reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);

/** What is further off than it may be. */
export function off(actual: Results, {results, allowed}: Expectation): readonly string[] {
  return [...results].flatMap(([head, tensors]) =>
    tensors.flatMap((tensor, i) => {
      const result = actual.get(head)?.[i];
      const relative = allowed(head, i) / Math.max(largestOf(tensor), 1e-30);
      const says = result ? difference(result, tensor, relative) : 'is missing';
      return says === null ? [] : [`${head}[${i}] ${says}`];
    }),
  );
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
    attempt(target.name, () => (program instanceof Error ? [program.message] : problemsOfRun(program, target, expected))),
  );

/** What is not as expected, and what segment by segment comes out otherwise in any bit. */
function problemsOfRun(program: Program, target: Target, expected: Expectation): readonly string[] {
  const whole = program.run(target, expected.inputs);
  const unlike = Array.from(program.runSegments(target, expected.inputs)).flatMap(([head, results]) =>
    results.flatMap((result, i) =>
      Buffer.compare(bytesOfTensor(result), bytesOfTensor(whole.get(head)![i]!)) === 0
        ? []
        : [`output ${i} of ${head} differs segment by segment`],
    ),
  );
  return [...off(whole, expected), ...unlike];
}

/** The same as above for one module, C included. */
export async function problemsOf(module: Module, inputs: Tensors, targets: readonly Target[]): Promise<readonly string[]> {
  const expected = expectationFrom(module, inputs);
  const found = problemsInIr(module, expected);
  if (found.length > 0) return found;
  const [program] = await buildAll([module], {targets});
  return problemsInC(program!, targets, expected);
}

/** The stage of a message: a shrunk module must fail at the same one. */
export const stageOf = (problem: string): string => problem.slice(0, problem.indexOf(':'));
