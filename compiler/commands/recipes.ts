/** `--recipe` and what belongs to it: flags, what they ask for, and what is said about it. */
import {type Command, Option} from 'commander';
import {DnncError, fail} from '../../ir/diagnostics.js';
import {type Dataset, type Labelled, openDataset} from '../data/dataset.js';
import {dataPath, openLabelled} from '../data-flags.js';
import {bytesText, countText, say, table, timeText} from '../output.js';
import {parseMethod} from '../quantize/ranges.js';
import {needsSamples, parseRecipes} from '../recipes/parse.js';
import type {LayerReport, RecipeReport} from '../recipes/report.js';
import type {Task} from '../tasks.js';
import {collect, points} from './options.js';

export type RecipeFlags = {readonly recipe: readonly string[]; readonly calibration: string; readonly maxLoss?: number};

export const withRecipes = (command: Command): Command =>
  command
    .option(
      '--recipe <R>',
      'adds a smaller, lossy variant of each task: lowrank:0.5, lowrank:0.5:macs, int8, w4, lowrank:0.5+int8 ...; repeatable',
      collect,
      [],
    )
    .addOption(new Option('--calibration <METHOD>', 'how ranges are chosen: min-max, percentile:99.99 or mse').default('min-max'))
    .option(
      '--max-loss <POINTS>',
      'percent of right answers that a recipe may cost; layers stay in float until it holds',
      points,
    );

/** Refuses what cannot be asked for, before anything is read. Errors: usage recipe.*, calibration.*. */
export function checkRecipes({recipe, calibration, maxLoss}: RecipeFlags): void {
  parseRecipes(recipe);
  parseMethod(calibration);
  if (maxLoss !== undefined && recipe.length === 0)
    fail('usage', 'recipe.none', '--max-loss', 'there is no recipe that could lose anything', '--recipe int8');
}

/** Whether a recipe looks at samples. */
export const looksAtSamples = ({recipe}: RecipeFlags): boolean => parseRecipes(recipe).some(needsSamples);

/** What the flags say about how recipes are made. */
export const recipeOptions = ({recipe: recipes, calibration, maxLoss}: RecipeFlags) => ({
  recipes,
  method: parseMethod(calibration),
  ...(maxLoss !== undefined && {maxLoss}),
});

/** Samples by task, opened before anything is built: of `--calibrate`, else of the configuration. Labels may be missing. */
export function samplesOf(tasks: readonly Task[], flags: readonly string[]): ReadonlyMap<string, Labelled> {
  return new Map(
    tasks.flatMap(task => {
      const path = dataPath(flags, task, task.calibrate);
      return path === null ? [] : [[task.name, {path, data: openSamples(path, task)}] as const];
    }),
  );
}

function openSamples(path: string, task: Task): Dataset {
  try {
    return openLabelled(path, task, undefined);
  } catch (error) {
    if (!(error instanceof DnncError) || error.problems[0]?.code !== 'dataset.labels-key') throw error;
    // Labels of something else are none of this task.
    const label = (): never => {
      throw error;
    };
    return {...openDataset(path), label};
  }
}

/** Those that can be used for more than ranges. */
export const withLabels = (samples: ReadonlyMap<string, Labelled>): ReadonlyMap<string, Labelled> =>
  new Map([...samples].filter(([, {data}]) => hasLabels(data)));

function hasLabels(data: Dataset): boolean {
  try {
    return data.label(0) >= 0;
  } catch (error) {
    if (error instanceof DnncError) return false;
    throw error;
  }
}

/** Longer tables are kept to the layers with the largest errors. */
const mostRows = 40;

export function tellRecipes(reports: readonly RecipeReport[]): void {
  for (const {task, recipe, step, calibration, samples, spared, loss, estimate, layers} of reports) {
    const by = calibration === undefined ? 'without samples' : `${calibration} over ${samples} samples`;
    const told = loss === undefined ? '' : `, ${loss.toFixed(2)} points lost`;
    const expected = estimate
      ? `, ${estimate.agreement}% of labels equal on samples held out${loss === undefined ? lossText(estimate) : ''}${choiceText(estimate, spared)}`
      : '';
    say(`\n${task}/${recipe}${step ? `, ${step}` : ''}: ${by}${expected}${told}`);
    const sqnr = ({outputSqnr, sumSqnr, weightSqnr, error}: LayerReport): number =>
      outputSqnr ?? sumSqnr ?? weightSqnr ?? decibelsOf(error);
    const worst = new Set(layers.toSorted((a, b) => sqnr(a) - sqnr(b)).slice(0, mostRows));
    const rows = layers.filter(layer => worst.has(layer));
    const shown = columns.filter(({of}) => rows.some(row => of(row) !== null));
    say(table([shown.map(({title}) => title), ...rows.map(row => shown.map(({of}) => of(row) ?? '-'))]));
    if (rows.length < layers.length) say(`and ${layers.length - rows.length} layers with smaller errors: see build.log.json`);
  }
}

/** What is lost there, and where samples are few: how much it may be. */
const lossText = ({loss, most}: NonNullable<RecipeReport['estimate']>): string =>
  most === undefined ? '' : `, about ${loss} points lost, ${most} at most`;

/** What is expected of the choice of sizes, and of one that treats all layers alike. */
const nounOf = {time: 'time', macs: 'multiply-adds', bytes: 'bytes'} as const;

const choiceText = ({allocation}: NonNullable<RecipeReport['estimate']>, spared: RecipeReport['spared']): string =>
  allocation
    ? ` (${allocation.chosen} nats expected; ${allocation.uniform} if each layer had that part of its ${nounOf[spared ?? 'time']})`
    : '';

/** Of a relative error. */
const decibelsOf = (error: number | undefined): number => (error ? -10 * Math.log10(error) : 150);

const decibels = (value: number | undefined): string | null => (value === undefined ? null : `${value.toFixed(1)} dB`);

const roundingText = (way: string, gain: number): string => (way === 'nearest' ? way : `${way}, ${gain.toFixed(1)} dB less`);

/** Those that apply to no layer are left out. */
const columns: readonly {readonly title: string; readonly of: (layer: LayerReport) => string | null}[] = [
  {title: 'layer', of: ({layer}) => layer},
  {title: 'step', of: ({scale}) => scale?.toPrecision(3) ?? null},
  {title: 'zero', of: ({zero}) => (zero === undefined ? null : `${zero}`)},
  {title: 'clipped', of: ({clipped}) => (clipped === undefined ? null : `${(100 * clipped).toFixed(2)}%`)},
  {title: 'weights', of: ({weightSqnr}) => decibels(weightSqnr)},
  {
    title: 'rounded',
    of: ({rounding, gain}) => (rounding === undefined || gain === undefined ? null : roundingText(rounding, gain)),
  },
  {title: 'sums', of: ({sumSqnr}) => decibels(sumSqnr)},
  {title: 'output', of: ({outputSqnr}) => decibels(outputSqnr)},
  {title: 'form', of: ({form}) => form ?? null},
  {title: 'error', of: ({error}) => (error === undefined ? null : `${(100 * error).toFixed(2)}%`)},
  {title: 'MACs', of: ({macsBefore}) => (macsBefore === undefined ? null : countText(macsBefore))},
  {title: 'to', of: ({macsAfter}) => (macsAfter === undefined ? null : countText(macsAfter))},
  {title: 'time', of: ({timeBefore}) => (timeBefore === undefined ? null : timeText(timeBefore / 1000))},
  {title: 'to', of: ({timeAfter}) => (timeAfter === undefined ? null : timeText(timeAfter / 1000))},
  {title: 'bytes', of: ({bytesBefore}) => bytesText(bytesBefore)},
  {title: 'to', of: ({bytesAfter}) => bytesText(bytesAfter)},
  {title: 'stays, because', of: ({float}) => float ?? null},
];
