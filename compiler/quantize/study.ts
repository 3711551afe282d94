/**
 * Quantization after training: a network's values are watched while it runs compiled on samples, scales follow from what was
 * seen, and a quantized copy becomes another head (Krishnamoorthi 2018; bias correction: Nagel et al. 2019).
 */
import {fail, invariant} from '../../ir/diagnostics.js';
import {headOf, valueAt} from '../../ir/graph.js';
import type {Module, ValueId} from '../../ir/types.js';
import type {Labelled} from '../data/dataset.js';
import type {Task} from '../tasks.js';
import {type Equalized, equalize} from './equalize.js';
import {type Changes, type Quantization, type Rounded, withQuantized} from './insert.js';
import type {Method} from './ranges.js';
import {spread} from './samples.js';
import {isQuantized, type Sites, sitesOf} from './sites.js';
import {affineFor, type Survey, seenIn, surveyOf, watchedOf} from './survey.js';
import {openTapped, type Reading} from './taps.js';

/** A task under a recipe. */
export type Wanted = {
  readonly task: Task;
  readonly recipe: string;
  /** Whether channels are evened out before. */
  readonly equalize: boolean;
  readonly samples: Labelled;
};

export type Int8Options = Reading & {
  readonly method: Method;
  /** How many samples are looked at. */
  readonly count: number;
  /** Whether biases make up for what rounding does to means. */
  readonly correctBias: boolean;
  /** Whether weights are rounded together with the network before them, where that helps. */
  readonly reconstruct: boolean;
};

/** What has been found out about a task. */
export type Studied = Wanted & {
  readonly indices: readonly number[];
  readonly survey: Survey;
  /** Of the values surveyed: another build of the same models has the same. */
  readonly names: ReadonlyMap<ValueId, string>;
  readonly equalized?: Equalized;
  /** Of layers by their names, where rounding was found out together with the layers before. */
  readonly rounded?: ReadonlyMap<string, Rounded>;
};

/**
 * One build for all of them, and another where channels are to be evened out. Errors: usage int8.quantized, int8.layers; input
 * calibrate.few, calibrate.constant.
 */
export async function study(
  wanted: readonly Wanted[],
  tasks: readonly Task[],
  options: Int8Options,
): Promise<readonly Studied[]> {
  const asked = wanted.map(each => ({...each, indices: spread(each.samples.data, options.count)}));
  const {module, surveys} = await surveyed(asked, [], tasks, options);
  const plans = asked.map((each, i) =>
    each.equalize ? equalize(module, headOf(module, each.task.name), surveys[i]!.largest) : null,
  );
  const changed = plans.map(plan => plan?.changed);
  const again = changed.some(Boolean) ? (await surveyed(asked, changed, tasks, options)).surveys : surveys;
  return asked.map((each, i): Studied => {
    const survey = again[i]!;
    const names = new Map([...survey.ranges.keys()].map(id => [id, valueAt(module.graph, id).name]));
    const plan = plans[i];
    return {...each, survey, names, ...(plan && {equalized: plan})};
  });
}

type Asked = Wanted & Pick<Studied, 'indices'>;

/** What the networks hold, those with changed weights as they are then. */
async function surveyed(
  asked: readonly Asked[],
  changed: readonly (Changes | undefined)[],
  tasks: readonly Task[],
  options: Int8Options,
): Promise<{readonly module: Module; readonly surveys: readonly Survey[]}> {
  const {progress = () => {}, method} = options;
  const modules: Module[] = [];
  const open = await openTapped(tasks, options, given => {
    modules.push(given);
    let module = given;
    const taps = asked.map(({task: {name: task}}, i) => {
      const sites = sitesOf(given, headOf(given, task));
      refuse(sites, task);
      const watched = watchedOf(given, sites);
      const changes = changed[i];
      if (!changes) return {task, ids: watched};
      const evened = withReal(module, task, changes, watched);
      module = evened.module;
      return {task, ids: evened.ids};
    });
    return {module, taps};
  });
  const [module] = modules;
  invariant(module, 'int8.module', 'survey', 'was not built');
  const surveys = asked.map(({task: {name}, samples: {data}, indices}, i) => {
    const show = (doing: string): void => progress(`${name}: ${doing}`);
    return surveyOf(module, headOf(module, name), open[i]!, {data, indices, method, progress: show});
  });
  return {module, surveys};
}

/** The module with a copy of a task's network that has changed weights and is not quantized, and what stands for `ids` there. */
export function withReal(
  module: Module,
  task: string,
  changed: Changes,
  ids: readonly ValueId[],
): {readonly module: Module; readonly ids: readonly ValueId[]} {
  const head = headOf(module, task);
  const all = new Map(sitesOf(module, head).layers.map(({name}) => [name, 'it is not quantized']));
  const name = `${task}.real.${module.heads.length}`;
  const real = {sites: sitesOf(module, head, all), affine: new Map(), changed};
  const copied = withQuantized(module, head, real, {name, attrs: {}, also: ids});
  return {module: copied, ids: headOf(copied, name).outputs.slice(head.outputs.length)};
}

function refuse(sites: Sites, task: string): void {
  if (isQuantized(sites))
    fail('usage', 'int8.quantized', task, 'is a quantized network already', 'build it without --recipe int8');
  if (sites.layers.every(({float}) => float !== null))
    fail(
      'usage',
      'int8.layers',
      task,
      'has no convolution or fully connected layer to quantize',
      'build it without --recipe int8',
    );
}

/** How a task is quantized where the layers named stay in float. */
export function quantizationOf(
  module: Module,
  {task, survey, names, equalized, rounded}: Studied,
  float: ReadonlyMap<string, string>,
  correctBias: boolean,
): Quantization {
  const sites = sitesOf(module, headOf(module, task.name), float);
  for (const id of sites.made)
    invariant(names.get(id) === valueAt(module.graph, id).name, 'int8.module', task.name, 'is not the network that was surveyed');
  return {
    ...{sites, affine: affineFor(sites, survey.ranges)},
    ...(correctBias && {means: survey.means}),
    ...(equalized && {changed: equalized.changed}),
    ...(rounded && {rounded}),
  };
}

/** The same on another module with that network, whose values have other numbers. */
export function movedTo(module: Module, studied: Studied): Studied {
  const {task, survey} = studied;
  const sites = sitesOf(module, headOf(module, task.name));
  const were = [...survey.ranges.keys()];
  const are = seenIn(module, sites);
  invariant(were.length === are.length, 'int8.module', task.name, 'is not the network that was surveyed');
  const moved = <T>(some: ReadonlyMap<ValueId, T>): ReadonlyMap<ValueId, T> =>
    new Map(were.map((id, i) => [are[i]!, some.get(id)!] as const));
  const {ranges, means, largest, clipped} = survey;
  return {
    ...studied,
    survey: {ranges: moved(ranges), means: moved(means), largest: moved(largest), clipped: moved(clipped)},
    names: moved(studied.names),
  };
}
