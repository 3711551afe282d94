/** `--recipe` and what belongs to it: flags, what they ask for, and what is said about it. */
import {type Command, Option} from 'commander';
import {DnncError, fail} from '../../ir/diagnostics.js';
import {type Dataset, type Labelled, openDataset} from '../data/dataset.js';
import {dataPath, openLabelled} from '../data-flags.js';
import {bytesText, say, table} from '../output.js';
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
      'adds a smaller, lossy variant of each task: int8, int8:equalize, f16, bf16, w8, w4, w4:32; repeatable',
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
export function checkRecipes({recipe, calibration, maxLoss}: RecipeFlags, evaluate: readonly string[]): void {
  parseRecipes(recipe);
  parseMethod(calibration);
  if (maxLoss === undefined) return;
  if (recipe.length === 0)
    fail('usage', 'recipe.none', '--max-loss', 'there is no recipe that could lose anything', '--recipe int8');
  if (evaluate.length === 0)
    fail('usage', 'recipe.evaluate', '--max-loss', 'a loss is counted on labelled samples', '--evaluate DATA');
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
  for (const {task, recipe, calibration, samples, loss, layers} of reports) {
    const by = calibration === undefined ? 'without samples' : `${calibration} over ${samples} samples`;
    const told = loss === undefined ? '' : `, ${loss.toFixed(2)} points lost`;
    say(`\n${task}/${recipe}: ${by}${told}`);
    const sqnr = ({outputSqnr, sumSqnr, weightSqnr}: LayerReport): number => outputSqnr ?? sumSqnr ?? weightSqnr ?? 150;
    const worst = new Set(layers.toSorted((a, b) => sqnr(a) - sqnr(b)).slice(0, mostRows));
    const rows = layers.filter(layer => worst.has(layer));
    const shown = columns.filter(({of}) => rows.some(row => of(row) !== null));
    say(table([shown.map(({title}) => title), ...rows.map(row => shown.map(({of}) => of(row) ?? '-'))]));
    if (rows.length < layers.length) say(`and ${layers.length - rows.length} layers with smaller errors: see build.log.json`);
  }
}

const decibels = (value: number | undefined): string | null => (value === undefined ? null : `${value.toFixed(1)} dB`);

/** Those that apply to no layer are left out. */
const columns: readonly {readonly title: string; readonly of: (layer: LayerReport) => string | null}[] = [
  {title: 'layer', of: ({layer}) => layer},
  {title: 'step', of: ({scale}) => scale?.toPrecision(3) ?? null},
  {title: 'zero', of: ({zero}) => (zero === undefined ? null : `${zero}`)},
  {title: 'clipped', of: ({clipped}) => (clipped === undefined ? null : `${(100 * clipped).toFixed(2)}%`)},
  {title: 'weights', of: ({weightSqnr}) => decibels(weightSqnr)},
  {title: 'sums', of: ({sumSqnr}) => decibels(sumSqnr)},
  {title: 'output', of: ({outputSqnr}) => decibels(outputSqnr)},
  {title: 'bytes', of: ({bytesBefore}) => bytesText(bytesBefore)},
  {title: 'to', of: ({bytesAfter}) => bytesText(bytesAfter)},
  {title: 'in float, because', of: ({float}) => float ?? null},
];
