/**
 * A quantized copy of a task's network as another head. Bytes stand between `quantize` and `dequantize`, weights and biases
 * are integers behind `dequantize`, as exporters of quantized ONNX models write it: later passes then read it as they read
 * those models.
 */
import {invariant} from '../../ir/diagnostics.js';
import {type Editor, editor} from '../../ir/edit.js';
import {constantOf, producerOf, valueAt} from '../../ir/graph.js';
import {type Builder, isOp} from '../../ir/op.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {dequantize} from '../../ir/ops/dequantize/index.js';
import {add, clip, mul, relu} from '../../ir/ops/elementwise/index.js';
import {opOf} from '../../ir/ops/index.js';
import {matmul} from '../../ir/ops/matmul/index.js';
import {quantize} from '../../ir/ops/quantize/index.js';
import {transpose} from '../../ir/ops/transpose/index.js';
import {numbersOf, type Tensor, tensorFrom, tensorOfConstant} from '../../ir/tensor.js';
import type {Graph, Head, Module, Node, Value, ValueId} from '../../ir/types.js';
import type {Affine} from './ranges.js';
import {keepsScale, movesBytes, type Sites} from './sites.js';
import {biasCorrection, type IntegerWeights, type Means, quantizeBias, quantizeWeights, seenBy} from './weights.js';

/** What the copy is made by. */
export type Quantization = {
  readonly sites: Sites;
  /** Of every value that is stored as bytes. */
  readonly affine: ReadonlyMap<ValueId, Affine>;
  /** Of what layers read: their biases are corrected by it. Absent: they stay as they are. */
  readonly means?: ReadonlyMap<ValueId, Means>;
  /** Of layers whose channels were evened out, by their results: they have these instead of their own. */
  readonly changed?: Changes;
  /** Of layers that were rounded together with the network before them, by their names. */
  readonly rounded?: ReadonlyMap<string, Rounded>;
  /** Weights stay real: of a network that is to find out how they are rounded. */
  readonly realWeights?: boolean;
};

/** Integers for weights, and the bias that goes with them. */
export type Rounded = IntegerWeights & {
  readonly bias: readonly number[];
  readonly way: Way;
  /** By how many decibels less the layer errs on samples that were held out than rounded to nearest by itself. */
  readonly gain: number;
};

/**
 * How integers were found: by themselves; with a bias that makes the means of results right; rounded one after the other (GPTQ);
 * or likewise, of the weights that least squares give.
 */
export type Way = 'nearest' | 'bias' | 'gptq' | 'fit';

/** Weights, and the bias where there is one. */
export type Parameters = {readonly weights: Tensor; readonly bias: readonly number[] | null};
export type Changes = ReadonlyMap<ValueId, Parameters>;

export function parametersOf(graph: Graph, {inputs: [, w, b], outputs: [{id}]}: Node, changed?: Changes): Parameters {
  return changed?.get(id) ?? {weights: tensorAt(graph, w!), bias: b == null ? null : numbersOf(tensorAt(graph, b))};
}

/** The layer's weights and bias as numbers, and as integers. */
export type IntegerLayer = IntegerWeights & {readonly real: Tensor; readonly bias: readonly number[]; readonly input: Affine};

export function integerLayer(graph: Graph, node: Node, {affine, means, changed, rounded}: Quantization): IntegerLayer {
  const [x] = node.inputs;
  const input = affine.get(x!);
  invariant(input, 'int8.input', node.outputs[0].name, 'reads a value without a scale');
  const {weights: real, bias: own} = parametersOf(graph, node, changed);
  const found = rounded?.get(node.outputs[0].name);
  if (found) return {...found, real, input};
  const plain = own ?? new Array<number>(real.shape[0]!).fill(0);
  const its = means?.get(x!);
  const groups = isOp(node, conv2d) ? node.attrs.groups : 1;
  const integer = quantizeWeights(real, plain, input.scale);
  const isFitting = its !== undefined && its.real.length === groups * real.shape[1]!;
  const [, , height = 1, width = 1] = valueAt(graph, x!).type.shape;
  const seen = isOp(node, conv2d) ? seenBy({...node.attrs, kernel: real.shape.slice(2)}, [height, width]) : undefined;
  const correction = isFitting ? biasCorrection(real, integer, its, groups, seen) : null;
  const bias = correction ? plain.map((value, o) => value + correction[o]!) : plain;
  return {...integer, real, bias, input};
}

function tensorAt(graph: Graph, id: ValueId): Tensor {
  const constant = constantOf(graph, id);
  invariant(constant, 'int8.constant', valueAt(graph, id).name, 'is not a constant');
  return tensorOfConstant(constant);
}

/** The module with one more head, named `name`. Its outputs are the counterparts of `head`'s, then those of `also`. */
export function withQuantized(
  module: Module,
  head: Head,
  quantization: Quantization,
  {name, attrs, also = []}: Pick<Head, 'name' | 'attrs'> & {readonly also?: readonly ValueId[]},
): Module {
  const {graph} = module;
  const {sites, affine} = quantization;
  const edit = editor(module, 'int8');
  const layers = new Map(sites.layers.flatMap(layer => (layer.float === null ? [[layer.node, layer] as const] : [])));
  /** Results of the copy's nodes, before they are stored. */
  const copies = new Map<ValueId, Value>();
  /** Values that are stored as bytes. */
  const bytes = new Map<ValueId, Value>();
  /** What readers of a value read. */
  const readable = new Map<ValueId, Value>();
  const stands = (id: ValueId): Value => readable.get(id) ?? copies.get(id) ?? valueAt(graph, id);
  const isStored = new Set(sites.made);

  const store = (id: ValueId, place: Node): void => {
    const build = edit.before(place);
    const {scale, zero} = affine.get(id)!;
    const real = copies.get(id) ?? valueAt(graph, id);
    const [inSteps, size] = isScaledBefore(graph, id)
      ? [real, scale]
      : [build.emit(mul, [real, build.literal(tensorFrom('f32', [], [1 / scale]))], {})[0], 1];
    bytes.set(id, build.emit(quantize, [inSteps, ...affineOperands(edit, place, {scale: size, zero})], {to: 'u8'})[0]);
    read(id, place);
  };
  const read = (id: ValueId, place: Node): void => {
    const operands = affineOperands(edit, place, affine.get(id)!);
    readable.set(id, edit.before(place).emit(dequantize, [bytes.get(id)!, ...operands], {})[0]);
  };
  const [first] = sites.nodes;
  for (const {id} of graph.inputs) if (isStored.has(id) && first) store(id, first);
  for (const node of sites.nodes) {
    const [{id}] = node.outputs;
    const build = edit.before(node);
    if (sites.scales.has(id) && movesBytes(node)) {
      bytes.set(
        id,
        build.emit(
          opOf(node),
          node.inputs.map(input => bytes.get(input!)!),
          node.attrs,
        )[0],
      );
      read(id, node);
      continue;
    }
    const operands = node.inputs.map(input => (input === null ? null : stands(input)));
    const change = quantization.changed?.get(id);
    if (change) operands.splice(1, 2, ...literalsOf(build, change, node.outputs[0].name));
    if (layers.has(node) && !quantization.realWeights)
      copies.set(id, integerSum(edit, node, stands(node.inputs[0]!), integerLayer(graph, node, quantization)));
    else {
      const made = build.emit(opOf(node), operands, node.attrs);
      for (const [i, output] of node.outputs.entries()) copies.set(output.id, made[i]!);
    }
    for (const output of node.outputs)
      if (isStored.has(output.id) || (sites.scales.has(output.id) && keepsScale(node))) store(output.id, node);
  }
  const results = head.outputs.map(id => copies.get(id) ?? stands(id));
  edit.addHead({...head, name, outputs: [...results, ...also.map(stands)].map(value => value.id), attrs});
  return edit.finish();
}

/**
 * Whether passes take the division by the scale into one that is there already: that of a layer's sums, or of bytes that keep theirs. The
 * network's input and sums of two branches are multiplied by the reciprocal, which takes a tenth of the time.
 */
function isScaledBefore(graph: Graph, id: ValueId): boolean {
  const node = producerOf(graph, id);
  if (!node) return false;
  return node.op === relu.name || isOp(node, clip) ? isScaledBefore(graph, node.inputs[0]!) : !isOp(node, add);
}

/** Scale and zero point. */
const affineOperands = (edit: Editor, place: Node, {scale, zero}: Affine): readonly [Value, Value] => {
  const {literal} = edit.before(place);
  return [literal(tensorFrom('f32', [], [scale])), literal(tensorFrom('f32', [], [zero]))];
};

const literalsOf = ({literal}: Builder, {weights, bias}: Parameters, name: string): readonly Value[] => [
  literal(weights, `${name}.weights`),
  ...(bias ? [literal(tensorFrom('f32', [bias.length], bias), `${name}.bias`)] : []),
];

/** The layer over integers: a convolution with its bias, or a product and a sum. */
function integerSum(edit: Editor, node: Node, x: Value, {weights, scales, bias, input}: IntegerLayer): Value {
  const {emit, literal} = edit.before(node);
  const [{name}] = node.outputs;
  const outputs = scales.length;
  const zero = literal(tensorFrom('f32', [], [0]));
  const steps = scales.map(scale => Math.fround(scale * input.scale));
  const perChannel = literal(tensorFrom('f32', [outputs, ...weights.shape.slice(1).map(() => 1)], scales), `${name}.scales`);
  const [w] = emit(dequantize, [literal(weights, `${name}.weights`), perChannel, zero], {});
  const hasBias = bias.some(value => value !== 0);
  const whole = (): Value => {
    const integers = literal(quantizeBias(bias, steps), `${name}.bias`);
    return emit(dequantize, [integers, literal(tensorFrom('f32', [outputs], steps), `${name}.steps`), zero], {})[0];
  };
  if (isOp(node, conv2d)) return emit(conv2d, [x, w, ...(hasBias ? [whole()] : [])], node.attrs)[0];
  const [product] = emit(matmul, [x, emit(transpose, [w], {perm: [1, 0]})[0]], {epilogue: ''});
  return hasBias ? emit(add, [product, whole()], {})[0] : product;
}
