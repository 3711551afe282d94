/** Where a point of a resized axis lies in the original, and which of its neighbours count how much (ONNX's Resize). */

/** One axis: its lengths, the factor between them, and the part of it that tf_crop_and_resize takes. */
export type Axis = {readonly from: number; readonly to: number; readonly scale: number; readonly roi: readonly [number, number]};

const single = Math.fround;

/** The place in the part [start, end] of the axis, both from 0 to 1; it may lie outside the axis. */
export function cropped(at: number, {from, to, roi: [start, end]}: Axis): number {
  if (to === 1) return single(0.5 * single(start + end) * (from - 1));
  return single(single(start * (from - 1)) + single(single(at * single(end - start) * (from - 1)) / (to - 1)));
}

/** In single precision step by step, as onnxruntime computes: nearest neighbours depend on the last bit. */
export const coordinates: Readonly<Record<string, (at: number, axis: Axis) => number>> = {
  half_pixel: (at, {scale}) => single(single(single(at + 0.5) / scale) - 0.5),
  half_pixel_symmetric: (at, {from, to, scale}) => {
    const adjustment = single(to / single(scale * from));
    const offset = single(single(from / 2) * single(1 - adjustment));
    return single(single(offset + single(single(at + 0.5) / scale)) - 0.5);
  },
  pytorch_half_pixel: (at, {to, scale}) => (to > 1 ? single(single(single(at + 0.5) / scale) - 0.5) : 0),
  tf_half_pixel_for_nn: (at, {scale}) => single(single(at + 0.5) / scale),
  asymmetric: (at, {scale}) => single(at / scale),
  align_corners: (at, {from, to}) => (to === 1 ? 0 : single(single(at * (from - 1)) / (to - 1))),
  tf_crop_and_resize: cropped,
};

/** Halves: prefer_floor takes the lower, prefer_ceil rounds away from zero. `simple` is what Upsample did. */
export const nearest: Readonly<Record<string, (x: number, scale: number) => number>> = {
  round_prefer_floor: x => Math.ceil(x - 0.5),
  round_prefer_ceil: x => Math.floor(x + 0.5),
  floor: x => Math.floor(x),
  ceil: x => Math.ceil(x),
  simple: (x, scale) => (scale < 1 ? Math.ceil(x) : Math.trunc(x)),
};

/** Influence at a distance, and how far it reaches. `a`: the cubic coefficient (Keys 1981). */
export type Kernel = {readonly reach: number; weight(distance: number): number};
export const linearKernel: Kernel = {reach: 1, weight: d => Math.max(0, 1 - Math.abs(d))};
export const cubicKernel = (a: number): Kernel => ({
  reach: 2,
  weight: distance => {
    const d = Math.abs(distance);
    if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
  },
});

/** Places (not clamped) and weights of sum 1 around x. `scale` below 1 widens the kernel: antialiasing. */
export function taps(
  x: number,
  {reach, weight}: Kernel,
  scale: number,
): readonly {readonly place: number; readonly weight: number}[] {
  const base = Math.ceil(x) - 1;
  const start = Math.floor(-reach / scale) + 1;
  const found = Array.from({length: 2 - 2 * start}, (_, i) => ({
    place: base + start + i,
    weight: weight((base + start + i - x) * scale),
  }));
  return normalized(found);
}

export function normalized<T extends {readonly weight: number}>(list: readonly T[]): readonly T[] {
  const sum = list.reduce((total, tap) => total + tap.weight, 0);
  return list.map(tap => ({...tap, weight: tap.weight / sum}));
}
