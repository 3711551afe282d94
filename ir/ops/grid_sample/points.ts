/** From a coordinate to the elements of an axis that count, and how much: the same for evaluation and, in C, for the kernel. */

import {roundEven} from '../../tensor.js';

export const modes = ['nearest', 'linear', 'cubic'] as const;
export const paddings = ['zeros', 'border', 'reflection'] as const;
export type Mode = (typeof modes)[number];
export type Padding = (typeof paddings)[number];

export type Tap = {readonly place: number; readonly weight: number};

/** Mirrored at both ends until it lies between them. */
export function reflected(x: number, low: number, high: number): number {
  const beyond = x < low ? low - x : x - high;
  if (!(beyond > 0)) return x;
  const times = Math.trunc(beyond / (high - low));
  const rest = beyond - times * (high - low);
  return x < low === (times % 2 === 0) ? low + rest : high - rest;
}

/** Not a number counts as `low`. */
const between = (x: number, low: number, high: number): number => (x > low ? Math.min(x, high) : low);

/**
 * Elements around x along an axis of `size`; where they lie outside, the padding says what counts for them. As in PyTorch
 * and onnxruntime, a cubic curve is not cut at the border: it goes on through repeated pixels.
 */
export function tapsAt(x: number, size: number, mode: Mode, padding: Padding, aligned: boolean): readonly Tap[] {
  const [low, high] = aligned ? [0, size - 1] : [-0.5, size - 0.5];
  const mirror = (at: number): number => (high > low ? reflected(at, low, high) : low);
  const round = mode === 'nearest' ? roundEven(x) : x;
  // Far outside nothing changes any more.
  const near = (at: number): number => between(at, -3, size + 2);
  const moved =
    padding === 'border' && mode !== 'cubic' ? between(round, 0, size - 1) : padding === 'reflection' ? mirror(round) : round;
  const at = near(moved);
  const first = Math.floor(at);
  return weightsOf(mode, at - first).flatMap(({place, weight}) => {
    const element = first + place;
    if (element >= 0 && element < size) return [{place: element, weight}];
    if (padding === 'zeros') return [];
    const other = padding === 'border' ? element : Math.trunc(mirror(element));
    return [{place: between(other, 0, size - 1), weight}];
  });
}

/** Cubic convolution (Keys 1981) with a = -0.75. */
function weightsOf(mode: Mode, t: number): readonly Tap[] {
  if (mode === 'nearest') return [{place: 0, weight: 1}];
  if (mode === 'linear')
    return [
      {place: 0, weight: 1 - t},
      {place: 1, weight: t},
    ];
  const outer = (d: number): number => ((-0.75 * d + 3.75) * d - 6) * d + 3;
  const inner = (d: number): number => (1.25 * d - 2.25) * d * d + 1;
  return [outer(t + 1), inner(t), inner(1 - t), outer(2 - t)].map((weight, i) => ({place: i - 1, weight}));
}
