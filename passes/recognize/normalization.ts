/** Layer normalization, with or without mean, as exporters take it apart. */
import type {Editor} from '../../ir/edit.js';
import {constantOf, onlyUser, producerOf} from '../../ir/graph.js';
import {type Builder, isOp} from '../../ir/op.js';
import {layernorm} from '../../ir/ops/layernorm/index.js';
import {reshapeTo} from '../../ir/ops/reshape/index.js';
import {transpose, transposeTo} from '../../ir/ops/transpose/index.js';
import {elements, tensorOf} from '../../ir/tensor.js';
import type {Module, Node, Value, ValueId} from '../../ir/types.js';
import type {Rule} from '../framework/fixpoint.js';
import {foldOf, isNumber, isValue, type Operand, pairsOf, squaredOf, stepAt, stepOf, typeIn, valueIn} from './step.js';

/** x without its mean (`center`) or as it is, along `axes`. */
type Spread = {readonly x: ValueId; readonly center: boolean; readonly axes: readonly number[]};
type Deviation = Spread & {readonly epsilon: number};

export const normalizations: readonly Rule[] = [
  {
    // (x - mean) / sqrt(variance + e), or times its inverse -> layernorm(x); x / sqrt(mean square + e) too
    name: 'normalize',
    apply(node, module, edit) {
      const found = normalizedBy(node, module);
      const place = found && placeOf(module, found.x, found.axes);
      if (!place) return false;
      edit.redirect(node.outputs[0].id, emitNorm(edit.before(node), module, found, place, null, null));
      return true;
    },
  },
  {
    // x * inverse * scale + (bias - mean * inverse * scale) -> layernorm(x, scale, bias)
    name: 'normalize-and-shift',
    apply(node, module, edit) {
      for (const [product, rest] of pairsOf(stepOf(module, node), 'add'))
        for (const [x, factor] of pairsOf(stepAt(module, product), 'mul')) {
          const shift = stepAt(module, rest);
          if (!isValue(x) || !isValue(factor) || shift?.fn !== 'sub') continue;
          const [bias, back] = shift.args as [Operand, Operand];
          const mean = pairsOf(stepAt(module, back), 'mul').find(([, by]) => by === factor)?.[0];
          const [deviation, scale] = scaledInverse(module, factor);
          const fold = mean === undefined ? null : foldOf(module, mean, 'mean');
          if (!deviation?.center || deviation.x !== x || fold?.x !== x || String(fold.axes) !== String(deviation.axes)) continue;
          const place = placeOf(module, x, deviation.axes);
          if (place !== 'last' || !isValue(bias)) continue;
          const build = edit.before(node);
          const vectors = [scale, bias].map(id => id && vectorOf(build, module, id, deviation));
          if ((scale && !vectors[0]) || !vectors[1]) continue;
          edit.redirect(node.outputs[0].id, emitNorm(build, module, deviation, place, vectors[0] ?? null, vectors[1]));
          return true;
        }
      return false;
    },
  },
  {
    // layernorm(x) * scale -> layernorm(x, scale); layernorm(x, scale) + bias -> layernorm(x, scale, bias)
    name: 'scale-and-shift',
    apply(node, module, edit) {
      const step = stepOf(module, node);
      for (const fn of ['mul', 'add'] as const)
        for (const [y, by] of pairsOf(step, fn))
          if (isValue(y) && isValue(by) && absorb(node, y, by, fn, module, edit)) return true;
      return false;
    },
  },
];

function normalizedBy(node: Node, module: Module): Deviation | null {
  const step = stepOf(module, node);
  const [a, b] = step?.args ?? [];
  const candidates: (readonly [Operand | undefined, Deviation | null])[] =
    step?.fn === 'div' ? [[a, deviationOf(module, b)]] : pairsOf(step, 'mul').map(([x, by]) => [x, inverseOf(module, by)]);
  for (const [x, deviation] of candidates) {
    if (!deviation || !isValue(x)) continue;
    const spread = spreadOf(module, x, deviation.axes);
    if (spread.x === deviation.x && spread.center === deviation.center) return deviation;
  }
  return null;
}

/** x - mean(x) along the axes, or the value itself. */
function spreadOf(module: Module, id: ValueId, axes: readonly number[]): Spread {
  const step = stepAt(module, id);
  const [x, mean] = step?.args ?? [];
  const fold = step?.fn === 'sub' && isValue(mean) ? foldOf(module, mean, 'mean') : null;
  const center = isValue(x) && fold?.x === x && String(fold.axes) === String(axes);
  return center ? {x, center, axes} : {x: id, center: false, axes};
}

/** sqrt(mean of squares + epsilon) */
function deviationOf(module: Module, id: Operand | undefined): Deviation | null {
  const step = stepAt(module, id);
  const isRoot = step?.fn === 'sqrt' || (step?.fn === 'pow' && isNumber(step.args[1], 0.5));
  return isRoot ? varianceOf(module, step.args[0]) : null;
}

/** 1 / sqrt(mean of squares + epsilon) */
function inverseOf(module: Module, id: Operand | undefined): Deviation | null {
  const step = stepAt(module, id);
  if (step?.fn === 'div' && isNumber(step.args[0], 1)) return deviationOf(module, step.args[1]);
  return step?.fn === 'pow' && isNumber(step.args[1], -0.5) ? varianceOf(module, step.args[0]) : null;
}

/** The inverse deviation, and what it is multiplied by. */
function scaledInverse(module: Module, id: ValueId): readonly [Deviation | null, ValueId | null] {
  const own = inverseOf(module, id);
  if (own) return [own, null];
  for (const [a, scale] of pairsOf(stepAt(module, id), 'mul')) {
    const inner = inverseOf(module, a);
    if (inner && isValue(scale)) return [inner, scale];
  }
  return [null, null];
}

function varianceOf(module: Module, id: Operand | undefined): Deviation | null {
  for (const [square, epsilon] of pairsOf(stepAt(module, id), 'add')) {
    const mean = foldOf(module, square, 'mean');
    const base = mean && squaredOf(module, mean.x);
    if (base === null || isValue(epsilon)) continue;
    return {...spreadOf(module, base, mean!.axes), epsilon: epsilon.number};
  }
  return null;
}

/** Where the axes are: the last ones, or the channels of an image, which are the last in memory. */
function placeOf(module: Module, x: ValueId, axes: readonly number[]): 'last' | 'channels' | null {
  const {dtype, shape} = typeIn(module, x);
  const rank = shape.length;
  const order = [...axes].sort((a, b) => a - b);
  if ((dtype !== 'f32' && dtype !== 'f64') || order.length === 0) return null;
  if (order.every((axis, i) => axis === rank - order.length + i)) return 'last';
  return rank === 4 && String(order) === '1' ? 'channels' : null;
}

function emitNorm(
  build: Builder,
  module: Module,
  {x, center, axes, epsilon}: Deviation,
  place: 'last' | 'channels',
  scale: Value | null,
  bias: Value | null,
): Value {
  const value = valueIn(module, x);
  const rank = value.type.shape.length;
  if (place === 'last') return build.emit(layernorm, [value, scale, bias], {axis: rank - axes.length, epsilon, center})[0];
  const [y] = build.emit(layernorm, [transposeTo(build, value, channelsLast), scale, bias], {axis: 3, epsilon, center});
  return transposeTo(build, y, channelsSecond);
}

const channelsLast = [0, 2, 3, 1];
const channelsSecond = [0, 3, 1, 2];

/** A value that varies along the normalized axes alone, as a vector; null for any other. */
function vectorOf(build: Builder, module: Module, id: ValueId, {x, axes}: Pick<Spread, 'x' | 'axes'>): Value | null {
  const whole = typeIn(module, x).shape;
  const value = valueIn(module, id);
  const {dtype, shape} = value.type;
  const wanted = whole.map((size, axis) => (axes.includes(axis) ? size : 1));
  const padded = [...wanted.map(() => 1).slice(shape.length), ...shape];
  if (String(padded) !== String(wanted) || dtype !== typeIn(module, x).dtype) return null;
  const constant = constantOf(module.graph, id);
  if (!constant) return reshapeTo(build, value, [elements(shape)])[0];
  return shape.length === 1 ? value : build.literal(tensorOf(dtype, [elements(shape)], constant.blob.bytes), value.name);
}

/** Puts a factor or a term into the normalization that `y` is, seen through the transposition of an image. */
function absorb(node: Node, y: ValueId, by: ValueId, fn: 'mul' | 'add', module: Module, edit: Editor): boolean {
  const outer = producerOf(module.graph, y);
  const turned = outer && isOp(outer, transpose) && String(outer.attrs.perm) === String(channelsSecond);
  const id = turned ? outer.inputs[0]! : y;
  const norm = producerOf(module.graph, id);
  if (!norm || !isOp(norm, layernorm) || onlyUser(module, y) !== node || (turned && onlyUser(module, id) !== outer)) return false;
  const [x, scale = null, bias = null] = norm.inputs;
  if (bias !== null || (fn === 'mul' && scale !== null)) return false;
  const {axis} = norm.attrs;
  const axes = turned ? [1] : typeIn(module, y).shape.flatMap((_, i) => (i >= axis ? [i] : []));
  if (String(typeIn(module, y).shape) !== String(node.outputs[0].type.shape)) return false;
  const build = edit.before(node, norm);
  const vector = vectorOf(build, module, by, {x: y, axes});
  if (!vector) return false;
  const kept = scale === null ? null : valueIn(module, scale);
  const operands = [valueIn(module, x!), fn === 'mul' ? vector : kept, fn === 'add' ? vector : null];
  const [result] = build.emit(layernorm, operands, norm.attrs);
  edit.redirect(node.outputs[0].id, turned ? transposeTo(build, result, channelsSecond) : result);
  return true;
}
