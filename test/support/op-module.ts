/** Calls of an op as a module: one head per case, operands as inputs, or as constants where only those can be compiled. */
import {blobOf} from '../../ir/edit.js';
import type {OpDef} from '../../ir/op.js';
import type {OpCase} from '../../ir/ops/common/cases.js';
import {bytesOfTensor, numbersOf, type Tensor, tensorFrom} from '../../ir/tensor.js';
import type {Attrs, Constant, Head, Module, Node, TensorType, Value, ValueId} from '../../ir/types.js';
import type {Tensors} from './cc.js';
import {attrsOf} from './op-cases.js';
import {randomOf, randomTensor} from './tensors.js';

const loc = {kind: 'text', file: 'cases.ts', line: 1, column: 1} as const;

/** Operands that the compiled form needs as constants: packed weights. */
const constantsOf = ({name}: OpDef, attrs: Attrs): readonly number[] =>
  !/^(conv2d|linear)(_u8)?$/.test(name) ? [] : 'group' in attrs ? [1, 2, 3] : [1, 2];

/** A variance is positive, weights of 16 bits are bytes but for two places; everything else is what `randomTensor` makes. */
export function tensorFor(op: OpDef, index: number, type: TensorType, seed: number): Tensor {
  if (op.name.endsWith('_u8') && type.dtype === 'i16') {
    const bytes = numbersOf(randomTensor({...type, dtype: 'i8'}, randomOf(seed)));
    return tensorFrom('i16', type.shape, bytes.with(1, 254).with(-1, -256));
  }
  const tensor = randomTensor(type, randomOf(seed));
  if (op.name !== 'batchnorm' || index !== 4) return tensor;
  return tensorFrom(
    type.dtype,
    type.shape,
    numbersOf(tensor).map(value => Math.abs(value) + 0.125),
  );
}

export type Built = {readonly module: Module; readonly inputs: Tensors};

/** One head per case. */
export function moduleOf(op: OpDef, cases: readonly OpCase[], tensorAt = tensorFor): Built {
  const [inputs, held, nodes, heads]: [Value[], Constant[], Node[], Head[]] = [[], [], [], []];
  const tensors = new Map<string, Tensor>();
  let nextId = 1;
  const value = (name: string, type: TensorType): Value => ({id: nextId++ as ValueId, name, type});
  cases.forEach((one, at) => {
    const operands = one.inputs.map((type, i): Value | null => {
      if (!type) return null;
      const operand = value(`c${at}.x${i}`, type);
      const tensor = tensorAt(op, i, type, 1000 * at + i);
      if (constantsOf(op, one.attrs).includes(i)) held.push({value: operand, blob: blobOf(bytesOfTensor(tensor)), loc});
      else {
        inputs.push(operand);
        tensors.set(operand.name, tensor);
      }
      return operand;
    });
    const attrs = attrsOf(op, one.attrs);
    const types = op.infer({attrs, inputs: operands.map(operand => operand?.type ?? null)});
    const [first, ...rest] = types.map((type, i) => value(`c${at}.y${i}`, type));
    nodes.push({op: op.name, inputs: operands.map(operand => operand?.id ?? null), outputs: [first!, ...rest], attrs, loc});
    heads.push({name: one.name, outputs: [first!, ...rest].map(({id}) => id), attrs: {}, loc});
  });
  return {module: {name: op.name, attrs: {}, graph: {inputs, constants: held, nodes}, heads}, inputs: tensors};
}
