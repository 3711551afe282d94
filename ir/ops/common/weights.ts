/**
 * Weights of convolutions and linear layers as they are stored: f32, or fewer bits, which are read as f32. A scale per output
 * channel is a multiplication after the sum; scales of `group` products in turn are one more operand, behind the bias.
 */
import type {Call, KernelContext} from '../../op.js';
import type {KernelCall, View} from '../../plan.js';
import {elements, numberAt, type Tensor, tensorFrom} from '../../tensor.js';
import type {DType, TensorType} from '../../types.js';

/** How many products of a sum share a scale, in the order [r][s][i] of `w`; absent where there are no scales. */
export type WeightAttrs = {readonly group?: number};

/** What weights may be stored as beside f32. */
export const narrowTypes: readonly DType[] = ['f16', 'bf16', 'i8', 'i4'];

/** The place of the first epilogue extra: scales stand before it. */
export const firstExtra = ({attrs}: Pick<Call<WeightAttrs>, 'attrs'>): number => (attrs.group === undefined ? 3 : 4);

/** The operands that the compiled form has as constants. */
export const packedOperands = (call: Call<WeightAttrs>): readonly number[] => [1, 2, 3].slice(0, firstExtra(call) - 1);

export const weightRules = <A extends WeightAttrs>(name: string) => [
  {
    id: `${name}.weights`,
    says: 'w has the type of x; or x is f32 and w is f16, bf16, i8 or i4',
    holds: ({inputs: [x, w]}: Call<A>): boolean =>
      w?.dtype === x?.dtype || (x?.dtype === 'f32' && w !== undefined && w !== null && narrowTypes.includes(w.dtype)),
  },
  {
    id: `${name}.scales`,
    says: 'with `group`, operand 3 is f32[o][ceil(products / group)], and w is narrow',
    holds: ({attrs: {group}, inputs: [, w, , scales]}: Call<A>): boolean => {
      if (group === undefined) return true;
      if (!w || !scales || !Number.isInteger(group) || group < 1) return false;
      const rows = Math.ceil(elements(w.shape.slice(1)) / group);
      return narrowTypes.includes(w.dtype) && scales.dtype === 'f32' && String(scales.shape) === String([w.shape[0], rows]);
    },
  },
];

/** The weights that a layer computes with. */
export function widened({group}: WeightAttrs, w: Tensor, scales: Tensor | null | undefined): Tensor {
  if (group === undefined || !scales) return w;
  const [outputs, inputs = 1, ...kernel] = w.shape as [number, number, ...number[]];
  const points = elements(kernel);
  const rows = scales.shape[1]!;
  const values = Array.from({length: outputs * inputs * points}, (_, at) => {
    const [o, i, point] = [Math.floor(at / (inputs * points)), Math.floor(at / points) % inputs, at % points];
    return numberAt(w, at) * numberAt(scales, o * rows + Math.floor((point * inputs + i) / group));
  });
  return tensorFrom('f32', w.shape, values);
}

/** The contract of a convolution by weights of this type. */
export const contractFor = (dtype: DType): string => (dtype === 'f32' ? 'conv2d_f32' : `conv2d_f32_by_${dtype}`);

/** The constant operands of the convolution kernels, in panels. */
export function weightParams(context: KernelContext<WeightAttrs>, groups: number): KernelCall['params'] {
  const {attrs, types, inputs} = context;
  const w = types[1]!;
  const biasType: TensorType = types[2] ?? {dtype: 'f32', shape: [w.shape[0]!]};
  const packed = (place: number): View => context.weight(inputs[place]!.constant, types[place]!, {kind: 'panels', groups});
  const weights = packed(1);
  const scales = attrs.group === undefined ? null : packed(3);
  const bias = context.weight(inputs[2]?.constant ?? null, biasType, {kind: 'bias-panels', groups});
  return [
    {name: 'w', role: 'read', view: weights},
    ...(w.dtype === 'f32' ? [] : [{name: 'scales', role: 'read' as const, view: scales}]),
    {name: 'b', role: 'read', view: bias},
  ];
}

/** Fields of the kernel's shape for weights of this type. */
export const weightFields = ({group = 0}: WeightAttrs, {dtype}: TensorType): Readonly<Record<string, number>> =>
  dtype === 'f32' ? {} : {group};
