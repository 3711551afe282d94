/**
 * Random ONNX models over all operators: onnxruntime, the reference on what is imported, portable C and the C of the best
 * target agree. What fails is shrunk and printed as text, ready to be kept in test/fixtures. Longer, and elsewhere:
 * DNNC_RANDOM_SECONDS=600 DNNC_RANDOM_SEED=1000 npx ava build/test/random-onnx.test.js
 */
import test from 'ava';
import {hasOnnxruntime, openPeer} from '../compiler/onnxruntime.js';
import {microsoftImporters, onnxImporters} from '../ir/ops/index.js';
import type {Tensor} from '../ir/tensor.js';
import {off, problemsInC, problemsInIr, stageOf} from './support/agreement.js';
import {buildAll, targetsHere} from './support/cc.js';
import {describe, opinionOn, opinionOnNode, smallestFailure} from './support/onnx-agreement.js';
import {recipes, withoutRecipe} from './support/onnx-recipes/index.js';
import {type OnnxCase, type RandomOnnx, randomOnnx} from './support/random-onnx.js';
import {runSanitized} from './support/sanitize.js';

const seconds = Number(process.env.DNNC_RANDOM_SECONDS ?? 8);
const firstSeed = Number(process.env.DNNC_RANDOM_SEED ?? 1);
const mostFailures = Number(process.env.DNNC_RANDOM_FAILURES ?? 1);
/** Models that share a run of the C compiler. */
const together = 24;
const ends = targetsHere.filter((_, i) => i === 0 || i === targetsHere.length - 1);
const onnxruntime = (await hasOnnxruntime()) ? test.serial : test.serial.skip;

/** What a run has seen. */
class Tally {
  models = 0;
  readonly covered = new Set<string>();
  readonly peer = new Map<string, number>();
  readonly refused = new Map<string, number>();
  readonly failures = new Map<string, string>();

  count(map: Map<string, number>, key: string): void {
    map.set(key, (map.get(key) ?? 0) + 1);
  }

  fail(key: string, says: string): void {
    if (!this.failures.has(key)) this.failures.set(key, says);
  }

  lines(): readonly string[] {
    const sum = (map: Map<string, number>): number => [...map.values()].reduce((a, b) => a + b, 0);
    const list = (map: Map<string, number>): string => [...map].map(([key, count]) => `${count} ${key}`).join('\n  ');
    const long = seconds > 8;
    return [
      `${this.models} models, ${this.covered.size} operators, ${this.failures.size} failures`,
      `nodes that onnxruntime does not take: ${sum(this.peer)}${long ? `\n  ${list(this.peer)}` : ''}`,
      `nodes that are not supported: ${sum(this.refused)}${long ? `\n  ${list(this.refused)}` : ''}`,
    ];
  }
}

/** A model of nodes that are good alone; nodes that are not are told. */
const draw = (seed: number, tally: Tally): Promise<RandomOnnx | null> =>
  randomOnnx(seed, {
    recipes,
    judge({op}, made) {
      const opinion = opinionOnNode(made, ends);
      if (opinion.kind === 'refused') tally.count(tally.refused, `${op}: ${opinion.says}`);
      if (opinion.kind === 'failed')
        tally.fail(`${op} ${stageOf(opinion.says)}`, `seed ${seed}\n${describe(made)}\n${opinion.says}`);
      if (opinion.kind === 'good') tally.covered.add(op);
      return opinion.kind === 'good';
    },
    refused: (op, says) => tally.count(tally.peer, `${op}: ${says.slice(0, 160).replaceAll('\n', ' ')}`),
  });

/** What onnxruntime makes of the whole file. */
async function byPeer({bytes, inputs, outputs}: OnnxCase, optimize: 'disabled' | 'basic'): Promise<readonly Tensor[]> {
  const peer = await openPeer(bytes, {optimize, quiet: true});
  try {
    const results = await peer.run(inputs.map(({tensor}) => tensor));
    return outputs.map(({name}) => results.get(name)!);
  } finally {
    await peer.close();
  }
}

type Whole = {readonly made: RandomOnnx; readonly opinion: Extract<ReturnType<typeof opinionOn>, {kind: 'good'}>};

async function wholeOf(made: RandomOnnx, tally: Tally): Promise<Whole | null> {
  const opinion = opinionOn(made);
  if (opinion.kind === 'refused') tally.count(tally.refused, `whole: ${opinion.says}`);
  if (opinion.kind === 'failed')
    tally.fail(`whole ${stageOf(opinion.says)}`, `seed ${made.seed}\n${describe(made)}\n${opinion.says}`);
  if (opinion.kind !== 'good') return null;
  const results = await byPeer(made, made.seed % 2 === 0 ? 'disabled' : 'basic').catch((error: unknown) => String(error));
  const expected = {...opinion.expected, results: new Map([['m', typeof results === 'string' ? [] : results]])};
  const says = typeof results === 'string' ? [results] : off(opinion.expected.results, expected);
  if (says.length > 0) tally.count(tally.peer, `whole, seed ${made.seed}: ${says[0]}`);
  return says.length > 0 ? null : {made, opinion: {...opinion, expected}};
}

async function runBatch(firstOfBatch: number, tally: Tally): Promise<void> {
  const wholes: Whole[] = [];
  for (let seed = firstOfBatch; seed < firstOfBatch + together; seed++) {
    const made = await draw(seed, tally);
    const whole = made && (await wholeOf(made, tally));
    if (whole) wholes.push(whole);
  }
  tally.models += wholes.length;
  const programs = await buildAll(
    wholes.map(({opinion}) => opinion.module),
    {targets: ends},
  );
  for (const [i, {made, opinion}] of wholes.entries()) {
    const {module, expected} = opinion;
    const problems = [...problemsInIr(module, expected), ...problemsInC(programs[i]!, ends, expected)];
    if (problems.length === 0) continue;
    const stage = stageOf(problems[0]!);
    const smallest = await smallestFailure({module, inputs: expected.inputs}, stage, ends);
    tally.fail(smallest.replace(/%\w+/g, ''), `seed ${made.seed}\n${describe(made)}\n${problems.join('\n')}\n${smallest}`);
  }
}

onnxruntime('random ONNX models: onnxruntime, reference and C agree', async t => {
  t.timeout(seconds * 1000 + 900_000);
  const started = performance.now();
  const tally = new Tally();
  let seed = firstSeed;
  for (; performance.now() - started < seconds * 1000 && tally.failures.size < mostFailures; seed += together)
    await runBatch(seed, tally);
  t.log(`seeds ${firstSeed} to ${seed - 1}`, ...tally.lines());
  t.deepEqual([...tally.failures.values()].join('\n----\n'), '');
});

onnxruntime('random ONNX models stay inside their buffers, without undefined behaviour', async t => {
  t.timeout(900_000);
  const tally = new Tally();
  const wholes: Whole[] = [];
  for (let seed = firstSeed; wholes.length < 12; seed++) {
    const made = await draw(seed, tally);
    const whole = made && (await wholeOf(made, tally));
    if (whole) wholes.push(whole);
  }
  for (const target of ends) {
    const results = await runSanitized(
      wholes.map(({opinion: {module, expected}}) => ({module, inputs: expected.inputs})),
      target,
    );
    results.forEach((result, i) => {
      const {made, opinion} = wholes[i]!;
      t.deepEqual(off(result, opinion.expected), [], `${target.name}, seed ${made.seed}`);
    });
  }
});

test('every operator has a recipe, or a reason why not', t => {
  const known = new Set(recipes.map(({op}) => op));
  t.deepEqual(
    [...onnxImporters.keys(), ...microsoftImporters.keys()].filter(op => !known.has(op) && !withoutRecipe.has(op)),
    [],
  );
  t.deepEqual(
    [...withoutRecipe.keys()].filter(op => known.has(op) || !(onnxImporters.has(op) || microsoftImporters.has(op))),
    [],
    'exceptions that are none',
  );
});
