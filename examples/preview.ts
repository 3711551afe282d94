/** Pictures as coloured half blocks, for terminals that show 24-bit colours. */
import type {WriteStream} from 'node:tty';
import {size} from './signs/canvas.js';

/** One character is `step` pixels wide and twice as many high. */
const step = 3;
const gap = 2;

export const columnsOf = (count: number): number => count * (size / step + gap) - gap;

export const canPreview = (stream: WriteStream, count: number): boolean =>
  stream.isTTY && stream.hasColors(2 ** 24) && stream.columns >= columnsOf(count);

/** All in a row, each with a caption above it. */
export function preview(pictures: readonly {readonly image: Uint8Array; readonly caption: string}[]): string {
  const captions = pictures.map(({caption}) => caption.padEnd(size / step)).join(' '.repeat(gap));
  const lines = Array.from({length: size / step / 2}, (_, row) =>
    pictures.map(({image}) => lineOf(image, 2 * row)).join(' '.repeat(gap)),
  );
  return [captions.trimEnd(), ...lines].join('\n');
}

/** Two rows of blocks as one row of characters: the upper one in the foreground, the lower one behind it. */
function lineOf(image: Uint8Array, row: number): string {
  const characters = Array.from({length: size / step}, (_, column) => {
    const [upper, lower] = [row, row + 1].map(y => blockOf(image, column, y).join(';'));
    return `\x1b[38;2;${upper}m\x1b[48;2;${lower}m▀`;
  });
  return `${characters.join('')}\x1b[0m`;
}

/** The mean colour of a block. */
const blockOf = (image: Uint8Array, column: number, row: number): readonly number[] =>
  [0, 1, 2].map(channel => {
    let sum = 0;
    for (let y = 0; y < step; y++)
      for (let x = 0; x < step; x++) sum += image[((row * step + y) * size + column * step + x) * 3 + channel] ?? 0;
    return Math.round(sum / step ** 2);
  });
