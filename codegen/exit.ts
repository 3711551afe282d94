/**
 * Files of heads that are fitted after a build (exits), which the build's own `NAME_exit` runs: the header of the weights, with
 * "dnncexit" for a magic, then what kernels/exit_f32.h wants.
 */
import {blobAlignment, headerBytes, seal} from './weights.js';

export type ExitShape = {
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
  /** Features are means over so many rows and columns of the image. */
  readonly grid: number;
  readonly classes: number;
  readonly channelsLast: boolean;
  /** Scores leave as probabilities. */
  readonly softmax: boolean;
};

const padded = (value: number, to: number): number => Math.ceil(value / to) * to;

/** `weights` [classes][channels][grid][grid] and `bias` [classes] as a file of the build whose hash is given. */
export function exitFile(shape: ExitShape, weights: Float32Array, bias: Float32Array, buildHash: string): Uint8Array {
  const {channels, rows, columns, grid, classes} = shape;
  const cells = grid ** 2;
  const biasRoom = padded(classes, 16);
  const bytes = new Uint8Array(headerBytes + padded(headerBytes + 4 * (biasRoom + weights.length), blobAlignment));
  const flags = [Number(shape.channelsLast), Number(shape.softmax)];
  new Int32Array(bytes.buffer, headerBytes, 7).set([channels, rows, columns, grid, classes, ...flags]);
  const numbers = new Float32Array(bytes.buffer, 2 * headerBytes);
  numbers.set(bias);
  for (let k = 0; k < classes; k++)
    for (let c = 0; c < channels; c++)
      for (let cell = 0; cell < cells; cell++)
        numbers[biasRoom + (k * cells + cell) * channels + c] = weights[(k * channels + c) * cells + cell]!;
  seal(bytes, buildHash, 'dnncexit');
  return bytes;
}
