/**
 * Element-wise steps join: a chain becomes one `map`, and what alone reads a convolution, linear layer or matrix product
 * becomes its epilogue, applied while the result is still in a register (activation, residual addition, scale).
 */
import type {Editor} from '../../ir/edit.js';
import {onlyUser, producerOf, singleNumber, valueAt} from '../../ir/graph.js';
import {isOp} from '../../ir/op.js';
import {type EpilogueAttrs, epilogueOf} from '../../ir/ops/common/epilogue.js';
import {evenRows} from '../../ir/ops/common/linear.js';
import {firstExtra} from '../../ir/ops/common/weights.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {type Conv2dU8Attrs, conv2dU8} from '../../ir/ops/conv2d_u8/index.js';
import {opOf} from '../../ir/ops/index.js';
import {linear} from '../../ir/ops/linear/index.js';
import {linearU8} from '../../ir/ops/linear_u8/index.js';
import {map} from '../../ir/ops/map/index.js';
import {foldsToTwo, matmul} from '../../ir/ops/matmul/index.js';
import {arg, lit, type Scalar, sizeOfScalar, substitute, typeOfScalar} from '../../ir/scalar/expression.js';
import {printScalar} from '../../ir/scalar/text.js';
import {simplify} from '../../ir/simplify.js';
import type {Module, Node, ValueId} from '../../ir/types.js';
import {isVector, vectorForm} from '../../ir/vector.js';
import {type Rule, rewriteToFixpoint} from '../framework/fixpoint.js';
import {definePass} from '../framework/pass.js';

export const fuse = definePass({
  name: 'fuse',
  summary: 'element-wise chains become one map, or the epilogue of what they alone read',
  requires: ['batchnorm-folded', 'unique'],
  establishes: ['fused'],
  breaks: ['unique'],
  tolerance: null,
  stats: {fused: 'element-wise nodes that joined another node'},
  run: (module, context) =>
    rewriteToFixpoint(module, 'fuse', [inlineConstants, intoEpilogue, joinMaps, readBytes], context, 'fused'),
});

/** Larger expressions are left alone: every use of an argument repeats its subexpression in the text. */
const largestExpression = 64;
const mostOperands = 6;
const mostExtras = 2;

/** The meaning of an element-wise node over its own operands; null for every other op. */
function scalarOf(node: Node, {graph}: Module): Scalar | null {
  const inputs = node.inputs.map(id => (id === null ? null : valueAt(graph, id).type));
  return opOf(node).scalar?.({attrs: node.attrs, inputs}) ?? null;
}

const shapeText = (module: Module, id: ValueId): string => String(valueAt(module.graph, id).type.shape);

/** f(x, constant of one element) -> f'(x): the number goes into the expression. */
const inlineConstants: Rule = {
  name: 'inline-constants',
  apply(node, module, edit) {
    const scalar = scalarOf(node, module);
    if (!scalar) return false;
    const {type} = node.outputs[0];
    const values = node.inputs.map(id => (id === null ? null : singleNumber(module.graph, id)));
    const kept = node.inputs.flatMap((id, i) => (values[i] === null && id !== null ? [id] : []));
    // The remaining operands must still give the shape and the types.
    if (kept.length === node.inputs.length || !kept.some(id => shapeText(module, id) === String(type.shape))) return false;
    const expression = substitute(scalar, i => (values[i] == null ? arg(kept.indexOf(node.inputs[i]!)) : lit(values[i])));
    const types = kept.map(id => valueAt(module.graph, id).type.dtype);
    // Numbers alone have no type: what they stand in must be real arithmetic without them, rounded to an integer at most.
    const inside = expression.kind === 'cast' ? expression.arg : expression;
    if (typeOfScalar(expression, types) !== type.dtype || typeOfScalar(inside, types) !== 'f32') return false;
    emitMap(node, [node], expression, kept, module, edit);
    return true;
  },
};

/** f(g(x, ...), ...) -> (f o g)(x, ...), where f alone reads g and both have one shape */
const joinMaps: Rule = {
  name: 'join-maps',
  apply(node, module, edit) {
    const outer = scalarOf(node, module);
    if (!outer) return false;
    for (const id of node.inputs) {
      const producer = id === null ? null : producerOf(module.graph, id);
      const inner = producer && scalarOf(producer, module);
      if (id === null || !inner || onlyUser(module, id) !== node || shapeText(module, id) !== String(node.outputs[0].type.shape))
        continue;
      if (becomesBytes(id, module) && !becomesBytes(node.outputs[0].id, module)) continue;
      const operands = [
        ...new Set([...node.inputs.filter(other => other !== id), ...producer.inputs].filter(other => other !== null)),
      ];
      if (operands.length > mostOperands) continue;
      const place = (of: Node) => (i: number) => arg(operands.indexOf(of.inputs[i]!));
      const expression = substitute(outer, i => (node.inputs[i] === id ? substitute(inner, place(producer)) : place(node)(i)));
      if (sizeOfScalar(expression) > largestExpression) continue;
      emitMap(node, [producer, node], expression, operands, module, edit);
      return true;
    }
    return false;
  },
};

/** Whether a value is made from sums of bytes, element by element, and rounded to bytes: it will leave their kernel so. */
function becomesBytes(id: ValueId, module: Module): boolean {
  const {graph} = module;
  const ofSums = (from: ValueId): boolean => {
    const producer = producerOf(graph, from);
    if (!producer || shapeText(module, from) !== shapeText(module, id)) return false;
    if (sumsBytes(producer)) return producer.outputs[0].type.dtype === 'f32';
    return (
      valueAt(graph, from).type.dtype === 'f32' &&
      scalarOf(producer, module) !== null &&
      producer.inputs.some(x => x !== null && ofSums(x))
    );
  };
  const producer = producerOf(graph, id);
  return valueAt(graph, id).type.dtype === 'u8' && producer !== null && producer.inputs.some(x => x !== null && ofSums(x));
}

function emitMap(
  node: Node,
  from: readonly Node[],
  expression: Scalar,
  operands: readonly ValueId[],
  module: Module,
  edit: Editor,
): void {
  const [first, ...rest] = from;
  const inputs = operands.map(id => valueAt(module.graph, id));
  const build = edit.before(node, ...[first!, ...rest].filter(other => other !== node));
  const simple = simplify(
    expression,
    inputs.map(({type}) => type.dtype),
  );
  const same = simple.kind === 'arg' ? inputs[simple.index] : null;
  edit.redirect(node.outputs[0].id, same ?? build.emit(map, inputs, {expression: printScalar(simple)})[0]);
}

/** f(conv(...), extras) -> conv(..., extras) {epilogue = f} */
const intoEpilogue: Rule = {
  name: 'into-epilogue',
  apply(node, module, edit) {
    const outer = scalarOf(node, module);
    const wanted = node.outputs[0].type.dtype;
    if (!outer || (wanted !== 'f32' && wanted !== 'u8')) return false;
    // The last producer takes the step: what the others make is there by then.
    const candidates = [...new Set(node.inputs)].filter(id => id !== null).sort((a, b) => b - a);
    for (const id of candidates) {
      const producer = producerOf(module.graph, id);
      if (!producer || onlyUser(module, id) !== node || shapeText(module, id) !== String(node.outputs[0].type.shape)) continue;
      const ofBytes = sumsBytes(producer);
      if (!(ofBytes || isOp(producer, conv2d) || isOp(producer, linear) || isOp(producer, matmul))) continue;
      // What is bytes already stays bytes: a quarter of the memory.
      if (producer.outputs[0].type.dtype !== 'f32' && wanted !== 'u8') continue;
      const first = isOp(producer, matmul) ? 2 : ofBytes ? 3 : firstExtra(producer);
      const extras = [...new Set([...producer.inputs.slice(first), ...node.inputs.filter(other => other !== id)])].filter(
        other => other !== null,
      );
      const own = Array.from({length: first}, (_, i) => producer.inputs[i] ?? null);
      if (extras.length > mostExtras || !extras.every(extra => fits(extra, producer, module))) continue;
      const place = (of: Node) => (i: number) => arg(1 + extras.indexOf(of.inputs[i]!));
      const inner = substitute(epilogueOf(producer.attrs), i =>
        i === 0 ? arg(0) : arg(1 + extras.indexOf(producer.inputs[first + i - 1]!)),
      );
      const types = ['f32' as const, ...extras.map(extra => valueAt(module.graph, extra).type.dtype)];
      const expression = simplify(
        substitute(outer, i => (node.inputs[i] === id ? inner : place(node)(i))),
        types,
      );
      if (sizeOfScalar(expression) > largestExpression) continue;
      const attrs = {...producer.attrs, epilogue: printScalar(expression)};
      if (ofBytes ? vectorForm(expression, types) === null : !isVector(expression)) continue;
      if (wanted === 'f32') {
        edit.update(producer, {attrs, inputs: [...own, ...extras]}, node);
        edit.redirect(node.outputs[0].id, producer.outputs[0]);
        return true;
      }
      const operands = [...own, ...extras].map(operand => (operand === null ? null : valueAt(module.graph, operand)));
      edit.redirect(node.outputs[0].id, edit.before(node, producer).emit(opOf(producer), operands, attrs)[0]);
      return true;
    }
    return false;
  },
};

/** conv2d_u8(.., f(bytes)) {g} -> conv2d_u8(.., bytes) {g o f}: an extra operand is read as it lies, by each of its readers: f32 takes four times the room. */
const readBytes: Rule = {
  name: 'read-bytes',
  apply(node, module, edit) {
    if (!sumsBytes(node)) return false;
    for (const [at, id] of node.inputs.entries()) {
      const producer = at < 3 || id === null ? null : producerOf(module.graph, id);
      const inner = producer && scalarOf(producer, module);
      const [bytes, ...others] = producer?.inputs ?? [];
      if (id === null || !producer || !inner || bytes == null || others.length > 0) continue;
      if (valueAt(module.graph, bytes).type.dtype !== 'u8') continue;
      const inputs = node.inputs.with(at, bytes);
      const expression = substitute(epilogueOf(node.attrs), i => (i === at - 2 ? substitute(inner, () => arg(i)) : arg(i)));
      const types = ['f32' as const, ...inputs.slice(3).map(extra => valueAt(module.graph, extra!).type.dtype)];
      if (vectorForm(expression, types) === null || sizeOfScalar(expression) > largestExpression) continue;
      edit.update(node, {attrs: {...node.attrs, epilogue: printScalar(simplify(expression, types))}, inputs}, producer);
      return true;
    }
    return false;
  },
};

/** Whether a node's kernel sums products of bytes. */
const sumsBytes = (node: Node): node is Node<Conv2dU8Attrs> | Node<EpilogueAttrs> => isOp(node, conv2dU8) || isOp(node, linearU8);

/** Whether a kernel can read an operand along with its results. */
function fits(extra: ValueId, producer: Node, module: Module): boolean {
  const {dtype, shape} = valueAt(module.graph, extra).type;
  if (dtype !== 'f32' && !(sumsBytes(producer) && dtype === 'u8')) return false;
  const result = producer.outputs[0].type.shape;
  if (isOp(producer, linear) || isOp(producer, linearU8)) return evenRows(shape, result);
  const operands = producer.inputs.map(id => (id === null ? [] : valueAt(module.graph, id).type.shape));
  return !isOp(producer, matmul) || foldsToTwo(result, [...operands, shape]);
}
