/**
 * Per-channel scaling and shifting after a convolution or linear layer goes into its weights and bias:
 * a * (w x + b) + d = (a w) x + (a b + d). Batch normalization is such a step with a = scale / sqrt(variance + epsilon).
 */
import type {Editor} from '../../ir/edit.js';
import {constantOf, onlyUser, producerOf, valueAt} from '../../ir/graph.js';
import {isOp} from '../../ir/op.js';
import {avgpool} from '../../ir/ops/avgpool/index.js';
import {batchnorm} from '../../ir/ops/batchnorm/index.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {add, cast, div, mul, sub} from '../../ir/ops/elementwise/index.js';
import {opOf} from '../../ir/ops/index.js';
import {linear} from '../../ir/ops/linear/index.js';
import {map} from '../../ir/ops/map/index.js';
import {maxpool} from '../../ir/ops/maxpool/index.js';
import {numberAt, type Tensor, tensorFrom, tensorOfConstant} from '../../ir/tensor.js';
import type {Graph, Module, Node, Value, ValueId} from '../../ir/types.js';
import {type Rule, rewriteToFixpoint} from '../framework/fixpoint.js';
import {definePass} from '../framework/pass.js';

export const foldBatchnorm = definePass({
  name: 'fold-batchnorm',
  summary: 'scaling and shifting after a convolution or linear layer goes into its weights',
  requires: ['canonical', 'constants-folded'],
  establishes: ['batchnorm-folded'],
  breaks: [],
  tolerance: 1e-5,
  stats: {folded: 'steps that went into weights'},
  run: (module, context) => rewriteToFixpoint(module, 'fold-batchnorm', rules, context, 'folded'),
});

/** y = a[c] * x + d[c]; `shifts` says that a is 1. */
type Affine = {readonly shifts?: true; readonly a: (c: number) => number; readonly d: (c: number) => number};

const rules: readonly Rule[] = [
  {
    // batchnorm(conv(x, w, b)) and conv(x, w, b) op constant -> conv(x, a w, a b + d)
    name: 'into-weights',
    apply(node, module, edit) {
      const found = affineOf(node, module);
      const producer = found && producerOf(module.graph, found.x);
      if (!found || !producer || onlyUser(module, found.x) !== node) return false;
      // A step that stretches the result of its layer is more than a bias.
      if (String(producer.outputs[0].type.shape) !== String(node.outputs[0].type.shape)) return false;
      if (!(isOp(producer, conv2d) || isOp(producer, linear)) || producer.attrs.epilogue !== '') return false;
      if (!found.affine.shifts && sumsWholeNumbers(producer, module)) return false;
      return fold(producer, node, found.affine, module, edit);
    },
  },
  {
    // batchnorm(x) elsewhere -> x * a + d
    name: 'to-scale-and-shift',
    apply(node, module, edit) {
      const found = isOp(node, batchnorm) ? affineOf(node, module) : null;
      if (!found) return false;
      const {type} = valueAt(module.graph, node.inputs[1]!);
      const channels = type.shape.reduce((n, d) => n * d, 1);
      const build = edit.before(node);
      const literal = (f: (c: number) => number) =>
        build.literal(
          tensorFrom(
            type.dtype,
            type.shape,
            Array.from({length: channels}, (_, c) => f(c)),
          ),
        );
      const operands = [valueAt(module.graph, found.x), literal(found.affine.a), literal(found.affine.d)];
      edit.redirect(node.outputs[0].id, build.emit(map, operands, {expression: 'add(mul(x0, x1), x2)'})[0]);
      return true;
    },
  },
];

/** Sums of quantized operands are exact, and would not be once a scale is in their weights; see *integer-sums*. */
function sumsWholeNumbers({inputs: [x, w]}: Node, {graph}: Module): boolean {
  const weights = constantOf(graph, w!);
  if (!weights || !comesFromIntegers(graph, x!)) return false;
  const {data} = tensorOfConstant(weights);
  return data.every((value: number | bigint) => Number.isInteger(Number(value)) && Math.abs(Number(value)) < 256);
}

/** Whether a value is a cast of small integers, less their zero point, moved or pooled. */
function comesFromIntegers(graph: Graph, id: ValueId): boolean {
  const node = producerOf(graph, id);
  if (!node) return false;
  if (isOp(node, cast)) return /^[iu]/.test(valueAt(graph, node.inputs[0]!).type.dtype);
  const keeps = isOp(node, sub) || opOf(node).view !== undefined || isOp(node, maxpool) || isOp(node, avgpool);
  return keeps && comesFromIntegers(graph, node.inputs[0]!);
}

function affineOf(node: Node, module: Module): {x: ValueId; affine: Affine} | null {
  const {graph} = module;
  const [first, second] = node.inputs;
  if (first == null || second == null) return null;
  const {shape} = node.outputs[0].type;
  const commutes = isOp(node, add) || isOp(node, mul);
  const x = constantOf(graph, first) && commutes ? second : first;
  const channel = (id: ValueId | null | undefined): ((c: number) => number) | null => {
    const constant = id == null ? null : constantOf(graph, id);
    return constant && perChannel(tensorOfConstant(constant), shape, axisOf(x, module));
  };
  const one = (): number => 1;
  const zero = (): number => 0;
  if (isOp(node, batchnorm)) {
    const [scale, shift, mean, variance] = node.inputs.slice(1).map(channel);
    if (!scale || !shift || !mean || !variance) return null;
    const a = (c: number): number => scale(c) / Math.sqrt(variance(c) + node.attrs.epsilon);
    return {x, affine: {a, d: c => shift(c) - mean(c) * a(c)}};
  }
  const k = channel(x === first ? second : first);
  if (!k) return null;
  if (isOp(node, add)) return {x, affine: {shifts: true, a: one, d: k}};
  if (isOp(node, sub)) return {x, affine: {shifts: true, a: one, d: c => -k(c)}};
  if (isOp(node, mul)) return {x, affine: {a: k, d: zero}};
  return isOp(node, div) ? {x, affine: {a: c => 1 / k(c), d: zero}} : null;
}

/** The channel axis of what a linear layer makes is the last, of everything else axis 1. */
function axisOf(id: ValueId, {graph}: Module): 'last' | 1 {
  const producer = producerOf(graph, id);
  return producer && isOp(producer, linear) ? 'last' : 1;
}

/** A constant as a function of the channel, or null where it varies along another axis. */
function perChannel(tensor: Tensor, shape: readonly number[], axis: 'last' | 1): ((c: number) => number) | null {
  if (tensor.data.length === 1) return () => numberAt(tensor, 0);
  const at = axis === 'last' ? shape.length - 1 : 1;
  const own = [...new Array<number>(Math.max(0, shape.length - tensor.shape.length)).fill(1), ...tensor.shape];
  const fits = own.length === shape.length && own.every((size, i) => (i === at ? size === shape[i] : size === 1));
  return fits ? c => numberAt(tensor, c) : null;
}

function fold(producer: Node, node: Node, {a, d, shifts: onlyShifts}: Affine, {graph}: Module, edit: Editor): boolean {
  const [x, wId, bId] = producer.inputs;
  const w = wId == null ? null : constantOf(graph, wId);
  const b = bId == null ? null : constantOf(graph, bId);
  if (x == null || !w || (bId != null && !b) || w.value.type.dtype !== 'f32') return false;
  const tensor = tensorOfConstant(w);
  const bias = b && tensorOfConstant(b);
  const outputs = tensor.shape[0]!;
  const each = tensor.data.length / outputs;
  const build = edit.before(producer, node);
  // A mere shift leaves the weights alone: they may be hundreds of megabytes.
  const scaled = (): Value => {
    const weights = new Float32Array(tensor.data.length);
    for (let i = 0; i < weights.length; i++) weights[i] = Number(tensor.data[i]) * a(Math.floor(i / each));
    return build.literal({dtype: 'f32', shape: tensor.shape, data: weights}, w.value.name);
  };
  const shifts = Array.from({length: outputs}, (_, c) => (bias ? numberAt(bias, c) : 0) * a(c) + d(c));
  const newW = onlyShifts ? w.value : scaled();
  const newB = build.literal(tensorFrom('f32', [outputs], shifts), b?.value.name ?? `${producer.outputs[0].name}.bias`);
  const operands = [valueAt(graph, x), newW, newB];
  const [y] = isOp(producer, conv2d)
    ? build.emit(conv2d, operands, producer.attrs)
    : build.emit(linear, operands, {epilogue: ''});
  edit.redirect(node.outputs[0].id, y);
  return true;
}
