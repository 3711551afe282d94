/** Bytes are moved as they are: real numbers are made of them behind what moves elements, and rounded to them before they are joined. */
import {constantOf, onlyUser, producerOf, valueAt} from '../../ir/graph.js';
import {isOp} from '../../ir/op.js';
import {concat} from '../../ir/ops/concat/index.js';
import {opOf} from '../../ir/ops/index.js';
import {map} from '../../ir/ops/map/index.js';
import {reshape} from '../../ir/ops/reshape/index.js';
import {slice} from '../../ir/ops/slice/index.js';
import {transpose} from '../../ir/ops/transpose/index.js';
import type {Scalar} from '../../ir/scalar/expression.js';
import {printScalar} from '../../ir/scalar/text.js';
import type {Module, Node, Value, ValueId} from '../../ir/types.js';
import type {Rule} from '../framework/fixpoint.js';
import {simplifiedScalar} from './bytes.js';

const moves = (node: Node): boolean => isOp(node, reshape) || isOp(node, transpose) || isOp(node, slice);

/** f of one tensor and numbers. */
function functionOf(node: Node | null, {graph}: Module): {readonly expression: Scalar; readonly x: Value} | null {
  const found = node && simplifiedScalar(node, graph);
  const [x, another] = found?.operands ?? [];
  return found && x && !another && String(x.type.shape) === String(node.outputs[0].type.shape)
    ? {expression: found.expression, x}
    : null;
}

/** Whether a value is made of bytes, element by element. */
function isOfBytes(module: Module, id: ValueId): boolean {
  const made = functionOf(producerOf(module.graph, id), module);
  return made !== null && (made.x.type.dtype === 'u8' || (made.x.type.dtype === 'f32' && isOfBytes(module, made.x.id)));
}

export const movers: readonly Rule[] = [
  {
    // move(f(bytes)) -> f(move(bytes))
    name: 'moved-bytes',
    apply(node, module, edit) {
      const [id] = node.inputs;
      if (!moves(node) || id == null || valueAt(module.graph, id).type.dtype !== 'f32' || !isOfBytes(module, id)) return false;
      const {expression, x} = functionOf(producerOf(module.graph, id), module)!;
      const build = edit.before(node);
      const [moved] = build.emit(opOf(node), [x], node.attrs);
      edit.redirect(node.outputs[0].id, build.emit(map, [moved!], {expression: printScalar(expression)})[0]);
      return true;
    },
  },
  {
    // u8(f(concat(a, b))) -> concat(u8(f(a)), u8(f(b))), where f alone reads it
    name: 'joined-bytes',
    apply(node, module, edit) {
      const rounding = node.outputs[0].type.dtype === 'u8' ? functionOf(node, module) : null;
      const joined = rounding && producerOf(module.graph, rounding.x.id);
      if (!rounding || !joined || !isOp(joined, concat) || onlyUser(module, rounding.x.id) !== node) return false;
      if (joined.inputs.some(id => constantOf(module.graph, id!))) return false;
      const build = edit.before(node, joined);
      const expression = printScalar(rounding.expression);
      const parts = joined.inputs.map(id => build.emit(map, [valueAt(module.graph, id!)], {expression})[0]);
      edit.redirect(node.outputs[0].id, build.emit(concat, parts, joined.attrs)[0]);
      return true;
    },
  },
];
