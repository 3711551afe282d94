/** Softmax and its logarithm as exponentials, sums and quotients. */
import {softmax} from '../../ir/ops/softmax/index.js';
import type {Module, Node, ValueId} from '../../ir/types.js';
import type {Rule} from '../framework/fixpoint.js';
import {foldOf, isNumber, isValue, type Operand, pairsOf, stepAt, stepOf, typeIn, valueIn} from './step.js';

export const softmaxes: readonly Rule[] = [
  {
    // exp(z) / sum(exp(z)) and exp(z) * (1 / sum(exp(z))) -> softmax(z); z - log(sum(exp(z))) -> softmax(z) {log}
    name: 'softmax',
    apply(node, module, edit) {
      const found = softmaxOf(node, module);
      if (!found) return false;
      const {dtype, shape} = typeIn(module, found.x);
      if ((dtype !== 'f32' && dtype !== 'f64') || String(shape) !== String(node.outputs[0].type.shape)) return false;
      const {axis, log} = found;
      edit.redirect(node.outputs[0].id, edit.before(node).emit(softmax, [valueIn(module, found.x)], {axis, log})[0]);
      return true;
    },
  },
];

type Found = {readonly x: ValueId; readonly axis: number; readonly log: boolean};

function softmaxOf(node: Node, module: Module): Found | null {
  const step = stepOf(module, node);
  const [a, b] = step?.args ?? [];
  if (step?.fn === 'div') return quotient(a, b, module);
  if (step?.fn === 'sub') return logarithm(a, b, module);
  for (const [power, inverse] of pairsOf(step, 'mul')) {
    const one = stepAt(module, inverse);
    const found = one?.fn === 'div' && isNumber(one.args[0], 1) ? quotient(power, one.args[1], module) : null;
    if (found) return found;
  }
  return null;
}

function quotient(power: Operand | undefined, sum: Operand | undefined, module: Module): Found | null {
  const axis = sumAxis(sum, power, module);
  const exponential = stepAt(module, power);
  const [z] = exponential?.args ?? [];
  return axis !== null && exponential?.fn === 'exp' && isValue(z) ? {x: unshifted(z, axis, module), axis, log: false} : null;
}

function logarithm(z: Operand | undefined, log: Operand | undefined, module: Module): Found | null {
  const [sum] = stepAt(module, log)?.fn === 'log' ? stepAt(module, log)!.args : [];
  const fold = sum === undefined ? null : foldOf(module, sum, 'sum');
  const exponential = fold && stepAt(module, fold.x);
  const axis = sumAxis(sum, fold?.x, module);
  if (axis === null || !isValue(z) || exponential?.fn !== 'exp' || exponential.args[0] !== z) return null;
  return {x: unshifted(z, axis, module), axis, log: true};
}

/** The axis along which `sum` adds up `power`. */
function sumAxis(sum: Operand | undefined, power: Operand | undefined, module: Module): number | null {
  const fold = sum === undefined ? null : foldOf(module, sum, 'sum');
  return fold?.axes.length === 1 && fold.x === power ? fold.axes[0]! : null;
}

/** x of z = x - max(x): the maximum changes nothing, and softmax takes one of its own. */
function unshifted(z: ValueId, axis: number, module: Module): ValueId {
  const step = stepAt(module, z);
  const [x, high] = step?.args ?? [];
  const fold = step?.fn === 'sub' && isValue(high) ? foldOf(module, high, 'max') : null;
  return isValue(x) && fold?.x === x && String(fold.axes) === `${axis}` ? x : z;
}
