/** Reading a graph backwards: what one element-wise node says, and the folds that normalizations are made of. */
import {constantOf, producerOf, valueAt} from '../../ir/graph.js';
import {isOp} from '../../ir/op.js';
import {opOf} from '../../ir/ops/index.js';
import {type ReduceAttrs, reduce} from '../../ir/ops/reduce/index.js';
import type {ScalarFn} from '../../ir/scalar/functions.js';
import {elements, numberAt, tensorOf} from '../../ir/tensor.js';
import type {Module, Node, TensorType, Value, ValueId} from '../../ir/types.js';

/** An operand is a value, or the number that a constant of one element holds. */
export type Operand = ValueId | {readonly number: number};
/** A node that applies one function to its operands. */
export type Step = {readonly fn: ScalarFn; readonly args: readonly Operand[]};

export const typeIn = (module: Module, id: ValueId): TensorType => valueAt(module.graph, id).type;
export const valueIn = (module: Module, id: ValueId): Value => valueAt(module.graph, id);

export const isValue = (operand: Operand | undefined): operand is ValueId => operand !== undefined && typeof operand !== 'object';

export const stepAt = (module: Module, id: Operand | undefined): Step | null => {
  const producer = isValue(id) ? producerOf(module.graph, id) : null;
  return producer && stepOf(module, producer);
};

export function stepOf(module: Module, node: Node): Step | null {
  const types = node.inputs.map(id => (id === null ? null : typeIn(module, id)));
  const expression = opOf(node).scalar?.({attrs: node.attrs, inputs: types});
  if (expression?.kind !== 'call') return null;
  const args = expression.args.map((arg): Operand | null => {
    if (arg.kind === 'lit') return {number: arg.value};
    const id = arg.kind === 'arg' ? node.inputs[arg.index] : null;
    return id == null ? null : (numberOf(module, id) ?? id);
  });
  return args.every(arg => arg !== null) ? {fn: expression.fn, args} : null;
}

function numberOf({graph}: Module, id: ValueId): Operand | null {
  const constant = constantOf(graph, id);
  if (!constant || elements(constant.value.type.shape) !== 1) return null;
  const {dtype, shape} = constant.value.type;
  return {number: numberAt(tensorOf(dtype, shape, constant.blob.bytes), 0)};
}

export const isNumber = (operand: Operand | undefined, number: number): boolean =>
  operand !== undefined && !isValue(operand) && operand.number === number;

/** The operands of a function, both ways round where the order means nothing; none for other functions. */
export function pairsOf(step: Step | null, fn: 'add' | 'mul'): readonly (readonly [Operand, Operand])[] {
  if (step?.fn !== fn) return [];
  const [a, b] = step.args as [Operand, Operand];
  return [
    [a, b],
    [b, a],
  ];
}

/** A fold of this kind that leaves axes of 1. */
export function foldOf(module: Module, id: Operand, kind: ReduceAttrs['kind']): {x: ValueId; axes: readonly number[]} | null {
  const node = isValue(id) ? producerOf(module.graph, id) : null;
  if (!node || !isOp(node, reduce) || node.attrs.kind !== kind || !node.attrs.keep) return null;
  return {x: node.inputs[0]!, axes: node.attrs.axes};
}

/** a of a * a or a ** 2 */
export function squaredOf(module: Module, id: ValueId): ValueId | null {
  const step = stepAt(module, id);
  const [a, b] = step?.args ?? [];
  if (!isValue(a)) return null;
  return (step?.fn === 'mul' && a === b) || (step?.fn === 'pow' && isNumber(b, 2)) ? a : null;
}
