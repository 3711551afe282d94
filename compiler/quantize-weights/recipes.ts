/**
 * Recipes that keep weights in fewer bits and compute in f32: one more head of a task, whose convolutions and linear layers
 * read narrow constants. They work on a module before `fuse`: a scale per output channel becomes an epilogue there.
 *
 *   f16, bf16   half-width floats
 *   w8          integers of 8 bits, rounded to nearest, a scale per output channel
 *   w4          integers of 4 bits by GPTQ, a scale per output channel and 32 inputs
 */
import {invariant} from '../../ir/diagnostics.js';
import {editor} from '../../ir/edit.js';
import {constantOf, nodesFor, valueAt} from '../../ir/graph.js';
import {type Builder, isOp} from '../../ir/op.js';
import {isDepthwise} from '../../ir/ops/common/convolution.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {mul} from '../../ir/ops/elementwise/index.js';
import {opOf} from '../../ir/ops/index.js';
import {linear} from '../../ir/ops/linear/index.js';
import {elements, numberAt, numbersOf, tensorFrom, tensorOf} from '../../ir/tensor.js';
import type {Constant, Graph, Module, Node, Value, ValueId} from '../../ir/types.js';
import {type LayerWeights, narrowLayer} from './layer.js';
import type {Moments, Window} from './moments.js';
import type {Bits} from './round.js';

/** A layer whose weights may become narrow. */
export type Layer = {
  readonly node: Node;
  /** The value that its weights are multiplied with. */
  readonly input: Value;
  /** Products of a sum: the width of its second moments. */
  readonly width: number;
  /** Null of a linear layer. */
  readonly window: Window | null;
  readonly weights: LayerWeights;
  readonly shape: readonly number[];
  readonly bias: Float32Array | null;
};

export type NarrowOptions = {
  /** Second moments of a layer's input, in the order of its weights; null where nobody knows. GPTQ needs them, biases are corrected by them. */
  readonly moments?: (layer: Layer) => Moments | null;
  /** Inputs that share a scale under w4; null: all of an output channel. */
  readonly group?: number | null;
  /** Layers that stay as they are, beside those that never become narrow. */
  readonly keeps?: (layer: Layer) => boolean;
  /** Is told of each layer what it loses, where moments are known. */
  readonly show?: (layer: Layer, error: {readonly before: number; readonly after: number}) => void;
};

export type NarrowRecipe = 'f16' | 'bf16' | 'w8' | 'w4';

/** Weights fewer than these stay f32: what they take is little, and panels of 16 channels would take half of the gain. */
const fewestWeights = 1024;

/** By name: the module with one more head of the task. */
export const narrowRecipes: Readonly<Record<NarrowRecipe, (module: Module, task: string, options?: NarrowOptions) => Module>> = {
  f16: (module, task, options) => withHead(module, task, 'f16', options, halves('f16')),
  bf16: (module, task, options) => withHead(module, task, 'bf16', options, halves('bf16')),
  w8: (module, task, options) => withHead(module, task, 'w8', options, integers(8)),
  w4: (module, task, options) => withHead(module, task, 'w4', options, integers(4)),
};

/** Emits a layer anew by narrow weights; null where it should stay. */
type Rewrite = (layer: Layer, build: Builder, x: Value, options: NarrowOptions) => Value | null;

function withHead(module: Module, task: string, recipe: NarrowRecipe, options: NarrowOptions = {}, rewrite: Rewrite): Module {
  const {graph} = module;
  const own = module.heads.find(head => head.name === task);
  invariant(own, 'quantize-weights.task', task, 'is no head of the module');
  const edit = editor(module, 'quantize-weights');
  const clones = new Map<ValueId, Value>();
  const clone = (id: ValueId): Value => clones.get(id) ?? valueAt(graph, id);
  for (const node of nodesFor(graph, own.outputs)) {
    const build = edit.before(node);
    const layer = layerOf(node, graph);
    if (layer && !options.keeps?.(layer)) {
      const made = rewrite(layer, build, clone(layer.input.id), options);
      if (made) {
        clones.set(node.outputs[0].id, made);
        continue;
      }
    }
    // What no narrow weight has touched is shared with the head that is there.
    if (!node.inputs.some(id => id !== null && clones.has(id))) continue;
    const results = build.emit(
      opOf(node),
      node.inputs.map(id => (id === null ? null : clone(id))),
      node.attrs,
    );
    node.outputs.forEach(({id}, i) => {
      clones.set(id, results[i]!);
    });
  }
  const outputs = own.outputs.map(id => clone(id).id);
  edit.addHead({...own, name: `${task}_${recipe}`, outputs, attrs: {...own.attrs, task, recipe}});
  return edit.finish();
}

/** What a recipe may change: f32 weights that are constant, not few, and not of one channel each; nothing follows the sum yet. */
export function layerOf(node: Node, graph: Graph): Layer | null {
  if (!(isOp(node, conv2d) || isOp(node, linear)) || node.attrs.epilogue !== '') return null;
  const [xId, wId, bId] = node.inputs;
  const constant = wId == null ? null : constantOf(graph, wId);
  const biasConstant = bId == null ? null : constantOf(graph, bId);
  if (xId == null || !constant || (bId != null && !biasConstant)) return null;
  const {dtype, shape} = constant.value.type;
  if (dtype !== 'f32' || elements(shape) < fewestWeights) return null;
  const inputs = node.inputs.map(id => (id === null ? null : valueAt(graph, id).type));
  if (isOp(node, conv2d) && isDepthwise({attrs: node.attrs, inputs})) return null;
  const [outputs, channels, ...kernel] = shape as [number, number, ...number[]];
  const points = elements(kernel);
  return {
    ...{node, shape, input: valueAt(graph, xId), width: channels * points},
    window: isOp(node, conv2d) ? {...node.attrs, kernel} : null,
    weights: {data: numbersIn(constant), outputs, inputs: channels, points, groups: isOp(node, conv2d) ? node.attrs.groups : 1},
    bias: biasConstant && numbersIn(biasConstant),
  };
}

const numbersIn = ({value: {type}, blob}: Constant): Float32Array =>
  Float32Array.from(numbersOf(tensorOf(type.dtype, type.shape, blob.bytes)));

/** The layer over other operands. */
function emitLayer({node}: Layer, build: Builder, operands: readonly (Value | null)[], group?: number): Value {
  const scaled = group === undefined ? {} : {group};
  if (isOp(node, conv2d)) return build.emit(conv2d, operands, {...node.attrs, ...scaled})[0];
  invariant(isOp(node, linear), 'quantize-weights.layer', node.op, 'has no weights');
  return build.emit(linear, operands, {...node.attrs, ...scaled})[0];
}

const vector = (build: Builder, values: Float32Array, name: string, shape: readonly number[] = [values.length]): Value =>
  build.literal(tensorFrom('f32', shape, values), name);

const halves =
  (dtype: 'f16' | 'bf16'): Rewrite =>
  (layer, build, x) => {
    const {node, shape, weights, bias} = layer;
    const {name} = node.outputs[0];
    const narrow = tensorFrom(dtype, shape, weights.data);
    // Beyond what halves can hold.
    if (!weights.data.every((value, i) => Number.isFinite(numberAt(narrow, i)) || !Number.isFinite(value))) return null;
    const w = build.literal(narrow, `${name}.weights`);
    return emitLayer(layer, build, [x, w, bias && vector(build, bias, `${name}.bias`)]);
  };

const integers =
  (bits: Bits): Rewrite =>
  (layer, build, x, {moments, group = 32, show}) => {
    const {node, shape, weights, bias, width} = layer;
    const {name} = node.outputs[0];
    // Of 8 bits, one scale per output loses nothing worth more of them.
    const shared = bits === 4 && group !== null && group < width ? group : undefined;
    const known = moments?.(layer) ?? null;
    const made = narrowLayer(weights, bits, known, bits === 4 ? 'gptq' : 'nearest', shared);
    if (made.error) show?.(layer, made.error);
    const w = build.literal(tensorFrom(bits === 4 ? 'i4' : 'i8', shape, made.codes), `${name}.weights`);
    const corrected = Float32Array.from({length: weights.outputs}, (_, o) => (bias?.[o] ?? 0) + (made.shift?.[o] ?? 0));
    const hasBias = bias !== null || made.shift !== null;
    if (shared !== undefined) {
      const scales = vector(build, made.scales, `${name}.scales`, [weights.outputs, Math.ceil(width / shared)]);
      return emitLayer(layer, build, [x, w, hasBias ? vector(build, corrected, `${name}.bias`) : null, scales], shared);
    }
    const whole = corrected.map((value, o) => value / made.scales[o]!);
    const sum = emitLayer(layer, build, [x, w, hasBias ? vector(build, whole, `${name}.bias`) : null]);
    const along = isOp(node, linear) ? [weights.outputs] : [weights.outputs, 1, 1];
    return build.emit(mul, [sum, vector(build, made.scales, `${name}.scale`, along)], {})[0];
  };
