/** Matrix product of 32-bit integers, which wraps: for quantized products that f32 cannot hold exactly. */

import {defineOp, type KernelContext, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {elements, numberAt, setElement, zeros} from '../../tensor.js';
import {forEachIndex} from '../common/broadcast.js';
import {ownKernel} from '../common/call.js';

export const integerMatmul: OpDef = defineOp({
  name: 'integer_matmul',
  summary: 'y[...][r][c] = sum x[...][r][k] * w[...][k][c], in i32',
  operands: ['x', 'w'],
  defaults: {},
  rules: [
    {id: 'integer_matmul.type', says: 'x and w are i32', holds: ({inputs: [x, w]}) => x?.dtype === 'i32' && w?.dtype === 'i32'},
    {
      id: 'integer_matmul.shapes',
      says: 'x is [...][r][k] and w is [...][k][c] with the same leading axes',
      holds: ({inputs: [x, w]}) =>
        (x?.shape.length ?? 0) >= 2 &&
        String(x?.shape.slice(0, -2)) === String(w?.shape.slice(0, -2)) &&
        x?.shape.at(-1) === w?.shape.at(-2),
    },
  ],
  infer: call => [{dtype: 'i32', shape: [...typeAt(call, 0).shape.slice(0, -1), typeAt(call, 1).shape.at(-1)!]}],
  evaluate: (call, inputs) => {
    const [x, w] = [tensorAt(inputs, 0), tensorAt(inputs, 1)];
    const y = zeros('i32', integerMatmul.infer(call)[0]!.shape);
    const [inner, columns] = w.shape.slice(-2) as [number, number];
    const rows = x.shape.at(-2)!;
    forEachIndex([elements(y.shape) / columns, columns], ([row, column], flat) => {
      const first = Math.floor(row! / rows) * inner * columns + column!;
      let sum = 0n;
      for (let k = 0; k < inner; k++) sum += BigInt(numberAt(x, row! * inner + k)) * BigInt(numberAt(w, first + k * columns));
      setElement(y, flat, Number(BigInt.asIntN(32, sum)));
    });
    return [y];
  },
  macs: call => elements(integerMatmul.infer(call)[0]!.shape) * typeAt(call, 0).shape.at(-1)!,
  kernel: {layout: 'row-major', dtypes: ['i32'], lower: lowerIntegerMatmul},
});

function lowerIntegerMatmul({types, inputs, outputs}: KernelContext): KernelCall {
  const [rows, inner] = types[0]!.shape.slice(-2) as [number, number];
  const fields = {batch: elements(types[0]!.shape.slice(0, -2)), rows, inner, columns: types[1]!.shape.at(-1)!};
  return ownKernel(
    'integer_matmul',
    'integer_matmul_i32',
    fields,
    {x: inputs[0]!.view(), w: inputs[1]!.view()},
    {y: outputs[0]!},
  );
}
