/** Networks of half-width floats compute in f32: halves stay at the edges of the network, and where it casts to one. */
import {type Editor, editor} from '../../ir/edit.js';
import {constantOf, valueAt} from '../../ir/graph.js';
import {type Builder, type Call, isOp} from '../../ir/op.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {cast as castOp} from '../../ir/ops/elementwise/index.js';
import {opOf} from '../../ir/ops/index.js';
import {linear} from '../../ir/ops/linear/index.js';
import {map} from '../../ir/ops/map/index.js';
import {cast, type Scalar, typeOfScalar} from '../../ir/scalar/expression.js';
import {parseScalar, printScalar} from '../../ir/scalar/text.js';
import {numbersOf, tensorFrom, tensorOf} from '../../ir/tensor.js';
import type {Attrs, DType, Module, Node, TensorType, Value, ValueId} from '../../ir/types.js';
import {definePass, type PassContext} from '../framework/pass.js';

export const widenHalves = definePass({
  name: 'widen-halves',
  summary: 'half-width floats are computed in f32',
  requires: ['well-formed'],
  establishes: [],
  breaks: [],
  // What a network rounds to 8 bits of bfloat16 after every node is not rounded here.
  tolerance: 0.05,
  stats: {widened: 'nodes that compute in f32'},
  run,
});

const isHalf = (dtype: DType): boolean => dtype === 'f16' || dtype === 'bf16';

function run(module: Module, context: PassContext): Module {
  const {graph} = module;
  const edit = editor(module, widenHalves.name);
  const wide = new Map<ValueId, Value>();
  const emitted: Node[] = [];
  for (const node of graph.nodes) {
    const types = node.inputs.map(id => (id === null ? null : valueAt(graph, id).type));
    const touches = [...types, ...node.outputs.map(({type}) => type)].some(type => type && isHalf(type.dtype));
    if (storesHalves(node, types)) continue;
    const reads = node.inputs.some(id => id !== null && wide.has(id));
    if (!touches || (!reads && onlyConverts({attrs: node.attrs, inputs: types}, node))) continue;
    const build = edit.before(node);
    const operands = node.inputs.map(id => (id === null ? null : widened(module, build, wide, id)));
    const results = emitWide(build, node, operands);
    node.outputs.forEach((output, i) => {
      const result = results[i]!;
      if (isHalf(output.type.dtype)) wide.set(output.id, result);
      else edit.redirect(output.id, result);
    });
    emitted.push(node);
    context.count('widened');
  }
  narrowHeads(module, edit, emitted, wide);
  return edit.finish();
}

/** Whether a node computes in f32 already, by weights that are stored as halves. */
const storesHalves = (node: Node, [x, w]: readonly (TensorType | null)[]): boolean =>
  (isOp(node, conv2d) || isOp(node, linear)) && x?.dtype === 'f32' && w !== null && w !== undefined && isHalf(w.dtype);

/** Whether an element-wise node casts halves, from and to other types, and does nothing else with them. */
function onlyConverts(call: Call, node: Node): boolean {
  const expression = opOf(node).scalar?.(call);
  const args = call.inputs.map(type => type?.dtype ?? 'f32');
  const computes = (x: Scalar): boolean => {
    if (x.kind === 'cast') return computes(x.arg);
    if (x.kind !== 'call') return false;
    return x.args.some(inner => isHalf(typeOfScalar(inner, args) ?? 'f32') || computes(inner));
  };
  return expression !== undefined && expression.kind !== 'arg' && !computes(expression);
}

/** The f32 form of an operand; other types as they are. */
function widened({graph}: Module, build: Builder, wide: Map<ValueId, Value>, id: ValueId): Value {
  const value = valueAt(graph, id);
  if (!isHalf(value.type.dtype)) return value;
  const known = wide.get(id);
  if (known) return known;
  const constant = constantOf(graph, id);
  const {dtype, shape} = value.type;
  const made = constant
    ? build.literal(tensorFrom('f32', shape, numbersOf(tensorOf(dtype, shape, constant.blob.bytes))), value.name)
    : build.emit(castOp, [value], {to: 'f32'})[0];
  wide.set(id, made);
  return made;
}

function emitWide(build: Builder, node: Node, operands: readonly (Value | null)[]): readonly Value[] {
  if (isOp(node, castOp)) {
    const [from] = operands;
    const {to} = node.attrs;
    if (isHalf(to)) return build.emit(map, [from ?? null], {expression: `f32(${to}(x0))`});
    return from && from.type.dtype === to ? [from] : build.emit(castOp, [from ?? null], {to});
  }
  return build.emit<Attrs>(opOf(node), operands, isOp(node, map) ? {expression: roundInside(node.attrs.expression)} : node.attrs);
}

/** A cast to a half inside an expression rounds, and goes on in f32. */
function roundInside(text: string): string {
  const expression = parseScalar(text);
  return expression ? printScalar(roundCasts(expression)) : text;
}

function roundCasts(expression: Scalar): Scalar {
  if (expression.kind === 'cast') {
    const inner = cast(expression.to, roundCasts(expression.arg));
    return isHalf(expression.to) ? cast('f32', inner) : inner;
  }
  return expression.kind === 'call' ? {...expression, args: expression.args.map(roundCasts)} : expression;
}

/** What a head returns keeps its type. */
function narrowHeads(module: Module, edit: Editor, nodes: readonly Node[], wide: ReadonlyMap<ValueId, Value>): void {
  const returned = new Set(module.heads.flatMap(head => head.outputs));
  for (const node of nodes)
    for (const {id, type} of node.outputs) {
      const value = wide.get(id);
      if (value && returned.has(id)) edit.redirect(id, edit.before(node).emit(castOp, [value], {to: type.dtype})[0]);
    }
}
