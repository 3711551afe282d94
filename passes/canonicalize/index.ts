/** One spelling per meaning, so that later passes match once. */
import {constantOf, isHeadOutput, onlyUser, producerOf, valueAt} from '../../ir/graph.js';
import {type Builder, isOp} from '../../ir/op.js';
import {concat} from '../../ir/ops/concat/index.js';
import {cast} from '../../ir/ops/elementwise/index.js';
import {opOf} from '../../ir/ops/index.js';
import {linear} from '../../ir/ops/linear/index.js';
import {matmul} from '../../ir/ops/matmul/index.js';
import {reshape} from '../../ir/ops/reshape/index.js';
import {transpose} from '../../ir/ops/transpose/index.js';
import {tensorOf} from '../../ir/tensor.js';
import type {Module, TensorType, Value, ValueId} from '../../ir/types.js';
import {type Rule, rewriteToFixpoint} from '../framework/fixpoint.js';
import {definePass} from '../framework/pass.js';

export const canonicalize = definePass({
  name: 'canonicalize',
  summary: 'one spelling per meaning',
  requires: ['constants-folded'],
  establishes: ['canonical'],
  breaks: [],
  // A matrix product by a constant becomes `linear`: the same sums in the same order.
  tolerance: null,
  stats: {rewrites: 'rules that fired'},
  run: (module, context) => rewriteToFixpoint(module, 'canonicalize', rules, context, 'rewrites'),
});

const typeOf = (module: Module, id: ValueId): TensorType => valueAt(module.graph, id).type;

/** The sizes other than 1. */
const longAxes = (shape: readonly number[]): readonly number[] => shape.filter(size => size !== 1);

/** A shape that broadcasts to `whole`, among the axes of `narrow`, which has the same axes but for some of 1. */
function sameAxes(shape: readonly number[], whole: readonly number[], narrow: readonly number[]): readonly number[] {
  const padded = [...whole.map(() => 1).slice(shape.length), ...shape];
  const long = padded.filter((_, axis) => whole[axis] !== 1);
  let next = 0;
  return narrow.map(size => (size === 1 ? 1 : long[next++]!));
}

/** The value under another shape without a new reshape: as it is, what a reshape was given, or another constant. Else null. */
function reshaped(build: Builder, {graph}: Module, id: ValueId, shape: readonly number[]): Value | null {
  const value = valueAt(graph, id);
  const has = (other: Value): boolean => String(other.type.shape) === String(shape);
  if (has(value)) return value;
  const constant = constantOf(graph, id);
  if (constant) return build.literal(tensorOf(value.type.dtype, shape, constant.blob.bytes), value.name);
  const producer = producerOf(graph, id);
  const given = producer && isOp(producer, reshape) ? valueAt(graph, producer.inputs[0]!) : null;
  return given && has(given) ? given : null;
}

const rules: readonly Rule[] = [
  {
    // reshape(x, shape of x) -> x; transpose by the identity -> x; cast to x's own type -> x; concat(x) -> x
    name: 'drop-identity',
    apply(node, {graph}, edit) {
      const [input] = node.inputs;
      if (input == null) return false;
      const x = valueAt(graph, input);
      const idle =
        (isOp(node, reshape) && String(node.attrs.shape) === String(x.type.shape)) ||
        (isOp(node, transpose) && node.attrs.perm.every((axis, i) => axis === i)) ||
        (isOp(node, cast) && node.attrs.to === x.type.dtype) ||
        (isOp(node, concat) && node.inputs.length === 1);
      if (idle) edit.redirect(node.outputs[0].id, x);
      return idle;
    },
  },
  {
    // concat(x, nothing, y) -> concat(x, y)
    name: 'drop-empty-parts',
    apply(node, module, edit) {
      if (!isOp(node, concat)) return false;
      const kept = node.inputs.filter(id => id !== null && !typeOf(module, id).shape.includes(0));
      if (kept.length === node.inputs.length || kept.length === 0) return false;
      edit.update(node, {inputs: kept});
      return true;
    },
  },
  {
    // reshape(reshape(x)) -> reshape(x)
    name: 'merge-reshapes',
    apply(node, {graph}, edit) {
      if (!isOp(node, reshape) || node.inputs[0] == null) return false;
      const inner = producerOf(graph, node.inputs[0]);
      if (!inner || !isOp(inner, reshape)) return false;
      edit.update(node, {inputs: inner.inputs});
      return true;
    },
  },
  {
    // f(reshape(x), k) -> reshape(f(x, reshape(k))), where the reshapes only add or drop axes of 1: f then meets what made x
    name: 'step-before-axes-of-one',
    apply(node, module, edit) {
      const {graph} = module;
      const [output] = node.outputs;
      const inputs = node.inputs.filter(id => id !== null);
      if (!opOf(node).scalar || inputs.length !== node.inputs.length || isHeadOutput(module, output.id)) return false;
      for (const id of inputs) {
        const inner = producerOf(graph, id);
        if (!inner || !isOp(inner, reshape) || onlyUser(module, id) !== node) continue;
        const [whole, narrow] = [typeOf(module, id).shape, typeOf(module, inner.inputs[0]!).shape];
        if (String(whole) !== String(output.type.shape) || String(longAxes(whole)) !== String(longAxes(narrow))) continue;
        const build = edit.before(node, inner);
        const operands = inputs.map(other =>
          reshaped(build, module, other, other === id ? narrow : sameAxes(typeOf(module, other).shape, whole, narrow)),
        );
        // A reshape of another operand would move in front of the step in its turn, and so on.
        if (!operands.every(operand => operand !== null)) continue;
        const [y] = build.emit(opOf(node), operands, node.attrs);
        edit.redirect(output.id, build.emit(reshape, [y], {shape: whole})[0]);
        return true;
      }
      return false;
    },
  },
  {
    // transpose(transpose(x, p), q) -> transpose(x, p[q])
    name: 'merge-transposes',
    apply(node, {graph}, edit) {
      if (!isOp(node, transpose) || node.inputs[0] == null) return false;
      const inner = producerOf(graph, node.inputs[0]);
      if (!inner || !isOp(inner, transpose)) return false;
      edit.update(node, {inputs: inner.inputs, attrs: {perm: node.attrs.perm.map(axis => inner.attrs.perm[axis]!)}});
      return true;
    },
  },
  {
    // a transposition that moves no axis longer than 1 past another -> reshape
    name: 'transpose-to-reshape',
    apply(node, module, edit) {
      if (!isOp(node, transpose)) return false;
      const {shape} = typeOf(module, node.inputs[0]!);
      const long = node.attrs.perm.filter(axis => shape[axis] !== 1);
      if (!long.every((axis, i) => i === 0 || axis > long[i - 1]!)) return false;
      const x = valueAt(module.graph, node.inputs[0]!);
      edit.redirect(node.outputs[0].id, edit.before(node).emit(reshape, [x], {shape: node.outputs[0].type.shape})[0]);
      return true;
    },
  },
  {
    // matmul(x, w) with constant w[k][n] -> linear(x, w^T)
    name: 'matmul-to-linear',
    apply(node, {graph}, edit) {
      if (!isOp(node, matmul) || node.inputs[0] == null || node.inputs[1] == null) return false;
      const constant = constantOf(graph, node.inputs[1]);
      const {type} = valueAt(graph, node.inputs[1]);
      if (!constant || type.shape.length !== 2) return false;
      const build = edit.before(node);
      const call = {attrs: {perm: [1, 0]}, inputs: [type]};
      const [turned] = transpose.evaluate(call, [tensorOf(type.dtype, type.shape, constant.blob.bytes)]);
      const w = build.literal(turned!, constant.value.name);
      const extras = node.inputs.slice(2).map(id => (id === null ? null : valueAt(graph, id)));
      const operands = [valueAt(graph, node.inputs[0]), w, ...(extras.length > 0 ? [null, ...extras] : [])];
      edit.redirect(node.outputs[0].id, build.emit(linear, operands, {epilogue: node.attrs.epilogue})[0]);
      return true;
    },
  },
];
