/**
 * What layers take, as the cost model estimates it for the best target of this machine: the same in every run. Times would be nearer to one
 * run of one machine, and would choose other ranks in the next.
 */
import {cyclesOf, weightsOf} from '../../codegen/kernels/cycles.js';
import {cheapest} from '../../codegen/kernels/ways.js';
import {editor} from '../../ir/edit.js';
import type {Builder} from '../../ir/op.js';
import {concat} from '../../ir/ops/concat/index.js';
import {reshape} from '../../ir/ops/reshape/index.js';
import {slice} from '../../ir/ops/slice/index.js';
import {parse} from '../../ir/parse.js';
import type {Step} from '../../ir/plan.js';
import {filled} from '../../ir/tensor.js';
import type {Module, Value} from '../../ir/types.js';
import {runPasses} from '../../passes/framework/manager.js';
import {targetsNamed} from '../host.js';
import {lower} from '../lower/lower.js';
import {exact} from '../pipeline.js';
import {emitStage, type Stage} from './stage.js';

/** A stage and what it reads. */
export type Sized = {readonly stage: Stage; readonly input: readonly number[]};

/** Microseconds of a stage that was asked for. */
export type Costs = (of: Sized) => number;

/** Of the cores that the model's constants were measured on. */
const cyclesPerMicrosecond = 2200;

/** Weights of more in one module would take too much memory. */
const mostAtOnce = 16;

const nameOf = ({stage, input}: Sized): string => JSON.stringify([input, ...Object.values(stage)]);

/** Of these sizes, in a network of those layers: where all its weights do not stay in the nearest caches, none do. */
export function costsOf(sizes: readonly Sized[], network: readonly Sized[]): Costs {
  const {features} = targetsNamed(['native'])[0]!;
  const stepsOf = stepsBySize([...network, ...sizes]);
  const all = network.reduce((sum, sized) => sum + weightsOf(stepsOf(sized)), 0);
  return sized => {
    const steps = stepsOf(sized);
    const beside = Math.max(0, all - weightsOf(steps));
    return Number((cyclesOf(steps, features, beside) / cyclesPerMicrosecond).toPrecision(4));
  };
}

/** What computes each size: all borders that are made for it, and its kernel. */
function stepsBySize(sizes: readonly Sized[]): (of: Sized) => readonly Step[] {
  const different = [...new Map(sizes.map(sized => [nameOf(sized), sized]))];
  const known = new Map<string, readonly Step[]>();
  for (let first = 0; first < different.length; first += mostAtOnce) {
    const now = different.slice(first, first + mostAtOnce);
    const [entry] = lower(runPasses(moduleOf(now.map(([, sized]) => sized)), exact), cheapest.way).entries;
    let pending: readonly Step[] = [];
    for (const step of entry!.steps) {
      const own = [...pending, step];
      const name = now[Number(/^stage\.(\d+)$/.exec(step.value)?.[1] ?? Number.NaN)]?.[0];
      if (name !== undefined) known.set(name, own);
      // Borders come before what they are made for.
      pending = step.work.kind === 'border' ? own : [];
    }
  }
  return sized => known.get(nameOf(sized)) ?? [];
}

/** Every stage on an image of its own size, and a number of each result. */
function moduleOf(stages: readonly Sized[]): Module {
  const shapes = [...new Map(stages.map(({input}) => [String(input), input])).values()];
  const inputs = shapes.map((shape, i) => `  input %image.${i} : f32[${shape.join(',')}]`);
  const empty = parse(`dnnc-ir 1\nmodule @stages {\n${inputs.join('\n')}\n}`);
  const images = new Map(empty.graph.inputs.map(image => [String(image.type.shape), image]));
  const edit = editor(empty, 'stages');
  const results = stages.map(({stage, input}, i) => {
    const result = emitAlone(edit.atEnd(`stage.${i}`), stage, images.get(String(input))!);
    const {shape} = result.type;
    const {emit} = edit.atEnd(`number.${i}`);
    const [first] = emit(slice, [result], {starts: shape.map(() => 0), steps: shape.map(() => 1), shape: shape.map(() => 1)});
    return emit(reshape, [first], {shape: [1]})[0];
  });
  const [all] = edit.atEnd('numbers').emit(concat, results, {axis: 0});
  edit.addHead({name: 'stages', outputs: [all.id], attrs: {outputs: ['stages']}, loc: {kind: 'pass', pass: 'stages', from: []}});
  return edit.finish();
}

function emitAlone(build: Builder, stage: Stage, x: Value): Value {
  const {shape} = stage;
  const [weights, bias] = [filled('f32', shape, 0.5), filled('f32', [shape[0]!], 0.5)];
  return emitStage(build, stage, [x, build.literal(weights), build.literal(bias)]);
}
