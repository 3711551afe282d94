/**
 * One task on another's trunk: for each cut of the first task's network, features of the other task's labelled samples are
 * pooled and a new head is fitted to them (MCDNN, section 5.2.2, shares so; heads are multinomial logistic
 * regressions). The trunk stays as it is; the samples go through it once.
 */
import {join} from 'node:path';
import {fail} from '../../ir/diagnostics.js';
import {elements} from '../../ir/tensor.js';
import type {Module} from '../../ir/types.js';
import {load, type Session} from '../../runtime/index.js';
import {alongPath} from '../along-path.js';
import {build, type Labelled} from '../build.js';
import type {Dataset} from '../data/dataset.js';
import {labelsOf} from '../evaluate-variant.js';
import {classesOf, fitLogistic, type Samples} from '../fit/logistic.js';
import {targetsNamed} from '../host.js';
import {temporaryFolder} from '../open.js';
import {inputTensor} from '../samples.js';
import type {Task} from '../tasks.js';
import {type Place, placesOf, pool, widthOf} from './features.js';
import {type NewHead, withHead} from './head.js';

export type RetargetOptions = {
  /** Labelled samples by task, for every task but the first. */
  readonly fit: ReadonlyMap<string, Labelled>;
  /** Sizes of symbolic dimensions. */
  readonly bind: ReadonlyMap<string, number>;
  readonly progress?: (doing: string) => void;
};

/** A new head of a task at a cut of the first task's network. */
export type Retargeted = {
  readonly task: string;
  /** `retarget@3`: at the third cut. */
  readonly recipe: string;
  readonly cut: string;
  /** Means over a grid of so many rows and columns of the image are the features. */
  readonly grid: number;
  readonly lambda: number;
  /** Up to the cut, and of the head alone. */
  readonly trunkMacs: number;
  readonly headMacs: number;
  /** In percent, on the fifth of the samples that the choice of L2 was made on. */
  readonly heldOut: number;
  readonly seconds: number;
};

export type Retargeting = {
  readonly heads: readonly Retargeted[];
  /** Classes by task, as output indices, that no sample to fit to has: heads will never answer with them. */
  readonly missing: ReadonlyMap<string, readonly number[]>;
  readonly extend: (module: Module) => Module;
};

/** L2 that is tried; the best on held-out samples is taken. */
const lambdas = [1e-1, 1e-2, 1e-3] as const;

type Fitted = {readonly report: Retargeted; readonly head: NewHead};

/** Builds the tasks once with all cuts, runs the samples through the first one, and keeps heads that are worth their depth. */
export async function retarget(tasks: readonly Task[], {fit, bind, progress = () => {}}: RetargetOptions): Promise<Retargeting> {
  const [trunk, ...others] = tasks;
  if (!trunk || others.length === 0)
    return fail(
      'usage',
      'retarget.tasks',
      trunk?.name ?? 'build',
      'is the only task',
      'name the task with the trunk first, then others',
    );
  const without = others.find(({name}) => !fit.has(name));
  if (without)
    fail('usage', 'retarget.data', without.name, 'has no labelled samples to fit a head to', `--fit ${without.name}=DATA`);
  const built = await build(tasks, {
    ...{directory: join(temporaryFolder(), 'retarget'), name: 'retarget', targets: targetsNamed(['native']), bind},
    ...{cuts: 'all', measure: false, typed: false, progress},
  });
  const session = load(built.directory);
  const places = placesOf(built.compiled.module, trunk.name, session.manifest);
  const missing = new Map<string, readonly number[]>();
  const known = new Map<string, readonly Float32Array[]>();
  const found = others.flatMap(({name}) => {
    const {path, data} = fit.get(name)!;
    const labels = fitting(name, trunk.name, session, data);
    const features = known.get(path) ?? featuresOf(trunk.name, data, places, session, progress);
    known.set(path, features);
    const seen = new Set(labels);
    const count = elements(session.manifest.tasks[name]!.outputs[0]!.shape);
    const unseen = Array.from({length: count}, (_, c) => c).filter(c => !seen.has(c));
    if (unseen.length > 0) missing.set(name, unseen);
    return headsOf(name, session, places, features, labels, progress);
  });
  return {
    heads: found.map(({report}) => report),
    missing,
    extend: module => found.reduce((extended, {head}) => withHead(extended, head), module),
  };
}

/** The output indices of a task's labels, if it can sit on the trunk. */
function fitting(name: string, trunk: string, {manifest: {tasks}}: Session, data: Dataset): readonly number[] {
  const own = tasks[name]!;
  if (own.inputs.length !== 1 || own.inputs[0]!.name !== tasks[trunk]!.inputs[0]!.name)
    fail(
      'usage',
      'retarget.input',
      name,
      `does not look at the same input as ${trunk}`,
      'prepare both alike in dnnc.config.json',
    );
  if (own.outputs.length !== 1)
    fail('usage', 'retarget.outputs', name, `has ${own.outputs.length} outputs`, `--task ${name}=FILE:OUTPUT`);
  return labelsOf(own, data);
}

/** Features of all samples, by place: they are the trunk's, whatever the samples' labels. */
function featuresOf(
  trunk: string,
  data: Dataset,
  places: readonly Place[],
  session: Session,
  progress: (doing: string) => void,
): readonly Float32Array[] {
  const {tasks, variants} = session.manifest;
  const input = tasks[trunk]!.inputs[0]!;
  const {segments, run} = alongPath(session, variants.find(variant => variant.task === trunk)!);
  const placeAt = segments.map(({segment}) => places.findIndex(({value}) => value.name === segment.to));
  const features = places.map(({value, grid}) => new Float32Array(data.count * widthOf(value.type, grid)));
  for (let i = 0; i < data.count; i++) {
    if (i % 64 === 0) progress(`features of ${i} of ${data.count} samples`);
    run(0, [inputTensor(data.sample(i), input, data.where(i)).data], (at, [made]) => {
      const place = placeAt[at]!;
      if (place >= 0) pool(made as Float32Array, places[place]!, features[place]!, i);
    });
  }
  return features;
}

/** A head for each place, without those that are no better than a shallower one. */
function headsOf(
  task: string,
  {manifest}: Session,
  places: readonly Place[],
  features: readonly Float32Array[],
  labels: readonly number[],
  progress: (doing: string) => void,
): readonly Fitted[] {
  const {outputs, scores} = manifest.tasks[task]!;
  const classes = elements(outputs[0]!.shape);
  // One sample in five, whatever their order.
  const held = labels.map((_, i) => Math.imul(i, 0x9e3779b1) >>> 0 < 0x33333333);
  const fitted = places.map((place, at): Fitted => {
    progress(`${task}: fitting a head at ${place.value.name}`);
    const started = performance.now();
    const width = widthOf(place.value.type, place.grid);
    const all = {features: features[at]!, width, labels};
    const [inside, unseen] = [rowsOf(all, i => !held[i]), rowsOf(all, i => held[i] === true)];
    const tried = lambdas.map(lambda => {
      const answers = classesOf(fitLogistic(inside, classes, lambda), unseen);
      return {lambda, correct: answers.filter((answer, i) => answer === unseen.labels[i]).length};
    });
    const {lambda, correct} = tried.reduce((best, each) => (each.correct > best.correct ? each : best));
    const recipe = `retarget@${at + 1}`;
    const linear = fitLogistic(all, classes, lambda);
    const report = {
      ...{task, recipe, cut: place.value.name, grid: place.grid, lambda, trunkMacs: place.macs, headMacs: width * classes},
      heldOut: Number(((100 * correct) / Math.max(1, unseen.labels.length)).toFixed(2)),
      seconds: Number(((performance.now() - started) / 1000).toFixed(2)),
    };
    return {report, head: {task, recipe, place, linear, scores}};
  });
  return fitted.filter(({report}, i) => fitted.slice(0, i).every(shallower => shallower.report.heldOut < report.heldOut));
}

function rowsOf({features, width, labels}: Samples, keep: (i: number) => boolean): Samples {
  const rows = labels.flatMap((_, i) => (keep(i) ? [i] : []));
  const chosen = new Float32Array(rows.length * width);
  for (const [to, i] of rows.entries()) chosen.set(features.subarray(i * width, (i + 1) * width), to * width);
  return {features: chosen, width, labels: rows.map(i => labels[i]!)};
}
