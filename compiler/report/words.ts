/** How the report says things: numbers with units, recipes in words. */
import {bytesText, countText, timeText} from '../output.js';

export const percent = (value: number): string => `${value.toFixed(2)}%`;
/** Milliseconds. */
export const duration = (value: number): string => timeText(value).replace(' us', ' µs');
export const bytes = (value: number): string => bytesText(Math.round(value));
export const macs = (value: number): string => countText(Math.round(value));
export const energy = (value: number): string => `${Number(value.toPrecision(3))} mJ`;
export const times = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)}×`;

/** `1 variant`, `2 variants`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** A mark on an axis: no digits that say nothing. */
export const mark =
  (text: (value: number) => string) =>
  (value: number): string =>
    text(value)
      .replace(/(\.\d*?)0+(?=\D|$)/, '$1')
      .replace(/\.(?=\D|$)/, '');

/** What a recipe does; '' for names that are no recipe of ours (another network of the task). */
export const recipeWords = (recipe: string): string =>
  recipe
    .split('+')
    .map(step => words.map(([form, say]) => form.exec(step)?.slice(1).reduce(put, say)).find(text => text !== undefined))
    .join(', then ')
    .replace(/^(, then )+$/, '');

const put = (text: string, part: string, at: number): string => text.replace(`$${at}`, part === 'macs' ? 'multiply-adds' : part);

const words: readonly (readonly [RegExp, string])[] = [
  [/^full$/, 'the network as it is'],
  [/^int8$/, 'weights and activations of 8 bits'],
  [/^int8:equalize$/, 'channels evened out, weights and activations of 8 bits'],
  [/^(b?f16)$/, 'weights of $0'],
  [/^w(\d)$/, 'weights of $0 bits'],
  [/^w(\d):(\d+)$/, 'weights of $0 bits, a scale per $1 of them'],
  [/^lowrank$/, 'layers made thin, as far as the loss allows'],
  [/^lowrank:(time|macs|bytes)$/, 'layers made thin to spare $0, as far as the loss allows'],
  [/^lowrank:([\d.]+)$/, 'layers made thin, down to $0 of their time'],
  [/^lowrank:([\d.]+):(time|macs|bytes)$/, 'layers made thin, down to $0 of their $1'],
  [/^prune$/, 'channels left out, as far as the loss allows'],
  [/^prune:(time|macs|bytes)$/, 'channels left out to spare $0, as far as the loss allows'],
  [/^prune:([\d.]+)$/, 'channels left out, down to $0 of the time'],
  [/^prune:([\d.]+):(time|macs|bytes)$/, 'channels left out, down to $0 of the $1'],
  [/^input:(.+)$/, 'images of $0 of the side'],
  [/^stride$/, 'images halved earlier inside'],
  [/^tie$/, 'local layers made convolutions'],
  [/^exit@(\d+)$/, 'an early answer from inside the network'],
  [/^cascade@(\d+)$/, 'a cheap stage first, the whole network where it is unsure'],
  [/^retarget@(\d+)$/, "a new head on another task's network"],
];

/** Recipes of one kind, whatever their arguments: `lowrank:0.5+int8` -> `lowrank+int8`. */
export const kindOf = (recipe: string): string =>
  recipe
    .split('+')
    .map(step => step.replace(/[:@].*$/s, ''))
    .join('+');
