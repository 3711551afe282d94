/** What `dnnc build` says about what it built. */
import {resolve} from 'node:path';
import type {Module} from '../../ir/types.js';
import type {Manifest, Segment} from '../../runtime/manifest.js';
import type {Built} from '../build.js';
import type {Asked} from '../energy/asked.js';
import {bytesText, countText, say, table, timeText} from '../output.js';
import type {RecipeReport} from '../recipes/report.js';
import type {Retargeting} from '../retarget/index.js';
import {alikeOf, sharedOf} from '../sharing.js';
import type {Task} from '../tasks.js';
import {type Tuning, tuningFacts, tuningText} from '../tune.js';
import {tellEnergy} from './energy-report.js';
import {tellRecipes} from './recipes.js';

/** What `--json` prints. */
export const document = (
  {directory, name, manifest}: Pick<Built, 'directory' | 'name' | 'manifest'>,
  module: Module,
  tasks: readonly Task[],
  seconds: number,
  tuning: Tuning | null,
) => ({
  directory: resolve(directory),
  name,
  tasks: tasks.map(task => task.name),
  seconds: Number(seconds.toFixed(3)),
  variants: manifest.variants.map(
    ({
      id,
      task,
      recipe,
      macs,
      weightBytes,
      arenaBytes,
      arenaLowerBound,
      quality,
      latency,
      energy,
      price,
      calibration,
      splits,
    }) => ({
      task,
      recipe,
      variant: id,
      macs,
      weightBytes,
      arenaBytes,
      arenaLowerBound,
      ...(quality && {quality}),
      ...(calibration && {calibration}),
      ...(splits && {splits}),
      ...(latency && {latency}),
      ...(energy && {energy}),
      ...(price && {price}),
    }),
  ),
  shared: sharedOf(module),
  alike: alikeOf(module),
  ...(tuning && {tuning: tuningFacts(tuning)}),
});

/** What was done on the way, and what `--profile` asked for. */
type Told = {
  readonly tuning: Tuning | null;
  readonly retargeting: Retargeting | null;
  readonly recipes: readonly RecipeReport[];
  readonly asked: Asked;
};

/** What people read. */
export function tell(
  {directory, name, loaded, compiled, manifest}: Built,
  seconds: number,
  {tuning, retargeting, recipes, asked}: Told,
): void {
  for (const [symbol, size] of loaded.bound) say(`symbolic dimension ${symbol} = ${size} (change it with --bind ${symbol}=N)`);
  const rows = manifest.variants.map(variant => {
    const latency = Object.values(variant.latency ?? {})[0];
    return [
      variant.id,
      `${countText(variant.macs)}`,
      bytesText(variant.weightBytes),
      bytesText(variant.loadBytes),
      bytesText(variant.arenaBytes),
      bytesText(variant.arenaLowerBound),
      latency ? timeText(latency.p50) : '-',
      latency?.cold === undefined ? '-' : timeText(latency.cold),
    ];
  });
  say(table([['variant', 'MACs', 'weights', 'packed', 'arena', 'at least', 'median time', 'cold'], ...rows]));
  tellEnergy(manifest, asked);
  tellSharing(compiled.module);
  tellCuts(manifest);
  tellRecipes(recipes);
  if (retargeting) tellRetargeted(retargeting, manifest);
  if (tuning) say(`\n${tuningText(tuning)}`);
  say(
    `\n${directory}/: ${name}.h, ${manifest.libraries.map(library => library.file).join(', ')}, manifest.ts and what belongs to them, in ${timeText(seconds * 1000)}`,
  );
}

/** Which tasks compute what together, and which nearly could. */
function tellSharing(module: Module): void {
  const [shared, alike] = [sharedOf(module), alikeOf(module)];
  if (shared.length + alike.length > 0) say('');
  for (const {tasks, cut, macs, weightBytes} of shared)
    say(`${tasks.join(', ')} share ${countText(macs)} MACs and ${bytesText(weightBytes)} of weights, up to ${cut}`);
  for (const {tasks, macs, distance} of alike)
    say(
      `${tasks.join(' and ')} have ${countText(macs)} MACs of equal layers with weights ${(100 * distance).toFixed(1)}% apart: not shared`,
    );
}

/** New heads on the first task's network, with what they know: on samples held out of the fit, and on evaluation data. */
function tellRetargeted({heads, missing}: Retargeting, {variants, tasks}: Manifest): void {
  const rows = heads.map(({task, recipe, cut, grid, lambda, trunkMacs, headMacs, heldOut, seconds}) => {
    const quality = variants.find(({id}) => id === `${task}/${recipe}`)?.quality;
    return [
      ...[`${task}/${recipe}`, cut, `${grid}x${grid}`, `${lambda}`, countText(trunkMacs), countText(headMacs)],
      ...[`${heldOut.toFixed(2)}%`, quality ? `${quality.value.toFixed(2)}%` : '-', `${seconds.toFixed(1)} s`],
    ];
  });
  say(`\n${table([['new head', 'at', 'grid', 'L2', 'trunk MACs', 'head MACs', 'held out', 'evaluated', 'fit'], ...rows])}`);
  for (const [task, classes] of missing) {
    const {labels, labelOffset = 0} = tasks[task]!;
    const named = classes.map(index => labels?.[index - labelOffset] ?? `${index}`);
    say(`warning: the samples for ${task} have none of ${named.join(', ')}: its new heads never answer so`);
  }
}

/** Where tasks can be cut beyond where they part: what comes before and after, in MACs and time. */
function tellCuts({variants, segments, cuts}: Manifest): void {
  const whole = variants.filter(({recipe}) => recipe === 'full');
  const rows = whole.flatMap(({id, path, splits}) => {
    const own = path.map(each => segments.find(segment => segment.id === each)!);
    const median = ({latency}: Segment): number => Object.values(latency ?? {})[0]?.p50 ?? Number.NaN;
    const sum = (some: readonly Segment[], of: (segment: Segment) => number): number => some.reduce((a, b) => a + of(b), 0);
    const time = (some: readonly Segment[]): string => (Number.isNaN(sum(some, median)) ? '-' : timeText(sum(some, median)));
    return own.flatMap(({to}, i) => {
      if (to === undefined) return [];
      const [before, after] = [own.slice(0, i + 1), own.slice(i + 1)];
      const share = (100 * sum(before, each => each.macs)) / sum(own, each => each.macs);
      const {bytes} = cuts.find(cut => cut.id === to)!;
      const split = splits?.find(({cut}) => cut === to);
      const wire = split
        ? [`${bytesText(split.bytes)} of ${bytesText(split.inputBytes)}`, `${split.quality.value.toFixed(2)}%`]
        : ['-', ''];
      return [[id, to, `${share.toFixed(0)}%`, bytesText(bytes), time(before), time(after), ...wire]];
    });
  });
  if (rows.length > whole.length)
    say(
      `\n${table([['variant', 'cut', 'MACs before', 'tensor', 'time before', 'after', 'sent of input', 'accuracy'], ...rows])}`,
    );
}
