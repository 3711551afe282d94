/** Values that stand for bytes: what is rounded to them, less their zero point, moved about or not. */
import {isHeadOutput, producerOf, singleNumber, valueAt} from '../../ir/graph.js';
import {type Builder, isOp} from '../../ir/op.js';
import {opOf} from '../../ir/ops/index.js';
import {map} from '../../ir/ops/map/index.js';
import {maxpool} from '../../ir/ops/maxpool/index.js';
import {reshape} from '../../ir/ops/reshape/index.js';
import {slice} from '../../ir/ops/slice/index.js';
import {transpose} from '../../ir/ops/transpose/index.js';
import {arg, call, cast, lit, type Scalar, substitute} from '../../ir/scalar/expression.js';
import {printScalar} from '../../ir/scalar/text.js';
import {roundingOf, simplify} from '../../ir/simplify.js';
import {elements} from '../../ir/tensor.js';
import type {DType, Graph, Module, Node, Value, ValueId} from '../../ir/types.js';

/** The bytes behind a value, and how to make them there: those of what moves or picks elements are moved and picked. */
export type Bytes = {readonly zero: number; readonly make: (build: Builder) => Value};

export function bytesOf(module: Module, id: ValueId | null | undefined): Bytes | null {
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
  if (source.type.dtype !== 'i8') {
    const inner = bytesOf(module, source.id);
    return inner && {...inner, zero: inner.zero + zero};
  }
  const unsigned = unsignedOf(graph, source.id);
  if (unsigned) return {zero: zero + 128, make: () => unsigned};
  // what the rule for roundings will make unsigned
  const producer = producerOf(graph, source.id);
  if (producer && signedRounding(producer, module)) return null;
  // i8(q - 128): what an operator that works on real numbers gives back
  const back = producer && simplifiedScalar(producer, graph);
  const whole = back && isCast(back.expression, 'i8') ? bytesOf(module, back.operands[0]!.id) : null;
  if (whole?.zero === 128) return {...whole, zero: zero + 128};
  return {zero: zero + 128, make: build => build.emit(map, [source], {expression: 'u8(add(f32(x0), 128))'})[0]};
}

/** How a byte becomes a signed one; also what `unsigned` leaves behind. */
export const shifted = (x: Scalar): Scalar => call('sub', cast('f32', x), lit(128));
export const signed = printScalar(cast('i8', shifted(arg(0))));

/** x of i8(f32(x) - 128). */
export function unsignedOf(graph: Graph, id: ValueId): Value | null {
  const node = producerOf(graph, id);
  if (!node || !isOp(node, map) || node.attrs.expression !== signed) return null;
  const x = valueAt(graph, node.inputs[0]!);
  return x.type.dtype === 'u8' ? x : null;
}

export const usesSigned = (x: Scalar): boolean =>
  (x.kind === 'cast' && (x.to === 'i8' || usesSigned(x.arg))) || (x.kind === 'call' && x.args.some(usesSigned));

/** The bytes of `q - zero`, where the network computes the zero point. */
export function dynamicBytesOf({graph}: Module, id: ValueId): {readonly q: Value; readonly zero: Value} | null {
  const node = producerOf(graph, id);
  const found = node && simplifiedScalar(node, graph);
  const [q, zero] = found?.operands ?? [];
  if (!found || q?.type.dtype !== 'u8' || zero?.type.dtype !== 'f32' || elements(zero.type.shape) !== 1) return null;
  return printScalar(found.expression) === 'sub(f32(x0), x1)' ? {q, zero} : null;
}

const isCast = (x: Scalar, to: DType): boolean => x.kind === 'cast' && x.to === to && x.arg.kind === 'arg' && x.arg.index === 0;

/** n of `f32(x0) - n` or `x0 - n`, 0 of `f32(x0)`. */
function offsetOf(expression: Scalar): number | null {
  const isOperand = (x: Scalar | undefined): boolean =>
    x?.kind === 'arg' || (x?.kind === 'cast' && x.to === 'f32' && x.arg.kind === 'arg');
  if (expression.kind === 'cast' && isOperand(expression)) return 0;
  if (expression.kind !== 'call' || expression.fn !== 'sub') return null;
  const [x, n] = expression.args;
  return isOperand(x) && n?.kind === 'lit' && Number.isInteger(n.value) ? n.value : null;
}

type Parts = {readonly x: Scalar; readonly zero: number; readonly low: number; readonly high: number};

/** Of a node that gives i8(clamp(add(round(x), zero), low, high)), and not to the caller. */
export function signedRounding(node: Node, module: Module): (Parts & {readonly operands: readonly Value[]}) | null {
  const [{id, type}] = node.outputs;
  if (type.dtype !== 'i8' || isHeadOutput(module, id)) return null;
  const found = simplifiedScalar(node, module.graph);
  const parts = found && partsOfRounding(found.expression, 'i8');
  return parts && {...parts, operands: found.operands};
}

/** Of T(clamp(add(round(x), zero), low, high)). */
export function partsOfRounding(expression: Scalar, to: DType): Parts | null {
  const rounding = expression.kind === 'cast' && expression.to === to ? roundingOf(expression.arg) : null;
  if (!rounding) return null;
  const {x, offset, low, high} = rounding;
  if (offset.kind !== 'lit' || low.kind !== 'lit' || high.kind !== 'lit') return null;
  return {x, zero: offset.value, low: low.value, high: high.value};
}

/** The meaning of an element-wise node, its constants of one element being numbers. */
export function simplifiedScalar(
  node: Node,
  graph: Graph,
): {readonly expression: Scalar; readonly operands: readonly Value[]} | null {
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
