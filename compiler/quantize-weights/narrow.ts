/**
 * What stands for a layer's weights in fewer bits. They are read as f32:
 *
 *   f16, bf16   half-width floats
 *   i8          integers of 8 bits, rounded to nearest, a scale per output channel
 *   i4          integers of 4 bits by GPTQ, a scale per output channel, or per output channel and group of inputs;
 *               depthwise layers i8: their sums are short, and the last bits of each weight show
 */
import {elements, numberAt, type Tensor, tensorFrom} from '../../ir/tensor.js';
import {type LayerWeights, narrowLayer} from './layer.js';
import type {Moments} from './moments.js';
import type {Layer} from './sites.js';

/** `group`: inputs that share a scale; null: all of an output channel. */
export type Form =
  | {readonly dtype: 'f16' | 'bf16' | 'i8'; readonly group: null}
  | {readonly dtype: 'i4'; readonly group: number | null};

/** Whether samples of the input decide how weights are rounded. */
export const needsMoments = ({dtype}: Form): boolean => dtype === 'i4';

export type Narrowed = {
  /** In the layer's shape. */
  readonly weights: Tensor;
  /** [outputs], or [outputs][ceil(width / group)] in the order of the sum; null: weights are what they say. */
  readonly scales: Float32Array | null;
  /** Null: the whole sum has one scale. */
  readonly group: number | null;
  readonly bias: Float32Array | null;
  /** The mean square of what sums are off where inputs are as in the moments, as a part of their own. */
  readonly off?: number;
};

/** `moments` are of the layer's input: GPTQ needs them, biases are corrected by them. A text says why it cannot be done. */
export function narrow(layer: Layer, form: Form, moments: Moments | null): Narrowed | string {
  const {weights, shape, bias, width} = layer;
  const {dtype, group}: Form = layer.depthwise && form.dtype === 'i4' ? {dtype: 'i8', group: null} : form;
  if (layer.depthwise && dtype !== 'i8') return 'it is depthwise';
  if (dtype === 'f16' || dtype === 'bf16') {
    const halves = tensorFrom(dtype, shape, weights.data);
    const isHeld = weights.data.every((value, i) => Number.isFinite(numberAt(halves, i)) || !Number.isFinite(value));
    return isHeld ? {weights: halves, scales: null, group: null, bias} : `its weights exceed ${dtype}`;
  }
  if (!weights.data.every(Number.isFinite)) return 'its weights are not finite';
  const shared = group !== null && group < width ? group : null;
  const bits = dtype === 'i4' ? 4 : 8;
  const made = narrowLayer(weights, bits, moments, bits === 4 ? 'gptq' : 'nearest', shared ?? width);
  const {shift} = made;
  return {
    ...{weights: tensorFrom(dtype, shape, made.codes), scales: made.scales, group: shared},
    bias: shift ? shift.map((value, o) => value + (bias?.[o] ?? 0)) : bias,
    ...(made.error && {off: made.error.after}),
  };
}

/** The weights that are computed with. */
export function realWeights({weights, scales, group}: Narrowed, {inputs, points}: LayerWeights): Float32Array {
  const width = inputs * points;
  const rows = group === null ? 1 : Math.ceil(width / group);
  return Float32Array.from({length: elements(weights.shape)}, (_, at) => {
    const [output, place] = [Math.floor(at / width), at % width];
    const inSum = (place % points) * inputs + Math.floor(place / points);
    const scale = scales ? scales[output * rows + (group === null ? 0 : Math.floor(inSum / group))]! : 1;
    return numberAt(weights, at) * scale;
  });
}
