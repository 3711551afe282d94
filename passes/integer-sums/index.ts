/** Convolutions and products of quantized operands sum whole numbers, without error; their scales come after the sum. */
import type {Editor} from '../../ir/edit.js';
import {constantOf, onlyUser, producerOf, valueAt} from '../../ir/graph.js';
import {isOp} from '../../ir/op.js';
import {avgpool} from '../../ir/ops/avgpool/index.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {dequantize} from '../../ir/ops/dequantize/index.js';
import {cast, clip, div, mul, relu, sub} from '../../ir/ops/elementwise/index.js';
import {matmul} from '../../ir/ops/matmul/index.js';
import {maxpool} from '../../ir/ops/maxpool/index.js';
import {quantize} from '../../ir/ops/quantize/index.js';
import {reshape} from '../../ir/ops/reshape/index.js';
import {transpose} from '../../ir/ops/transpose/index.js';
import {elements, numbersOf, tensorFrom, tensorOfConstant} from '../../ir/tensor.js';
import type {Graph, Module, Node, Value, ValueId} from '../../ir/types.js';
import {type Rule, rewriteToFixpoint} from '../framework/fixpoint.js';
import {definePass} from '../framework/pass.js';

export const integerSums = definePass({
  name: 'integer-sums',
  summary: 'sums of quantized operands are sums of whole numbers; scales come after',
  requires: [],
  establishes: [],
  breaks: [],
  // A scale after the sum instead of within it.
  tolerance: 1e-5,
  stats: {scaled: 'convolutions and products whose scales moved behind them'},
  run: (module, context) => rewriteToFixpoint(module, 'integer-sums', rules, context, 'scaled'),
});

type Builder = ReturnType<Editor['before']>;

/** What stands for `whole * scale`. */
type Scaled = {readonly whole: Value; readonly scale: Value; readonly isConstant: boolean};

const rules: readonly Rule[] = [
  {
    // dequantize(q, s, z) -> (q - z) s: one tensor of whole numbers serves all readers
    name: 'apart',
    apply(node, {graph}, edit) {
      if (!isOp(node, dequantize) || node.outputs[0].type.dtype !== 'f32') return false;
      const [q, scale, zero] = node.inputs.map(id => valueAt(graph, id!)) as [Value, Value, Value];
      // Sums of wider integers are not exact in f32.
      if (!['i8', 'u8', 'i4', 'u4'].includes(q.type.dtype)) return false;
      const build = edit.before(node);
      const [number] = build.emit(cast, [q], {to: 'f32'});
      const [whole] = build.emit(sub, [number, zero], {});
      edit.redirect(node.outputs[0].id, build.emit(mul, [whole, scale], {})[0]);
      return true;
    },
  },
  {
    // conv2d((q - z) s, (w - y) t, b) -> conv2d(q - z, w - y, b / (s t)) s t
    name: 'convolution',
    apply(node, module, edit) {
      if (!isOp(node, conv2d) || node.attrs.epilogue !== '') return false;
      const [x, w, b] = node.inputs;
      const [image, weights] = [scaled(module.graph, x), scaled(module.graph, w)];
      if (!image || !weights?.isConstant || elements(image.scale.type.shape) !== 1) return false;
      const outputs = weights.whole.type.shape[0]!;
      const count = elements(weights.scale.type.shape);
      if (count !== 1 && count !== outputs) return false;
      const build = edit.before(node);
      const scale = (shape: readonly number[]): Value => {
        const [own] = build.emit(reshape, [weights.scale], {shape: count === 1 ? [] : [...shape]});
        const [common] = build.emit(reshape, [image.scale], {shape: []});
        return build.emit(mul, [own, common], {})[0];
      };
      const own = numbersBehind(module.graph, weights.scale.id);
      const common = numbersBehind(module.graph, image.scale.id)?.[0];
      const products = own && common !== undefined ? own.map(value => value * common) : null;
      const bias = b == null ? [] : [wholeBias(valueAt(module.graph, b), scale([outputs]), products, module, build)];
      const [sum] = build.emit(conv2d, [image.whole, weights.whole, ...bias], node.attrs);
      edit.redirect(node.outputs[0].id, build.emit(mul, [sum, scale([outputs, 1, 1])], {})[0]);
      return true;
    },
  },
  {
    // ((q - z) s) . ((w - y) t) -> ((q - z) . (w - y)) s t, where t has one value, or one for each column
    name: 'product',
    apply(node, module, edit) {
      if (!isOp(node, matmul)) return false;
      const [x, w] = node.inputs;
      const turned = w == null ? null : producerOf(module.graph, w);
      const perm = turned && isOp(turned, transpose) && String(turned.attrs.perm) === '1,0' ? turned : null;
      const [rows, columns] = [scaled(module.graph, x), scaled(module.graph, perm ? perm.inputs[0] : w)];
      if (!rows || !columns?.isConstant || elements(rows.scale.type.shape) !== 1) return false;
      const along = columns.whole.type.shape[perm ? 0 : 1];
      const {shape} = columns.scale.type;
      // One number for each column stands on the axis of columns, which may be its only one.
      const ofColumns = perm ? (shape.length === 2 ? shape[0] : undefined) : shape.at(-1);
      const isPerColumn = elements(shape) === along && ofColumns === along;
      if (columns.whole.type.shape.length !== 2 || !(elements(shape) === 1 || isPerColumn)) return false;
      const build = edit.before(node);
      const right = perm ? build.emit(transpose, [columns.whole], {perm: [1, 0]})[0] : columns.whole;
      const [sum] = build.emit(matmul, [rows.whole, right], node.attrs);
      const [own] = build.emit(reshape, [columns.scale], {shape: elements(shape) === 1 ? [] : [along!]});
      const [common] = build.emit(reshape, [rows.scale], {shape: []});
      edit.redirect(node.outputs[0].id, build.emit(mul, [sum, build.emit(mul, [own, common], {})[0]], {})[0]);
      return true;
    },
  },
  {
    // pool(x s) -> pool(x) s: a mean of whole numbers is exact where it lies between two steps
    name: 'pool',
    apply(node, module, edit) {
      if (!isOp(node, avgpool) && !isOp(node, maxpool)) return false;
      const image = scaled(module.graph, node.inputs[0]);
      if (!image || elements(image.scale.type.shape) !== 1) return false;
      const build = edit.before(node);
      const [pooled] = isOp(node, avgpool)
        ? build.emit(avgpool, [image.whole], node.attrs)
        : build.emit(maxpool, [image.whole], node.attrs);
      const [scale] = build.emit(reshape, [image.scale], {shape: []});
      edit.redirect(node.outputs[0].id, build.emit(mul, [pooled, scale], {})[0]);
      return true;
    },
  },
  {
    // quantize(f(sum m), s) -> quantize(f(sum (m / s)), 1) for f = nothing, relu or clip: one multiplication, as onnxruntime has it
    name: 'one-multiplier',
    apply(node, module, edit) {
      if (!isOp(node, quantize)) return false;
      const [x, scale, zero] = node.inputs;
      const steps = numbersBehind(module.graph, scale!);
      const size = steps?.length === 1 ? steps[0]! : null;
      const between = producerOf(module.graph, x!);
      const bounds = between && boundsOf(between);
      const product = bounds ? producerOf(module.graph, between.inputs[0]!) : between;
      if (size === null || size <= 0 || size === 1 || !product || !isOp(product, mul)) return false;
      const [sum, multiplier] = product.inputs;
      if (!isWholeSum(module.graph, sum!) || !isConstant(module.graph, multiplier!)) return false;
      if (onlyUser(module, x!) !== node || (bounds && onlyUser(module, product.outputs[0].id) !== between)) return false;
      const build = edit.before(node);
      const [ratio] = build.emit(div, [valueAt(module.graph, multiplier!), valueAt(module.graph, scale!)], {});
      const [scaled] = build.emit(mul, [valueAt(module.graph, sum!), ratio], {});
      const kept = bounds ? build.emit(clip, [scaled], {low: bounds.low / size, high: bounds.high / size})[0] : scaled;
      const one = build.literal(tensorFrom('f32', [], [1]));
      const [result] = build.emit(quantize, [kept, one, valueAt(module.graph, zero!)], node.attrs);
      edit.redirect(node.outputs[0].id, result);
      return true;
    },
  },
];

/** What an activation keeps its operand between; null where it does something else. */
function boundsOf(node: Node): {readonly low: number; readonly high: number} | null {
  if (isOp(node, clip)) return node.attrs;
  return node.op === relu.name ? {low: 0, high: Number.POSITIVE_INFINITY} : null;
}

/** Whether a value is a sum, or a pool, that the rules above have taken the scales out of. */
function isWholeSum(graph: Graph, id: ValueId): boolean {
  const node = producerOf(graph, id);
  if (node && (isOp(node, avgpool) || isOp(node, maxpool))) return true;
  if (!node || !(isOp(node, conv2d) || isOp(node, matmul))) return false;
  const weights = producerOf(graph, node.inputs[1]!);
  const plain = weights && isOp(weights, transpose) ? producerOf(graph, weights.inputs[0]!) : weights;
  return plain !== null && isOp(plain, sub) && isConstant(graph, plain.outputs[0].id);
}

/** `mul(sub(cast(q), z), s)` with constants z and s, as the first rule leaves it. */
function scaled(graph: Graph, id: ValueId | null | undefined): Scaled | null {
  const product = id == null ? null : producerOf(graph, id);
  const difference = product && isOp(product, mul) ? producerOf(graph, product.inputs[0]!) : null;
  const number = difference && isOp(difference, sub) ? producerOf(graph, difference.inputs[0]!) : null;
  if (!product || !difference || !number || !isOp(number, cast)) return null;
  const [q, zero, scale] = [number.inputs[0]!, difference.inputs[1]!, product.inputs[1]!];
  if (!['i8', 'u8', 'i4', 'u4'].includes(valueAt(graph, q).type.dtype)) return null;
  if (!isConstant(graph, scale) || !isConstant(graph, zero)) return null;
  return {whole: difference.outputs[0], scale: valueAt(graph, scale), isConstant: isConstant(graph, q)};
}

/** Whether a value follows from constants alone. */
function isConstant(graph: Graph, id: ValueId): boolean {
  if (constantOf(graph, id)) return true;
  const node = producerOf(graph, id);
  return node?.inputs.every(input => input === null || isConstant(graph, input)) ?? false;
}

/** b / scale: of a quantized bias, whose own scale is the product of the others but for a rounding, the whole numbers themselves. */
function wholeBias(b: Value, scale: Value, product: readonly number[] | null, {graph}: Module, build: Builder): Value {
  const node = producerOf(graph, b.id);
  if (!node || !isOp(node, dequantize)) return build.emit(div, [b, scale], {})[0];
  const [q, own, zero] = node.inputs.map(id => valueAt(graph, id!)) as [Value, Value, Value];
  const [whole] = build.emit(sub, [build.emit(cast, [q], {to: 'f32'})[0], zero], {});
  const its = numbersBehind(graph, own.id);
  const isProduct = its?.every((value, c) => Math.abs(value / (product?.[c % product.length] ?? Number.NaN) - 1) < 1e-5);
  return isProduct ? whole : build.emit(mul, [whole, build.emit(div, [own, scale], {})[0]], {})[0];
}

/** The numbers of a constant, seen through reshapes; null of anything else. */
function numbersBehind(graph: Graph, id: ValueId): readonly number[] | null {
  const constant = constantOf(graph, id);
  if (constant) return numbersOf(tensorOfConstant(constant));
  const node = producerOf(graph, id);
  return node && isOp(node, reshape) ? numbersBehind(graph, node.inputs[0]!) : null;
}
