/** One number from all elements along some axes: sum, mean, product, maximum, norms and logarithms of sums. */
import {type Call, defineOp, type FromOnnx, type KernelContext, type OnnxCall, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {elements, filled, numbersOf} from '../../tensor.js';
import type {Value} from '../../types.js';
import {avgpool} from '../avgpool/index.js';
import {foldAxes} from '../common/fold.js';
import {poolDefaults} from '../common/pool.js';
import {cast} from '../elementwise/index.js';
import {maxpool} from '../maxpool/index.js';
import {axisOf, reshapeTo} from '../reshape/index.js';
import {transposeTo} from '../transpose/index.js';
import {emptyReduction, evaluateReduce, isReal, type ReduceKind, reducedShape, reduceKinds, wholeKinds} from './meaning.js';

/** `keep` leaves reduced axes as axes of size 1. */
export type ReduceAttrs = {readonly kind: ReduceKind; readonly axes: readonly number[]; readonly keep: boolean};

const shapeOf = (call: Call<ReduceAttrs>): readonly number[] =>
  reducedShape(typeAt(call, 0).shape, call.attrs.axes, call.attrs.keep);

export const reduce: OpDef<ReduceAttrs> = defineOp<ReduceAttrs>({
  name: 'reduce',
  summary: 'sum, mean, prod, max, min, l1, l2, sum_square, log_sum or log_sum_exp along axes',
  operands: ['x'],
  defaults: {keep: true},
  rules: [
    {id: 'reduce.kind', says: `kind is one of ${reduceKinds.join(', ')}`, holds: ({attrs}) => reduceKinds.includes(attrs.kind)},
    {
      id: 'reduce.axes',
      says: 'axes are different axes of x',
      holds: ({attrs: {axes}, inputs: [x]}) =>
        new Set(axes).size === axes.length && axes.every(axis => axis >= 0 && axis < (x?.shape.length ?? 0)),
    },
    {id: 'reduce.rank', says: 'x has at most four axes', holds: ({inputs: [x]}) => (x?.shape.length ?? 0) <= 4},
    {
      id: 'reduce.whole',
      says: 'integers have no mean, l2, log_sum and log_sum_exp, truth values only max and min',
      holds: ({attrs: {kind}, inputs: [x]}) =>
        x?.dtype === 'bool' ? kind === 'max' || kind === 'min' : isReal(x?.dtype ?? 'f32') || wholeKinds.has(kind),
    },
  ],
  infer: call => [{dtype: typeAt(call, 0).dtype, shape: shapeOf(call)}],
  evaluate: ({attrs: {kind, axes, keep}}, inputs) => [evaluateReduce(tensorAt(inputs, 0), kind, axes, keep)],
  fromOnnx: {
    ReduceSum: importer('sum', 13),
    ReduceMean: importer('mean', 18),
    ReduceProd: importer('prod', 18),
    ReduceMax: importer('max', 18),
    ReduceMin: importer('min', 18),
    ReduceL1: importer('l1', 18),
    ReduceL2: importer('l2', 18),
    ReduceSumSquare: importer('sum_square', 18),
    ReduceLogSum: importer('log_sum', 18),
    ReduceLogSumExp: importer('log_sum_exp', 18),
  },
  kernel: {
    layout: 'any',
    dtypes: ['f32', 'f64', 'i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64', 'bool'],
    lower: lowerReduce,
  },
});

/** Axes are an attribute before opset `since` and an operand from then on. */
function importer(kind: ReduceKind, since: number): FromOnnx {
  return onnx => {
    const x = onnx.input(0);
    const rank = x.type.shape.length;
    const operand = onnx.opset >= since && onnx.inputs[1];
    const given = operand ? numbersOf(onnx.constant(1, 'the axes')) : onnx.opset < since ? onnx.ints('axes', []) : [];
    const keep = onnx.int('keepdims', 1) !== 0;
    const axes = [...new Set(given.map(axis => axisOf(onnx, axis, rank)))].sort((a, b) => a - b);
    const all = axes.length === 0 && onnx.int('noop_with_empty_axes', 0) === 0;
    return [reduceAlong(onnx, x, kind, all ? x.type.shape.map((_, axis) => axis) : axes, keep)];
  };
}

/** Emits a reduction of any rank and type. Over the image of [n][c][h][w] it is a pool, which runs along channels. */
export function reduceAlong(onnx: OnnxCall, x: Value, kind: ReduceKind, axes: readonly number[], keep: boolean): Value {
  const {dtype, shape} = x.type;
  const result = reducedShape(shape, axes, keep);
  if (dtype === 'bool' && kind !== 'max' && kind !== 'min') onnx.invalid(`${onnx.op} of truth values`);
  if (elements(shape) === 0) return onnx.literal(filled(dtype, result, emptyReduction(kind, dtype)));
  if (!isReal(dtype) && !wholeKinds.has(kind)) {
    const [real] = onnx.emit(cast, [x], {to: 'f64'});
    return onnx.emit(cast, [reduceAlong(onnx, real, kind, axes, keep)], {to: dtype})[0];
  }
  if (dtype === 'f32' && shape.length === 4 && String(axes) === '2,3' && (kind === 'mean' || kind === 'max')) {
    const attrs = {...poolDefaults, kernel: shape.slice(2)};
    const [pooled] = kind === 'max' ? onnx.emit(maxpool, [x], attrs) : onnx.emit(avgpool, [x], {...attrs, includePad: false});
    return reshapeTo(onnx, pooled, result)[0];
  }
  const few = fewAxes(onnx, x, axes);
  const [y] = onnx.emit(reduce, [few.x], {kind, axes: few.axes, keep: keep && few.x === x});
  return reshapeTo(onnx, y, result)[0];
}

/** The same reduction with at most four axes: neighbours that are all reduced or all kept become one, else the reduced ones go last. */
function fewAxes(onnx: OnnxCall, x: Value, axes: readonly number[]): {x: Value; axes: readonly number[]} {
  const {shape} = x.type;
  if (axes.length === 0) return {x: reshapeTo(onnx, x, [elements(shape), 1])[0], axes: [1]};
  if (shape.length <= 4) return {x, axes};
  const runs: {size: number; reduced: boolean}[] = [];
  shape.forEach((size, axis) => {
    const reduced = axes.includes(axis);
    const last = runs.at(-1);
    if (last?.reduced === reduced) last.size *= size;
    else runs.push({size, reduced});
  });
  if (runs.length <= 4) {
    const merged = reshapeTo(
      onnx,
      x,
      runs.map(run => run.size),
    )[0];
    return {x: merged, axes: runs.flatMap((run, i) => (run.reduced ? [i] : []))};
  }
  const kept = shape.map((_, axis) => axis).filter(axis => !axes.includes(axis));
  const moved = transposeTo(onnx, x, [...kept, ...axes]);
  return fewAxes(
    onnx,
    moved,
    axes.map((_, i) => kept.length + i),
  );
}

/** Axes that step evenly are folded; the innermost of each kind comes last. */
function lowerReduce({attrs: {kind, axes, keep}, inputs, outputs}: KernelContext<ReduceAttrs>): KernelCall {
  const [x, y] = [inputs[0]!.view(), outputs[0]!];
  const kept = x.shape.map((_, axis) => axis).filter(axis => !axes.includes(axis));
  const pick = (list: readonly number[], from: readonly number[]): readonly number[] => from.map(axis => list[axis]!);
  const results = keep ? pick(y.strides, kept) : y.strides;
  const k = foldAxes(pick(x.shape, kept), [pick(x.strides, kept), results], 3);
  const r = foldAxes(pick(x.shape, axes), [pick(x.strides, axes)], 4);
  const named = (letter: string, list: readonly number[]) => Object.fromEntries(list.map((value, i) => [`${letter}${i}`, value]));
  const inner = k.at(-1)!;
  return {
    kind: 'kernel',
    contract: `reduce_${x.dtype}`,
    header: 'reduce/kernel.h',
    struct: 'reduce_shape',
    fields: {
      kind: reduceKinds.indexOf(kind),
      across: Number(inner.size > 1 && inner.steps[0] === 1),
      ...named(
        'k',
        k.map(axis => axis.size),
      ),
      ...named(
        'x',
        k.map(axis => axis.steps[0]!),
      ),
      ...named(
        'y',
        k.map(axis => axis.steps[1]!),
      ),
      ...named(
        'r',
        r.map(axis => axis.size),
      ),
      ...named(
        'z',
        r.map(axis => axis.steps[0]!),
      ),
    },
    params: [
      {name: 'x', role: 'read', view: x},
      {name: 'y', role: 'write', view: y},
    ],
    epilogue: null,
  };
}
