/** Recipes on tasks: what they need is found out on samples, and a build gets variants and their explanation. */
import {fail} from '../../ir/diagnostics.js';
import {graft} from '../../ir/graft.js';
import type {Module} from '../../ir/types.js';
import type {Labelled} from '../data/dataset.js';
import type {Method} from '../quantize/ranges.js';
import type {Reading} from '../quantize/taps.js';
import type {Task} from '../tasks.js';
import {type Kept, keepWithin} from './budget.js';
import {type Candidate, type Family, variantHead, withVariant} from './candidate.js';
import {input} from './input.js';
import {int8} from './int8.js';
import {narrow} from './narrow.js';
import {isShrinking, isStructure, needsBudget, needsSamples, parseRecipes, type Recipe} from './parse.js';
import type {RecipeReport} from './report.js';
import {restructure} from './restructure.js';
import {type Shrinker, shrink} from './shrink.js';
import {after, type Made, onTopOf} from './steps.js';
import {lastFew, type Studies} from './studies.js';
import {type LayerTimes, timesOf} from './times.js';

export type RecipeOptions = {
  /** `lowrank:0.5`, `int8`, `w4`, `lowrank:0.5+int8`: as `parseRecipe` takes them. Each becomes a variant of each task. */
  readonly recipes: readonly string[];
  /** Samples by task; labels are not looked at. `lowrank`, `int8` and `w4` need them. */
  readonly calibrate: ReadonlyMap<string, Labelled>;
  /** How ranges are chosen. Default: all that was seen. */
  readonly method?: Method;
  /** How many samples are looked at. Default: 64; 500 for `lowrank`, whose fits take more to know. */
  readonly samples?: number;
  /** Whether biases make up for what rounding does to means. Default: true. */
  readonly correctBias?: boolean;
  /** Whether weights of `int8` are rounded together with the network before them, where that helps. Default: true. */
  readonly reconstruct?: boolean;
  /** Whether layers of `int8` and of narrow weights are timed before and after. Default: false. */
  readonly measure?: boolean;
  /** Percentage points of right answers that a variant may lose against `full`; layers stay in float until it holds. */
  readonly maxLoss?: number;
  /** Labelled samples by task that the loss is counted on. */
  readonly evaluate?: ReadonlyMap<string, Labelled>;
  /** Sizes of symbolic dimensions, and sharing, as the build has them. */
  readonly bind: ReadonlyMap<string, number>;
  readonly share?: boolean;
  /** What is known of networks from calls before; by default nothing. */
  readonly studies?: Studies<Shrinker>;
  readonly progress?: (doing: string) => void;
};

/** What `build` takes as `lossy` and `recipes`. */
export type Applied = {readonly lossy: (module: Module) => Module; readonly recipes: readonly RecipeReport[]};

/**
 * Errors: those of `parseRecipes`; usage recipe.samples, recipe.taken, recipe.evaluate, recipe.budget, int8.*, narrow.*, lowrank.*;
 * check recipe.loss, structure.none; input calibrate.*.
 */
export async function applyRecipes(tasks: readonly Task[], given: RecipeOptions): Promise<Applied> {
  const recipes = parseRecipes(given.recipes);
  const {calibrate, evaluate = new Map(), maxLoss} = given;
  const asked = recipes.flatMap(recipe => tasks.map(task => askedOf(recipe, task, calibrate)));
  const labelledOf = (task: string): Labelled | null => (maxLoss === undefined ? null : labelledFor(task, evaluate));
  for (const {name} of tasks) labelledOf(name);
  for (const recipe of recipes) if (maxLoss === undefined && needsBudget(recipe)) refuseBudget(recipe);
  const context: Context = {tasks, given, labelledOf, studies: given.studies ?? lastFew(2 * tasks.length)};
  // First steps look at the networks as they are, so one build tells of all of one kind; recipes that begin alike share them.
  const known = new Map<string, MadeStep>();
  const keyAt = ({task, recipe: {steps}}: Asked, place: number): string =>
    JSON.stringify([task.name, pointsAt(maxLoss ?? 0, place, steps.length), ...steps.slice(0, place + 1).map(({text}) => text)]);
  const different = [...new Map(asked.map(each => [keyAt(each, 0), each])).values()];
  for (const kind of ['input', 'stride', 'tie', 'lowrank', 'prune', 'int8', 'narrow'] as const) {
    const own = different.filter(({recipe}) => recipe.steps[0].step.kind === kind);
    const made = await makeSteps(own, 0, [], context);
    own.forEach((each, i) => {
      known.set(keyAt(each, 0), made[i]!);
    });
  }
  const made: {readonly asked: Asked; readonly steps: readonly MadeStep[]}[] = [];
  for (const each of asked) {
    const steps: MadeStep[] = [];
    for (let place = 0; place < each.recipe.steps.length; place++) {
      const key = keyAt(each, place);
      const step = known.get(key) ?? (await makeSteps([each], place, steps, context))[0]!;
      known.set(key, step);
      steps.push(step);
    }
    made.push({asked: each, steps});
  }
  return {
    lossy: module =>
      made.reduce((extended, {asked: {recipe}, steps}) => {
        const {candidate, kept} = steps.at(-1)!;
        const own = {...onTopOf(steps.slice(0, -1).map(makeOf), candidate), recipe: recipe.name};
        return graft(module, extended, withVariant(module, own, kept.float), variantHead(own));
      }, module),
    recipes: made.flatMap(({asked, steps}) => steps.map((step, place) => reportOf(step, asked, place))),
  };
}

type Context = {
  readonly tasks: readonly Task[];
  readonly given: RecipeOptions;
  readonly labelledOf: (task: string) => Labelled | null;
  readonly studies: Studies<Shrinker>;
};

/** A candidate on networks as earlier steps left them, what it leaves alone, and what happens to each layer. */
type MadeStep = {readonly candidate: Candidate; readonly kept: Kept; readonly layers: RecipeReport['layers']};

const makeOf =
  ({candidate, kept}: MadeStep): Made =>
  (module, as) =>
    candidate.extend(module, kept.float, as);

/** The step at a place of recipes that have the same steps before it. */
async function makeSteps(
  asked: readonly Asked[],
  place: number,
  before: readonly MadeStep[],
  context: Context,
): Promise<readonly MadeStep[]> {
  const {tasks, given, labelledOf} = context;
  const {calibrate, maxLoss = 0, bind, share = true, measure = false, progress = () => {}} = given;
  const plain: Reading = {bind, share, progress};
  const steps = before.map(makeOf);
  const [one] = asked;
  const reading: Reading = one && steps.length > 0 ? {...plain, before: module => after(module, one.task.name, steps)} : plain;
  const made: MadeStep[] = [];
  const last = before.at(-1);
  const lost = last?.kept.loss ?? last?.candidate.facts.loss ?? 0;
  for (const family of await familiesOf(asked, place, lost, reading, context)) {
    const kept: Kept[] = [];
    for (const own of family.candidates) {
      const {name} = own.task;
      const labelled = family.settled ? null : labelledOf(name);
      const {recipe} = asked.find(each => each.task === own.task && each.recipe.name === own.recipe)!;
      const points = pointsAt(maxLoss, place, recipe.steps.length);
      const budget = labelled && {points, labelled, samples: (calibrate.get(name) ?? labelled).data};
      const nothing: Kept = {float: new Map(), effects: new Map()};
      kept.push(budget ? await keepWithin(budget, onTopOf(steps, own), tasks, plain) : nothing);
    }
    const layers = await family.explain(kept.map(({float}) => float));
    const timed = family.candidates.map((candidate, i) => ({candidate, float: kept[i]!.float}));
    // A step that makes networks smaller has timed what it chose from.
    const times = measure && !family.settled && timed.length > 0 ? await timesOf(timed, tasks, reading) : [];
    made.push(...timed.map(({candidate}, i) => ({candidate, kept: kept[i]!, layers: withTimes(layers[i]!, times[i])})));
  }
  return made;
}

function withTimes(layers: RecipeReport['layers'], times: LayerTimes | undefined): RecipeReport['layers'] {
  return layers.map(layer => {
    const [before, after] = [times?.before.get(layer.layer), times?.after.get(layer.layer)];
    return {...layer, ...(before !== undefined && after !== undefined && {timeBefore: before, timeAfter: after})};
  });
}

/** Each step may lose its part of what the recipe may lose, and what steps before it have left. */
const pointsAt = (maxLoss: number, place: number, steps: number): number => (maxLoss * (place + 1)) / steps;

/** Candidates in the order in which they were asked for. */
async function familiesOf(
  asked: readonly Asked[],
  place: number,
  lost: number,
  reading: Reading,
  {tasks, given, labelledOf, studies}: Context,
): Promise<readonly Family[]> {
  const {method = {kind: 'min-max'}, samples: wanted, correctBias = true, reconstruct = true, maxLoss} = given;
  const count = wanted ?? usualSamples;
  const families: Family[] = [];
  const own = asked.map(({recipe, ...rest}) => ({...rest, recipe: recipe.name, named: recipe, step: recipe.steps[place]!.step}));
  const quantized = own.flatMap(({step, samples, ...rest}) =>
    step.kind === 'int8' && samples ? [{...rest, equalize: step.equalize, samples}] : [],
  );
  if (quantized.length > 0) families.push(await int8(quantized, tasks, {...reading, method, count, correctBias, reconstruct}));
  const narrowed = own.flatMap(({step, ...rest}) => (step.kind === 'narrow' ? [{...rest, form: step.form}] : []));
  if (narrowed.length > 0) families.push(await narrow(narrowed, tasks, {...reading, count}));
  for (const {task, recipe, named, step, samples} of own) {
    if (!samples) continue;
    const options = {...reading, count: wanted ?? manySamples};
    if (step.kind === 'input') families.push(await input({task, recipe, samples, scale: step.scale}, tasks, options));
    const labelled = labelledOf(task.name);
    const budget = labelled && {points: pointsAt(maxLoss ?? 0, place, named.steps.length), lost, labelled};
    if (isStructure(step)) families.push(await restructure(step.kind, {task, recipe, samples, budget}, tasks, options));
    if (!isShrinking(step)) continue;
    families.push(await shrink({task, recipe, step, samples, budget}, tasks, options, studies));
  }
  return families;
}

/** Samples that ranges need, and that fits of whole layers do. */
const [usualSamples, manySamples] = [64, 500];

type Asked = {readonly task: Task; readonly recipe: Recipe; readonly samples: Labelled | null};

/** Errors: usage recipe.samples, recipe.taken. */
function askedOf(recipe: Recipe, task: Task, calibrate: ReadonlyMap<string, Labelled>): Asked {
  const {name} = task;
  if (task.others.some(other => other.recipe === recipe.name))
    fail('usage', 'recipe.taken', `${name}/${recipe.name}`, 'is another network of this task', 'rename its file');
  const samples = calibrate.get(name) ?? null;
  if (!samples && needsSamples(recipe))
    fail('usage', 'recipe.samples', name, `recipe ${recipe.name} needs samples`, `--calibrate DATA or --calibrate ${name}=DATA`);
  return {task, recipe, samples};
}

const refuseBudget = ({name}: Recipe): never =>
  fail(
    'usage',
    'recipe.budget',
    name,
    'has no limit',
    '--max-loss POINTS, or a share of the time or of the multiply-adds: lowrank:0.5, lowrank:0.5:macs',
  );

function reportOf({candidate, kept, layers}: MadeStep, {task, recipe: {name, steps}}: Asked, place: number): RecipeReport {
  return {
    ...{task: task.name, recipe: name},
    ...(steps.length > 1 && {step: steps[place]!.text}),
    ...candidate.facts,
    ...(kept.loss !== undefined && {loss: kept.loss}),
    layers: layers.map(layer => {
      const effect = kept.effects.get(layer.layer);
      return effect === undefined ? layer : {...layer, effect: Number(effect.toPrecision(3))};
    }),
  };
}

/** Errors: usage recipe.evaluate. */
const labelledFor = (task: string, evaluate: ReadonlyMap<string, Labelled>): Labelled =>
  evaluate.get(task) ??
  fail('usage', 'recipe.evaluate', task, 'a loss is counted on labelled samples', `--evaluate DATA or --evaluate ${task}=DATA`);
