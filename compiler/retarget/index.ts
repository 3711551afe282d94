/**
 * One task on another's trunk: for each cut of the first task's network, features of the other task's labelled samples are
 * pooled and a new head is fitted to them (MCDNN, section 5.2.2, shares so; heads are multinomial logistic
 * regressions). The trunk stays as it is; the samples go through it once.
 */
import {join} from 'node:path';
import {fail} from '../../ir/diagnostics.js';
import {elements} from '../../ir/tensor.js';
import type {Module} from '../../ir/types.js';
import {load, openLoader, type Session} from '../../runtime/index.js';
import {build} from '../build.js';
import type {Dataset, Labelled} from '../data/dataset.js';
import {labelsOf} from '../evaluate-variant.js';
import {featuresOf, placesOf, widthOf} from '../fit/features.js';
import {classesWithout, fitHead, worthTheirDepth} from '../fit/head.js';
import {targetsNamed} from '../host.js';
import {temporaryFolder} from '../open.js';
import type {Task} from '../tasks.js';
import {type NewHead, withHead} from './head.js';

export type RetargetOptions = {
  /** Labelled samples by task, for every task but the first. */
  readonly fit: ReadonlyMap<string, Labelled>;
  /** Sizes of symbolic dimensions. */
  readonly bind: ReadonlyMap<string, number>;
  /** Classes count alike in fits, however many samples each has. Default: samples do. */
  readonly balance?: boolean;
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

type Fitted = {readonly report: Retargeted; readonly head: NewHead};

/** Builds the tasks once with all cuts, runs the samples through the first one, and keeps heads that are worth their depth. */
export async function retarget(
  tasks: readonly Task[],
  {fit, bind, balance = false, progress = () => {}}: RetargetOptions,
): Promise<Retargeting> {
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
  const variant = session.manifest.variants.find(({task}) => task === trunk.name)!;
  const places = placesOf(session.manifest, variant, ['f32', 'u8']);
  const options = {loss: openLoader(built.directory).logistic, balance};
  const missing = new Map<string, readonly number[]>();
  const kept = others.flatMap(({name}) => {
    const samples = fit.get(name)!;
    const labels = fitting(name, trunk.name, session, samples.data);
    // Of the trunk, whatever the labels: computed once per data.
    const {features} = featuresOf(session, variant, places, samples, progress);
    const count = elements(session.manifest.tasks[name]!.outputs[0]!.shape);
    const unseen = classesWithout(labels, count);
    if (unseen.length > 0) missing.set(name, unseen);
    const heads = places.map((place, at): Fitted => {
      progress(`${name}: fitting a head at ${place.cut.id}`);
      const {linear, ...fitted} = fitHead({features: features[at]!, width: widthOf(place), labels}, count, options);
      const recipe = `retarget@${place.number}`;
      const {cut, grid, macs} = place;
      const report = {
        ...{task: name, recipe, cut: cut.id, grid, trunkMacs: macs, headMacs: widthOf(place) * count},
        ...fitted,
      };
      return {report, head: {task: name, recipe, place, linear, scores: session.manifest.tasks[name]!.scores}};
    });
    return worthTheirDepth(heads, ({report}) => report.heldOut);
  });
  return {
    heads: kept.map(({report}) => report),
    missing,
    extend: module => kept.reduce((extended, {head}) => withHead(extended, head), module),
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
