/** Convolutions and linear layers whose operands are small whole numbers compute in bytes. */
import {constantOf, producerOf, valueAt} from '../../ir/graph.js';
import {type Builder, isOp} from '../../ir/op.js';
import {placesBeyond} from '../../ir/ops/common/bytes.js';
import {isDepthwise} from '../../ir/ops/common/convolution.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {conv2dU8} from '../../ir/ops/conv2d_u8/index.js';
import {opOf} from '../../ir/ops/index.js';
import {linear} from '../../ir/ops/linear/index.js';
import {linearU8} from '../../ir/ops/linear_u8/index.js';
import {map} from '../../ir/ops/map/index.js';
import {maxpool} from '../../ir/ops/maxpool/index.js';
import {reshape} from '../../ir/ops/reshape/index.js';
import {slice} from '../../ir/ops/slice/index.js';
import {transpose} from '../../ir/ops/transpose/index.js';
import {arg, call, cast, lit, printScalar, type Scalar, substitute} from '../../ir/scalar.js';
import {simplify} from '../../ir/simplify.js';
import {numberAt, numbersOf, type Tensor, tensorFrom, tensorOf} from '../../ir/tensor.js';
import type {DType, Graph, Module, Node, Value, ValueId} from '../../ir/types.js';
import {type Rule, rewriteToFixpoint} from '../framework/fixpoint.js';
import {definePass} from '../framework/pass.js';

export const integerKernels = definePass({
  name: 'integer-kernels',
  summary: 'convolutions and linear layers of small whole numbers compute in bytes',
  requires: ['batchnorm-folded'],
  establishes: [],
  breaks: ['unique'],
  // Sums beyond 2^24 are exact now; until here they were rounded as f32 does.
  tolerance: 1e-6,
  stats: {narrowed: 'layers and values that became bytes'},
  run: (module, context) => rewriteToFixpoint(module, 'integer-kernels', rules, context, 'narrowed'),
});

/** A value that stands for `q - zero`, q being bytes. */
type Bytes = {readonly q: Value; readonly zero: number};

const rules: readonly Rule[] = [
  {
    // i8(clamp(round(x) + z, low, high)) -> i8(u8(clamp(round(x) + z + 128, low + 128, high + 128)) - 128)
    name: 'unsigned',
    apply(node, module, edit) {
      const rounding = roundingOf(node, module);
      if (!rounding) return false;
      const {x, operands, zero, low, high} = rounding;
      const build = edit.before(node);
      const shifted = `u8(clamp(add(round(${printScalar(x)}), ${zero + 128}), ${low + 128}, ${high + 128}))`;
      const [unsigned] = build.emit(map, operands, {expression: shifted});
      edit.redirect(node.outputs[0].id, build.emit(map, [unsigned], {expression: signed})[0]);
      return true;
    },
  },
  {
    // f(i8(f32(x) - 128)) -> f'(x), for every reader by itself
    name: 'unsigned-operand',
    apply(node, module, edit) {
      const unsigned = node.inputs.map(id => (id === null ? null : unsignedOf(module.graph, id)));
      const found = unsigned.some(Boolean) ? simplifiedScalar(node, module.graph) : null;
      if (!found) return false;
      const operands = found.operands.map(operand => unsignedOf(module.graph, operand.id) ?? operand);
      const expression = simplify(
        substitute(found.expression, i => (operands[i] === found.operands[i] ? arg(i) : cast('i8', shifted(arg(i))))),
        operands.map(({type}) => type.dtype),
      );
      if (usesSigned(expression)) return false;
      edit.redirect(node.outputs[0].id, edit.before(node).emit(map, operands, {expression: printScalar(expression)})[0]);
      return true;
    },
  },
  {
    // u8(clamp(round(q - z) + z)) -> q: what pools and concatenations leave between two equal scales
    name: 'same-bytes',
    apply(node, module, edit) {
      const found = node.outputs[0].type.dtype === 'u8' ? simplifiedScalar(node, module.graph) : null;
      const parts = found && partsOfRounding(found.expression, 'u8');
      if (!found || !parts || parts.low !== 0 || parts.high !== 255 || parts.x.kind !== 'arg') return false;
      const whole = bytesOf(module, found.operands[0]!.id);
      if (whole?.zero !== parts.zero) return false;
      edit.redirect(node.outputs[0].id, whole.make(edit.before(node)));
      return true;
    },
  },
  {
    // conv2d(q - z, w, b) -> conv2d_u8(q, w, b - z sum w), z outside the image
    name: 'convolution',
    apply(node, module, edit) {
      if (!isOp(node, conv2d) || node.attrs.epilogue !== '') return false;
      const [x, w, b] = node.inputs;
      const image = bytesOf(module, x);
      const inputs = [valueAt(module.graph, x!).type, valueAt(module.graph, w!).type];
      const depthwise = isDepthwise({attrs: node.attrs, inputs});
      const layer = image && layerOf(module.graph, w!, b ?? null, image.zero);
      if (!image || !layer || !(depthwise || fitsBytes(layer))) return false;
      if (node.attrs.pads.some(pad => pad > 0) && !isByte(image.zero)) return false;
      const build = edit.before(node);
      const [weights, bias] = depthwise ? (['f32', 'f32'] as const) : ([narrowest(layer), 'i32'] as const);
      const outside = isByte(image.zero) ? image.zero : 0;
      const operands = [image.make(build), ...literals(layer, weights, bias, build)];
      edit.redirect(node.outputs[0].id, build.emit(conv2dU8, operands, {...node.attrs, outside})[0]);
      return true;
    },
  },
  {
    // linear(q - z, w, b) -> linear_u8(q, w, b - z sum w)
    name: 'linear',
    apply(node, module, edit) {
      if (!isOp(node, linear) || node.attrs.epilogue !== '') return false;
      const [x, w, b] = node.inputs;
      const rows = bytesOf(module, x);
      const layer = rows && layerOf(module.graph, w!, b ?? null, rows.zero);
      if (!rows || !layer || !fitsBytes(layer)) return false;
      const build = edit.before(node);
      const operands = [rows.make(build), ...literals(layer, narrowest(layer), 'i32', build)];
      edit.redirect(node.outputs[0].id, build.emit(linearU8, operands, node.attrs)[0]);
      return true;
    },
  },
];

const isByte = (n: number): boolean => Number.isInteger(n) && n >= 0 && n <= 255;

/** The bytes behind a value, and how to make them there: those of what moves or picks elements are moved and picked. */
type Found = Omit<Bytes, 'q'> & {readonly make: (build: Builder) => Value};

function bytesOf(module: Module, id: ValueId | null | undefined): Found | null {
  const {graph} = module;
  const node = id == null ? null : producerOf(graph, id);
  if (!node) return null;
  const [x] = node.inputs;
  if (isOp(node, maxpool) || isOp(node, reshape) || isOp(node, transpose) || isOp(node, slice)) {
    const inner = bytesOf(module, x);
    const again = (build: Builder, from: Value): Value => build.emit(opOf(node), [from], node.attrs)[0];
    return inner && {zero: inner.zero, make: build => again(build, inner.make(build))};
  }
  const found = simplifiedScalar(node, graph);
  const [source] = found?.operands ?? [];
  if (!found || !source || found.operands.length !== 1) return null;
  if (found.expression.kind === 'arg') return bytesOf(module, source.id);
  const zero = offsetOf(found.expression);
  if (zero === null) return null;
  if (source.type.dtype === 'u8') return {zero, make: () => source};
  if (source.type.dtype !== 'i8') return sumOf(module, source.id, zero);
  const unsigned = unsignedOf(graph, source.id);
  if (unsigned) return {zero: zero + 128, make: () => unsigned};
  // what the rule for roundings will make unsigned
  const producer = producerOf(graph, source.id);
  if (producer && roundingOf(producer, module)) return null;
  return {zero: zero + 128, make: build => build.emit(map, [source], {expression: 'u8(add(f32(x0), 128))'})[0]};
}

/** How a byte becomes a signed one; also what `unsigned` leaves behind. */
const shifted = (x: Scalar): Scalar => call('sub', cast('f32', x), lit(128));
const signed = printScalar(cast('i8', shifted(arg(0))));

/** x of i8(f32(x) - 128). */
function unsignedOf(graph: Graph, id: ValueId): Value | null {
  const node = producerOf(graph, id);
  if (!node || !isOp(node, map) || node.attrs.expression !== signed) return null;
  const x = valueAt(graph, node.inputs[0]!);
  return x.type.dtype === 'u8' ? x : null;
}

const usesSigned = (x: Scalar): boolean =>
  (x.kind === 'cast' && (x.to === 'i8' || usesSigned(x.arg))) || (x.kind === 'call' && x.args.some(usesSigned));

/** x - zero, where x itself is bytes less something. */
function sumOf(module: Module, id: ValueId, zero: number): Found | null {
  const inner = bytesOf(module, id);
  return inner && {...inner, zero: inner.zero + zero};
}

/** n of `f32(x0) - n` or `x0 - n`, 0 of `f32(x0)`. */
function offsetOf(expression: Scalar): number | null {
  const isOperand = (x: Scalar | undefined): boolean =>
    x?.kind === 'arg' || (x?.kind === 'cast' && x.to === 'f32' && x.arg.kind === 'arg');
  if (expression.kind === 'cast' && isOperand(expression)) return 0;
  if (expression.kind !== 'call' || expression.fn !== 'sub') return null;
  const [x, n] = expression.args;
  return isOperand(x) && n?.kind === 'lit' && Number.isInteger(n.value) ? n.value : null;
}

type Rounding = {readonly x: Scalar; readonly zero: number; readonly low: number; readonly high: number};

/** Of a node that gives i8(clamp(add(round(x), zero), low, high)), and not to the caller. */
function roundingOf(node: Node, {graph, heads}: Module): (Rounding & {readonly operands: readonly Value[]}) | null {
  const [{id, type}] = node.outputs;
  if (type.dtype !== 'i8' || heads.some(head => head.outputs.includes(id))) return null;
  const found = simplifiedScalar(node, graph);
  const parts = found && partsOfRounding(found.expression, 'i8');
  return parts && {...parts, operands: found.operands};
}

/** Of T(clamp(add(round(x), zero), low, high)). */
function partsOfRounding(expression: Scalar, to: DType): Rounding | null {
  const clamp = expression.kind === 'cast' && expression.to === to ? expression.arg : null;
  if (clamp?.kind !== 'call' || clamp.fn !== 'clamp') return null;
  const [sum, low, high] = clamp.args;
  if (sum?.kind !== 'call' || sum.fn !== 'add' || low?.kind !== 'lit' || high?.kind !== 'lit') return null;
  const [rounded, zero] = sum.args;
  if (rounded?.kind !== 'call' || rounded.fn !== 'round' || zero?.kind !== 'lit') return null;
  return {x: rounded.args[0]!, zero: zero.value, low: low.value, high: high.value};
}

/** The meaning of an element-wise node, its constants of one element being numbers. */
function simplifiedScalar(node: Node, graph: Graph): {readonly expression: Scalar; readonly operands: readonly Value[]} | null {
  const types = node.inputs.map(id => (id === null ? null : valueAt(graph, id).type));
  const scalar = opOf(node).scalar?.({attrs: node.attrs, inputs: types});
  if (!scalar || node.inputs.some(id => id === null)) return null;
  const values = node.inputs.map(id => singleNumber(graph, id!));
  const operands = node.inputs.flatMap((id, i) => (values[i] === null ? [valueAt(graph, id!)] : []));
  const place = (i: number): Scalar => arg(operands.findIndex(({id}) => id === node.inputs[i]));
  const expression = substitute(scalar, i => (values[i] == null ? place(i) : lit(values[i])));
  const simple = simplify(
    expression,
    operands.map(({type}) => type.dtype),
  );
  return {operands, expression: simple};
}

function singleNumber(graph: Graph, id: ValueId): number | null {
  const tensor = tensorOfConstant(graph, id);
  return tensor?.dtype === 'f32' && tensor.data.length === 1 ? numberAt(tensor, 0) : null;
}

function tensorOfConstant(graph: Graph, id: ValueId): Tensor | null {
  const constant = constantOf(graph, id);
  return constant && tensorOf(constant.value.type.dtype, constant.value.type.shape, constant.blob.bytes);
}

/** Whole numbers: weights in [-128, 127], but for a few in [-256, 254], and for each output the bias less what the zero point adds to its sums. */
type Layer = {readonly shape: readonly number[]; readonly weights: readonly number[]; readonly bias: readonly number[]};

/** null where weights are not so, or sums could pass 31 bits. */
function layerOf(graph: Graph, w: ValueId, b: ValueId | null, zero: number): Layer | null {
  const [weights, bias] = [tensorOfConstant(graph, w), b === null ? null : tensorOfConstant(graph, b)];
  if (weights?.dtype !== 'f32' || (b !== null && bias?.dtype !== 'f32')) return null;
  const [outputs = 1, ...rest] = weights.shape;
  const each = rest.reduce((n, d) => n * d, 1);
  const all = numbersOf(weights);
  const sums = new Array<number>(outputs).fill(0);
  for (let o = 0; o < outputs; o++) {
    const own = bias ? numberAt(bias, o) : 0;
    let [sum, largest] = [0, 0];
    for (let i = o * each; i < (o + 1) * each; i++) {
      const value = all[i]!;
      if (!Number.isInteger(value) || Math.abs(value) > 256) return null;
      sum += value;
      largest += Math.abs(value);
    }
    sums[o] = own - zero * sum;
    if (!Number.isInteger(own) || 255 * largest + Math.abs(sums[o]!) >= 2 ** 31) return null;
  }
  return {shape: weights.shape, weights: all, bias: sums};
}

const fitsBytes = ({weights, bias}: Layer): boolean => placesBeyond(weights, bias.length) !== null;

const narrowest = ({weights}: Layer): DType => (weights.some(value => value < -128 || value > 127) ? 'i16' : 'i8');

const literals = ({shape, weights, bias}: Layer, forWeights: DType, forBias: DType, build: Builder): readonly Value[] => [
  build.literal(tensorFrom(forWeights, shape, weights)),
  build.literal(tensorFrom(forBias, [shape[0]!], bias)),
];
