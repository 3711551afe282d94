/** What is worth trying: which steps, from which networks, in which order. */
import {parseRecipe} from '../recipes/parse.js';

/** Steps on a network as it is. Halves (f16, bf16) are left out: bytes lose hardly more and are half as large. */
export const narrowSteps: readonly string[] = ['int8', 'w8', 'w4', 'w4:32'];

/** Kinds that take a share of the time, and shares from mild to strong. */
export const shrinkKinds = ['lowrank', 'prune'] as const;
export const shares: readonly number[] = [0.75, 0.55, 0.4, 0.3, 0.2];
/** Sides of images, as parts of what they were. */
export const sides: readonly number[] = [0.86, 0.72];
/** After another one has shrunk the network. */
export const furtherShares: readonly number[] = [0.75, 0.55];

/** Between two shares that lie this far apart it pays to look once more. */
const farApart = 0.09;

/** A share between one that holds and a stronger one that does not; null where they are near. */
export const shareBetween = (holds: number, fails: number): number | null =>
  holds - fails > farApart ? Number(((holds + fails) / 2).toFixed(2)) : null;

/** `full` and `int8` -> `int8`, `lowrank:0.5` and `int8` -> `lowrank:0.5+int8`. */
export const recipeAfter = (before: string, step: string): string => (before === 'full' ? step : `${before}+${step}`);

export const needsSamples = (step: string): boolean =>
  parseRecipe(step).steps.some(({step: {kind}}) => kind !== 'narrow') || /^w4/.test(step);
