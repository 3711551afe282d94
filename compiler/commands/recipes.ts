/** `--recipe` and what belongs to it: flags, what they ask for, and what is said about it. */
import {type Command, Option} from 'commander';
import {fail} from '../../ir/diagnostics.js';
import type {Labelled} from '../data/dataset.js';
import {bytesText, say, table} from '../output.js';
import {parseMethod} from '../quantize/ranges.js';
import {type Applied, applyRecipes, type RecipeOptions} from '../recipes/apply.js';
import {parseRecipes} from '../recipes/parse.js';
import type {LayerReport, RecipeReport} from '../recipes/report.js';
import type {Task} from '../tasks.js';
import {collect, points} from './options.js';

export type RecipeFlags = {readonly recipe: readonly string[]; readonly calibration: string; readonly maxLoss?: number};

export const withRecipes = (command: Command): Command =>
  command
    .option('--recipe <R>', 'adds a smaller, lossy variant of each task: int8, int8:equalize; repeatable', collect, [])
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

/** null where no recipe is asked for. */
export async function runRecipes(
  tasks: readonly Task[],
  {recipe: recipes, calibration, maxLoss}: RecipeFlags,
  given: Pick<RecipeOptions, 'calibrate' | 'evaluate' | 'bind' | 'share' | 'progress'>,
): Promise<Applied | null> {
  if (recipes.length === 0) return null;
  return applyRecipes(tasks, {...given, recipes, method: parseMethod(calibration), ...(maxLoss !== undefined && {maxLoss})});
}

/** Samples for ranges need no labels; what else they are used for does. */
export function withLabels(samples: ReadonlyMap<string, Labelled>): ReadonlyMap<string, Labelled> {
  return new Map([...samples].filter(([, {data}]) => hasLabels(data)));
}

function hasLabels(data: Labelled['data']): boolean {
  try {
    return data.label(0) >= 0;
  } catch {
    return false;
  }
}

/** Longer tables are kept to the layers with the largest errors. */
const mostRows = 40;

export function tellRecipes(reports: readonly RecipeReport[]): void {
  for (const {task, recipe, calibration, samples, loss, layers} of reports) {
    const told = loss === undefined ? '' : `, ${loss.toFixed(2)} points lost`;
    say(`\n${task}/${recipe}: ${calibration} over ${samples} samples${told}`);
    const worst = layers.toSorted((a, b) => (a.outputSqnr ?? 0) - (b.outputSqnr ?? 0)).slice(0, mostRows);
    const rows = layers.filter(layer => worst.includes(layer)).map(rowOf);
    say(table([['layer', 'step', 'zero', 'clipped', 'weights', 'output', 'bytes', 'to', 'in float, because'], ...rows]));
    if (rows.length < layers.length) say(`and ${layers.length - rows.length} layers with smaller errors: see build.log.json`);
  }
}

function rowOf({
  layer,
  float,
  scale,
  zero,
  clipped,
  weightSqnr,
  outputSqnr,
  bytesBefore,
  bytesAfter,
}: LayerReport): readonly string[] {
  const decibels = (value: number | undefined): string => (value === undefined ? '-' : `${value.toFixed(1)} dB`);
  return [
    layer,
    scale === undefined ? '-' : scale.toPrecision(3),
    zero === undefined ? '-' : `${zero}`,
    clipped === undefined ? '-' : `${(100 * clipped).toFixed(2)}%`,
    decibels(weightSqnr),
    decibels(outputSqnr),
    bytesText(bytesBefore),
    bytesText(bytesAfter),
    float ?? '',
  ];
}
