/** What layers take on this machine: each is timed once in a throw-away build of all that are not known yet. */
import {createHash} from 'node:crypto';
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {editor} from '../../ir/edit.js';
import {headOf} from '../../ir/graph.js';
import type {Builder} from '../../ir/op.js';
import {concat} from '../../ir/ops/concat/index.js';
import {expand} from '../../ir/ops/expand/index.js';
import {reshape} from '../../ir/ops/reshape/index.js';
import {slice} from '../../ir/ops/slice/index.js';
import {elements, tensorFrom} from '../../ir/tensor.js';
import type {Module, Value} from '../../ir/types.js';
import {keep, recall} from '../cache.js';
import {compilerVersion} from '../cc.js';
import {cpuModel, targetsNamed} from '../host.js';
import {packageFile} from '../package-files.js';
import {type Reading, withoutOthers} from '../quantize/taps.js';
import type {Task} from '../tasks.js';
import {buildTraced, timeSteps} from '../traced.js';
import {version} from '../version.js';
import {emitStage, type Stage} from './stage.js';

/** A stage and what it reads. */
export type Sized = {readonly stage: Stage; readonly input: readonly number[]};

/** Microseconds of a stage that was asked for. */
export type Costs = (of: Sized) => number;

const nameOf = ({stage, input}: Sized): string => JSON.stringify([input, ...Object.values(stage)]);

/** More in one build would take the C compiler too long at a stretch. */
const mostAtOnce = 48;

/** Of all kernels that stages may run by. */
export function kernelsHash(): string {
  const folder = packageFile('codegen', 'kernels');
  const digest = createHash('sha256');
  for (const file of readdirSync(folder).sort()) if (file.endsWith('.h')) digest.update(readFileSync(join(folder, file)));
  return digest.digest('hex');
}

/** Remembered in the user's cache by machine, compiler, version and kernels. */
export async function measureCosts(sizes: readonly Sized[], tasks: readonly Task[], reading: Reading): Promise<Costs> {
  const {progress = () => {}} = reading;
  const [target] = targetsNamed(['native']);
  const kernels = kernelsHash();
  const keyOf = (name: string): string => [cpuModel(), compilerVersion(), version, kernels, target!.name, name].join('\n');
  const known = new Map<string, number>();
  const missing = new Map<string, Sized>();
  for (const sized of sizes) {
    const name = nameOf(sized);
    const kept = recall('stages', keyOf(name));
    if (typeof kept === 'number') known.set(name, kept);
    else missing.set(name, sized);
  }
  const names = [...missing.keys()];
  for (let first = 0; first < names.length; first += mostAtOnce) {
    const now = names.slice(first, first + mostAtOnce);
    progress(`timing layers: ${first} of ${names.length}`);
    // What is timed has as many outputs as stages: none of them is a class.
    const unlabelled = tasks.map(task => ({...task, labels: null, labelOffset: 0}));
    const traced = await buildTraced(unlabelled, {
      ...{targets: [target!], bind: reading.bind, share: reading.share ?? true},
      lossy: module => withStages(module, tasks, new Map(now.map(name => [name, missing.get(name)!]))),
    });
    const [entry] = traced.built.compiled.plan.entries;
    const times = timeSteps([traced])[0]!;
    const spent = new Map<string, number>();
    let pending = 0;
    for (const [at, {value, work}] of entry!.steps.entries()) {
      // Borders and copies come before what they are made for.
      pending += work.kind === 'border' ? times[at]! : 0;
      if (value !== '') spent.set(value, pending + times[at]!);
      if (value !== '' || work.kind !== 'border') pending = 0;
    }
    now.forEach((name, i) => {
      const microseconds = Number((spent.get(`stage.${i}`) ?? Number.NaN).toPrecision(4));
      known.set(name, microseconds);
      keep('stages', keyOf(name), microseconds);
    });
  }
  return sized => known.get(nameOf(sized)) ?? Number.NaN;
}

/** Instead of the first task's network: every stage on an image of its own size, and a number of each result. */
function withStages(module: Module, tasks: readonly Task[], stages: ReadonlyMap<string, Sized>): Module {
  const edit = editor(module, 'stages');
  const [{name: task}] = tasks as readonly [Task];
  const [given] = module.graph.inputs;
  const {emit} = edit.atEnd('stages');
  const [flat] = emit(reshape, [given!], {shape: [elements(given!.type.shape)]});
  const [one] = emit(slice, [flat], {starts: [0], steps: [1], shape: [1]});
  const images = new Map<string, Value>();
  const imageOf = (shape: readonly number[]): Value => {
    const known = images.get(String(shape));
    if (known) return known;
    const [single] = emit(reshape, [one], {shape: shape.map(() => 1)});
    const [image] = emit(expand, [single], {shape});
    images.set(String(shape), image);
    return image;
  };
  const results = [...stages.values()].map(({stage, input}, i) => {
    const result = emitTimed(edit.atEnd(`stage.${i}`), stage, imageOf(input), i);
    const {shape} = result.type;
    const [first] = emit(slice, [result], {starts: shape.map(() => 0), steps: shape.map(() => 1), shape: shape.map(() => 1)});
    return emit(reshape, [first], {shape: [1]})[0];
  });
  const [all] = emit(concat, results, {axis: 0});
  const head = headOf(module, task);
  edit.addHead({...head, outputs: [all.id], attrs: {...head.attrs, outputs: ['stages']}});
  const {heads, ...rest} = edit.finish();
  const [own, last] = [heads.findIndex(each => each.name === task), heads.at(-1)!];
  return withoutOthers({...rest, heads: heads.slice(0, -1).with(own, last)}, tasks);
}

/** With weights that differ from those of all other stages. */
function emitTimed(build: Builder, stage: Stage, x: Value, seed: number): Value {
  const {shape} = stage;
  const weights = Array.from({length: elements(shape)}, (_, k) => ((k + seed) % 17) / 64 - 0.1);
  const bias = Array.from({length: shape[0]!}, (_, k) => (k + seed) / 64);
  const operands = [x, build.literal(tensorFrom('f32', shape, weights)), build.literal(tensorFrom('f32', [bias.length], bias))];
  return emitStage(build, stage, operands);
}
