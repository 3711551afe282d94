/**
 * A copy of a task's network, some of whose layers read narrow weights, as another head. It works on a module before `fuse`: a
 * scale per output channel becomes an epilogue there.
 */
import {invariant} from '../../ir/diagnostics.js';
import {type Builder, isOp} from '../../ir/op.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {mul} from '../../ir/ops/elementwise/index.js';
import {linear} from '../../ir/ops/linear/index.js';
import {tensorFrom} from '../../ir/tensor.js';
import type {Head, Module, Node, Value} from '../../ir/types.js';
import {type MakeLayer, withLayers} from '../recipes/copy.js';
import type {Narrowed} from './narrow.js';

/** `narrowed`: by the name of the layer's result. The new head differs from `head` in `as` and in its outputs. */
export function withNarrow(
  module: Module,
  head: Head,
  narrowed: ReadonlyMap<string, Narrowed>,
  as: Pick<Head, 'name' | 'attrs'>,
): Module {
  const made = new Map(
    Array.from(narrowed, ([name, own]): [string, MakeLayer] => [name, (build, node, x) => emitNarrow(build, node, x, own)]),
  );
  return withLayers(module, head, 'quantize-weights', made, as);
}

/** The layer over narrow weights. */
function emitNarrow(build: Builder, node: Node, x: Value, {weights, scales, group, bias}: Narrowed): Value {
  const [{name}] = node.outputs;
  const outputs = weights.shape[0]!;
  const vector = (values: Float32Array, what: string, shape: readonly number[] = [values.length]): Value =>
    build.literal(tensorFrom('f32', shape, values), `${name}.${what}`);
  const w = build.literal(weights, `${name}.weights`);
  if (scales === null) return emitLayer(build, node, [x, w, bias && vector(bias, 'bias')], {});
  if (group !== null) {
    const perGroup = vector(scales, 'scales', [outputs, scales.length / outputs]);
    return emitLayer(build, node, [x, w, bias && vector(bias, 'bias'), perGroup], {group});
  }
  const whole = bias?.map((value, o) => value / scales[o]!);
  const sum = emitLayer(build, node, [x, w, whole ? vector(whole, 'bias') : null], {});
  return build.emit(mul, [sum, vector(scales, 'scale', isOp(node, linear) ? [outputs] : [outputs, 1, 1])], {})[0];
}

function emitLayer(build: Builder, node: Node, operands: readonly (Value | null)[], scaled: {readonly group?: number}): Value {
  if (isOp(node, conv2d)) return build.emit(conv2d, operands, {...node.attrs, ...scaled})[0];
  invariant(isOp(node, linear), 'quantize-weights.layer', node.op, 'has no weights');
  return build.emit(linear, operands, {...node.attrs, ...scaled})[0];
}
