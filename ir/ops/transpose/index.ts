/** y[i(perm[0])]...: axes in another order. Always a view. */
import {type Builder, defineOp, type OpDef, tensorAt, typeAt} from '../../op.js';
import {dense, view} from '../../tensor.js';
import type {Value} from '../../types.js';

export type TransposeAttrs = {readonly perm: readonly number[]};

export const transpose: OpDef<TransposeAttrs> = defineOp<TransposeAttrs>({
  name: 'transpose',
  summary: 'axis i of the result is axis perm[i] of x',
  operands: ['x'],
  defaults: {},
  rules: [
    {
      id: 'transpose.perm',
      says: 'perm names each axis of x once',
      holds: ({attrs: {perm}, inputs: [x]}) =>
        String([...perm].sort((a, b) => a - b)) === String(x?.shape.map((_, i) => i) ?? []),
    },
  ],
  infer: call => [{dtype: typeAt(call, 0).dtype, shape: call.attrs.perm.map(axis => typeAt(call, 0).shape[axis]!)}],
  evaluate: ({attrs: {perm}}, inputs) => [dense(tensorAt(inputs, 0), view(tensorAt(inputs, 0)).transpose(...perm))],
  fromOnnx: {
    Transpose: onnx => {
      const rank = onnx.input(0).type.shape.length;
      const perm = onnx.ints(
        'perm',
        Array.from({length: rank}, (_, i) => rank - 1 - i),
      );
      return [transposeTo(onnx, onnx.input(0), perm)];
    },
  },
  view: ({attrs: {perm}}, input) => [
    {...input, shape: perm.map(axis => input.shape[axis]!), strides: perm.map(axis => input.strides[axis]!)},
  ],
});

/** Emits a transposition, or nothing where the order is right already. */
export function transposeTo(build: Builder, value: Value, perm: readonly number[]): Value {
  return perm.every((axis, i) => axis === i) ? value : build.emit(transpose, [value], {perm})[0];
}
