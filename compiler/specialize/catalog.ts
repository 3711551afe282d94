/** New variants in the manifest of a build. */
import {frequenciesIn} from '../../runtime/index.js';
import type {Cascade, Manifest, Variant} from '../../runtime/manifest.js';
import type {Context} from '../context.js';
import type {Labelled} from '../data/dataset.js';
import {hashOfData} from '../evaluate-variant.js';
import {bothUnder, macsOf, tradeAt} from './cascade.js';
import type {Candidate, Plan} from './winnow.js';

/** Variants of the same id are replaced, cascades from a head that changes are dropped; files of exits are listed. */
export function withVariants(given: Manifest, added: readonly Variant[]): Manifest {
  const manifest = withoutStale(given, added);
  const variants = manifest.variants.map(variant => added.find(({id}) => id === variant.id) ?? variant);
  const known = new Set(variants.map(({id}) => id));
  const fresh = added.filter(({id}) => !known.has(id));
  const exits = added.flatMap(({exit}) => (exit ? [[exit.file, exit.sha256] as const] : []));
  const tasks = Object.entries(manifest.tasks).map(([name, task]) => {
    const its = fresh.filter(variant => variant.task === name);
    return [name, {...task, variants: [...task.variants, ...its.map(({id}) => id)]}] as const;
  });
  const files = Object.fromEntries([...Object.entries(manifest.files), ...exits].sort(([a], [b]) => (a < b ? -1 : 1)));
  return {...manifest, tasks: Object.fromEntries(tasks), variants: [...variants, ...fresh], files};
}

/** Thresholds hold for the head that they were chosen with. */
function withoutStale(manifest: Manifest, added: readonly Variant[]): Manifest {
  const changed = new Set(
    manifest.variants
      .filter(({id, exit}) => exit && added.some(other => other.id === id && other.exit?.sha256 !== exit.sha256))
      .map(({id}) => id),
  );
  const variants = manifest.variants.filter(({cascade}) => !cascade || !changed.has(cascade.first));
  const kept = new Set(variants.map(({id}) => id));
  const tasks = Object.entries(manifest.tasks).map(([name, task]) => [
    name,
    {...task, variants: task.variants.filter(id => kept.has(id))},
  ]);
  return {...manifest, variants, tasks: Object.fromEntries(tasks)};
}

/** Shares that a cascade's manifest says what to expect at. */
const shares = [0.6, 0.7, 0.8, 0.9, 0.95, 1];

/** A cascade as a variant. Estimates keep the prior of its context, whatever the share. */
export function cascadeOf(
  manifest: Manifest,
  general: Candidate,
  firsts: readonly Candidate[],
  plan: Plan,
  context: Context,
  tune: Labelled,
): Variant {
  const variantOf = (id: string): Variant => manifest.variants.find(variant => variant.id === id)!;
  const [first, last] = [variantOf(plan.first.id), variantOf(general.stage.id)];
  const {labels: names, labelOffset = 0} = manifest.tasks[first.task]!;
  const classes = context.classes.map(c => names?.[c - labelOffset] ?? c);
  const common = manifest.segments.filter(({id}) => first.path.includes(id) && last.path.includes(id));
  const shared = (of: (segment: Manifest['segments'][number]) => number): number =>
    common.reduce((sum, each) => sum + of(each), 0);
  const {classes: count, labels} = general.tune;
  const seen = firsts.find(({stage}) => stage === plan.first)!;
  const usual = frequenciesIn(context.classes, context.share, count);
  const both = bothUnder(usual, [seen.stage, seen.tune], [general.stage, general.tune], 'corrected');
  const estimates = [...new Set([...shares, context.share])]
    .sort((a, b) => a - b)
    .map(share => {
      const frequencies = frequenciesIn(context.classes, share, count);
      const {accuracy, alone} = tradeAt(plan.threshold, both, frequencies, {of: plan.pool, context});
      const macs = Math.round(macsOf(plan.first, general.stage, alone));
      return {share, accuracy: Number((100 * accuracy).toFixed(2)), macs, alone: Number(alone.toFixed(4))};
    });
  const cascade: Cascade = {
    ...{first: first.id, last: last.id, threshold: plan.threshold, share: context.share},
    ...{estimates, n: labels.length, data: hashOfData(tune)},
  };
  const recipe = recipeFor(manifest, first.task, classes, context.share);
  return {
    ...{id: `${first.task}/${recipe}`, task: first.task, recipe, cascade, path: first.path},
    macs: first.macs + last.macs - shared(({macs}) => macs),
    weightBytes: first.weightBytes + last.weightBytes - shared(({weightBytes}) => weightBytes),
    arenaBytes: Math.max(first.arenaBytes, last.arenaBytes),
    arenaLowerBound: Math.max(first.arenaLowerBound, last.arenaLowerBound),
    loadBytes: first.loadBytes + last.loadBytes - shared(({weights, weightBytes}) => weights?.bytes ?? weightBytes),
    context: classes,
  };
}

/** `cascade@1`, `cascade@2`, ...: that of the same context, or the next one. */
function recipeFor(manifest: Manifest, task: string, classes: readonly (string | number)[], share: number): string {
  const known = manifest.variants.filter(variant => variant.task === task && variant.cascade);
  const same = known.find(({context, cascade}) => String(context) === String(classes) && cascade?.share === share);
  if (same) return same.recipe;
  let number = 1;
  while (known.some(({recipe}) => recipe === `cascade@${number}`)) number++;
  return `cascade@${number}`;
}
