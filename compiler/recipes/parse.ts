/**
 * Recipes by name: `input:0.75`, `stride`, `tie`, `lowrank:0.5`, `lowrank:0.5:macs`, `prune:0.7`, `int8`, `int8:equalize`, `f16`, `bf16`, `w8`, `w4`,
 * `w4:32`. A recipe is a list of lossy steps joined by `+`, applied from left to right.
 */
import {fail} from '../../ir/diagnostics.js';
import {type Form, needsMoments} from '../quantize-weights/narrow.js';
import {type Spared, sparable} from '../reconstruct/spared.js';

/** 8-bit weights and activations; `equalize` evens out the ranges of channels before. */
export type Int8Step = {readonly kind: 'int8'; readonly equalize: boolean};

/** Narrow weights that are computed with in f32. */
export type NarrowStep = {readonly kind: 'narrow'; readonly form: Form};

/**
 * Layers become several thin ones (`lowrank`), or have fewer channels (`prune`), so that they cost that share of what they did; null:
 * the least that the loss allows.
 */
export type ShrinkStep = {readonly kind: 'lowrank' | 'prune'; readonly share: number | null; readonly spared: Spared};

/** The same network on images whose sides are that part of what they were. */
export type InputStep = {readonly kind: 'input'; readonly scale: number};

/** Images are halved earlier inside the network (`stride`), or local layers become convolutions (`tie`), where that holds. */
export type StructureStep = {readonly kind: 'stride' | 'tie'};

/** One lossy step. Another kind is a member here, a line in `kinds` and a case in `apply.ts`. */
export type Step = InputStep | StructureStep | ShrinkStep | Int8Step | NarrowStep;

export type Recipe = {
  /** As the user wrote it: the name of the variant. */
  readonly name: string;
  readonly steps: readonly [Named, ...Named[]];
};

/** A step and how it was spelt. */
export type Named = {readonly text: string; readonly step: Step};

type Kind = {
  /** How it is spelt, for messages. */
  readonly usage: string;
  /** null: the argument is not one of its own. */
  parse(argument: string | null): Step | null;
};

const plain = (dtype: 'f16' | 'bf16' | 'i8', usage: string): Kind => ({
  usage,
  parse: argument => (argument === null ? {kind: 'narrow', form: {dtype, group: null}} : null),
});

/** 0.5, .75; null: it is none between 0 and 1. */
const partOf = (argument: string): number | null => (/^0?\.\d*[1-9]\d*$/.test(argument) ? Number(argument) : null);

const shrinking = (kind: ShrinkStep['kind']): Kind => ({
  usage: `${kind}:0.5 or ${kind} (of the time; ${kind}:0.5:macs or :bytes of these)`,
  parse(argument) {
    const parts = argument?.split(':') ?? [];
    const spared = sparable.find(each => each === parts.at(-1));
    const [part = null, ...rest] = spared ? parts.slice(0, -1) : parts;
    const share = part === null ? null : partOf(part);
    return rest.length > 0 || (part !== null && share === null) ? null : {kind, share, spared: spared ?? 'time'};
  },
});

const structure = (kind: StructureStep['kind']): Kind => ({
  usage: kind,
  parse: argument => (argument === null ? {kind} : null),
});

export const isShrinking = (step: Step): step is ShrinkStep => step.kind === 'lowrank' || step.kind === 'prune';

export const isStructure = (step: Step): step is StructureStep => step.kind === 'stride' || step.kind === 'tie';

/** Whether a step leaves a network of floats that others can change. */
const leavesFloats = (step: Step): boolean => isShrinking(step) || isStructure(step) || step.kind === 'input';

const kinds: Readonly<Record<string, Kind>> = {
  input: {
    usage: 'input:0.75 (of the side of images)',
    parse(argument) {
      const scale = argument === null ? null : partOf(argument);
      return scale === null ? null : {kind: 'input', scale};
    },
  },
  stride: structure('stride'),
  tie: structure('tie'),
  lowrank: shrinking('lowrank'),
  prune: shrinking('prune'),
  int8: {
    usage: 'int8 or int8:equalize',
    parse: argument => (argument === null || argument === 'equalize' ? {kind: 'int8', equalize: argument !== null} : null),
  },
  f16: plain('f16', 'f16'),
  bf16: plain('bf16', 'bf16'),
  w8: plain('i8', 'w8'),
  w4: {
    usage: 'w4 or w4:32',
    parse: argument =>
      argument === null || argument === '32' ? {kind: 'narrow', form: {dtype: 'i4', group: argument === null ? null : 32}} : null,
  },
};

/** Errors: usage recipe.unknown, recipe.argument, recipe.steps. */
export function parseRecipe(name: string): Recipe {
  const [first, ...rest] = name.split('+').map(text => ({text, step: parseStep(text, name)}));
  const steps: Recipe['steps'] = [first!, ...rest];
  const narrowing = steps.findIndex(({step}) => !leavesFloats(step));
  if (narrowing >= 0 && narrowing < steps.length - 1)
    fail('usage', 'recipe.steps', name, `nothing can follow ${steps[narrowing]!.text}`, 'let it be the last step');
  // What has few multiply-adds left may still have many bytes of weights.
  const aims = steps.map(({step}) => (isShrinking(step) ? `${step.kind} that spares ${step.spared}` : step.kind));
  const twice = aims.find((aim, i) => aims.indexOf(aim) !== i);
  if (twice !== undefined) fail('usage', 'recipe.steps', name, `has ${twice} twice`, 'name each step once');
  return {name, steps};
}

/** Each once. Errors: those of `parseRecipe`; usage recipe.twice. */
export function parseRecipes(names: readonly string[]): readonly Recipe[] {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) fail('usage', 'recipe.twice', twice, 'is asked for twice', 'name each recipe once');
  return names.map(parseRecipe);
}

/** Whether it is found out under a loss budget alone. */
export const needsBudget = ({steps}: Recipe): boolean => steps.some(({step}) => isShrinking(step) && step.share === null);

/** Whether it is found out on samples. */
export const needsSamples = ({steps}: Recipe): boolean =>
  steps.some(({step}) => step.kind !== 'narrow' || needsMoments(step.form));

function parseStep(text: string, recipe: string): Step {
  const colon = text.indexOf(':');
  const [name, argument] = colon < 0 ? [text, null] : [text.slice(0, colon), text.slice(colon + 1)];
  const kind = kinds[name];
  if (!kind || !Object.hasOwn(kinds, name))
    return fail('usage', 'recipe.unknown', recipe, `"${text}" is not a recipe`, `one of ${known()}`);
  return kind.parse(argument) ?? fail('usage', 'recipe.argument', recipe, `${name} does not take "${argument}"`, kind.usage);
}

const known = (): string =>
  Object.values(kinds)
    .map(({usage}) => usage)
    .join(', ');
