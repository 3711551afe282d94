/** Runs conformance tests in one process, many compiled together, and says of each how it went. */

import type {Target} from '../../codegen/targets/index.js';
import {costOfHead} from '../../ir/cost.js';
import {DnncError} from '../../ir/diagnostics.js';
import {evaluate} from '../../ir/evaluate.js';
import {numberAt, type Tensor} from '../../ir/tensor.js';
import {buildAll, type Program} from '../support/cc.js';
import {type ConformanceTest, expectedOf, type Prepared, prepare} from './suite.js';

export type Verdict = {
  readonly test: ConformanceTest;
  readonly result: 'passed' | 'refused' | 'failed';
  /** Why not. */
  readonly says: string;
};

/** As many modules share one run of the C compiler. */
const together = 40;
/** The reference evaluator runs models up to this many multiply-accumulates. */
const mostMacs = 2e6;

export type JudgeOptions = {
  readonly targets: readonly Target[];
  readonly progress?: (done: number) => void;
};

/** In the order of the tests. */
export async function judge(
  tests: readonly ConformanceTest[],
  {targets, progress = () => {}}: JudgeOptions,
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  for (let at = 0; at < tests.length; at += together) {
    verdicts.push(...(await judgeBatch(tests.slice(at, at + together), targets)));
    progress(verdicts.length);
  }
  return verdicts;
}

async function judgeBatch(tests: readonly ConformanceTest[], targets: readonly Target[]): Promise<readonly Verdict[]> {
  const prepared = tests.map(test => attempt(() => prepare(test)));
  const good = prepared.filter((each): each is Prepared => !(each instanceof Error));
  const programs = await buildAll(
    good.map(({module}) => module),
    {targets},
  );
  return tests.map((test, i): Verdict => {
    const given = prepared[i]!;
    if (given instanceof Error) return refusal(test, given);
    const program = programs[good.indexOf(given)]!;
    if (program instanceof Error) return refusal(test, program);
    const problem = attempt(() => problemOf(test, given, program, targets));
    if (problem instanceof Error) return {test, result: 'failed', says: problem.message};
    return problem === null ? {test, result: 'passed', says: ''} : {test, result: 'failed', says: problem};
  });
}

function attempt<T>(work: () => T): T | Error {
  try {
    return work();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Only what says "not supported" is a refusal. */
const refusal = (test: ConformanceTest, error: Error): Verdict => ({
  test,
  result: error instanceof DnncError && error.kind === 'unsupported' ? 'refused' : 'failed',
  says: error.message,
});

/** The reference and the code of each target against what the test expects; null where all agree. */
function problemOf(
  test: ConformanceTest,
  {module, inputs}: Prepared,
  program: Program,
  targets: readonly Target[],
): string | null {
  const expected = expectedOf(test);
  const check = (who: string, tensors: readonly Tensor[]): readonly string[] =>
    expected.flatMap((want, i) => {
      const says = difference(tensors[i], want, test);
      return says === null ? [] : [`${who}: output ${i} ${says}`];
    });
  const [head] = module.heads;
  const byC = targets.flatMap(target => check(target.name, program.run(target, inputs).get(head!.name) ?? []));
  const small = costOfHead(module.graph, head!).macs <= mostMacs;
  const values = small ? evaluate(module, inputs) : null;
  const byReference = values
    ? check(
        'reference',
        head!.outputs.map(id => values.get(id)!),
      )
    : [];
  return [...byReference, ...byC][0] ?? null;
}

const isFloat = ({dtype}: Tensor): boolean => ['f64', 'f32', 'f16', 'bf16'].includes(dtype);

/** Halves may also be off by two in their last place: the expected values were rounded after each step, in some order of sums. */
const lastPlace: Partial<Record<Tensor['dtype'], number>> = {f16: 2 ** -9, bf16: 2 ** -6};

function difference(got: Tensor | undefined, want: Tensor, {rtol, atol}: ConformanceTest): string | null {
  if (!got) return 'is missing';
  if (got.dtype !== want.dtype) return `is of type ${got.dtype}, not ${want.dtype}`;
  if (String(got.shape) !== String(want.shape)) return `has the shape [${got.shape}], not [${want.shape}]`;
  const exact = !isFloat(want);
  const relative = Math.max(rtol, lastPlace[want.dtype] ?? 0);
  for (let i = 0; i < want.data.length; i++) {
    if (exact ? got.data[i] === want.data[i] : close(numberAt(got, i), numberAt(want, i), relative, atol)) continue;
    return `has ${exact ? got.data[i] : numberAt(got, i)} at ${i}, not ${exact ? want.data[i] : numberAt(want, i)}`;
  }
  return null;
}

const close = (got: number, want: number, rtol: number, atol: number): boolean =>
  Object.is(got, want) ||
  got === want ||
  (Number.isNaN(got) && Number.isNaN(want)) ||
  Math.abs(got - want) <= atol + rtol * Math.abs(want);
