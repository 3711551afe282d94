/** What is worth trying: which steps, from which networks, in which order. */
import {parseRecipe} from '../recipes/parse.js';

/** Steps on a network as it is. Halves (f16, bf16) are left out: bytes lose hardly more and are half as large. */
export const narrowSteps: readonly string[] = ['int8', 'w8', 'w4', 'w4:32'];

/** Where images are halved earlier, and local layers that become convolutions: each finds for itself what holds. */
export const structureSteps: readonly string[] = ['stride', 'tie'];

/** Steps of one kind, each a share of what there was, from mild to strong. */
export type Ladder = {readonly kind: string; readonly spared?: 'macs'; readonly shares: readonly number[]};

const shares: readonly number[] = [0.75, 0.55, 0.4, 0.3, 0.2];

/**
 * Low rank spares time, and multiply-adds: full 3x3 layers run by Winograd's transforms, so either leaves much of the other, and a phone's energy goes by
 * the second.
 */
export const ladders: readonly Ladder[] = [
  {kind: 'lowrank', shares},
  {kind: 'lowrank', spared: 'macs', shares: [0.6, 0.45, 0.33, 0.25]},
  {kind: 'prune', shares},
  {kind: 'input', shares: [0.86, 0.72]},
];

/** After another one has changed the network. */
export const furtherLadder: Ladder = {kind: 'lowrank', spared: 'macs', shares: [0.6, 0.45]};

/** `lowrank:0.5:macs` */
export const stepOf = ({kind, spared}: Ladder, share: number): string => [kind, share, ...(spared ? [spared] : [])].join(':');

/** Between two shares that lie this far apart it pays to look once more. */
const farApart = 0.09;

/** A share between one that holds and a stronger one that does not; null where they are near. */
export const shareBetween = (holds: number, fails: number): number | null =>
  holds - fails > farApart ? Number(((holds + fails) / 2).toFixed(2)) : null;

/** `full` and `int8` -> `int8`, `lowrank:0.5` and `int8` -> `lowrank:0.5+int8`. */
export const recipeAfter = (before: string, step: string): string => (before === 'full' ? step : `${before}+${step}`);

export const needsSamples = (step: string): boolean =>
  parseRecipe(step).steps.some(({step: {kind}}) => kind !== 'narrow') || /^w4/.test(step);
