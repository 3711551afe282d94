/**
 * Attention as other ops say it: y = softmax(softcap(q * k' * scale) + mask) * v, head by head. The scale, the cap and the mask
 * are element-wise steps on the scores, which become the epilogue of the first product.
 * Vaswani et al. 2017, Attention Is All You Need; heads that share keys: Ainslie et al. 2023, GQA.
 */
import type {OnnxCall} from '../../op.js';
import {printNumber} from '../../scalar/text.js';
import type {DType, Value} from '../../types.js';
import {cast} from '../elementwise/index.js';
import {map} from '../map/index.js';
import {productOf} from '../matmul/index.js';
import {reshapeTo} from '../reshape/index.js';
import {softmax} from '../softmax/index.js';
import {transposeTo} from '../transpose/index.js';
import type {Mask} from './mask.js';

/** q is [batch][heads][queries][size]; k and v are [batch][groups][keys][size], `groups` dividing `heads`. */
export type Heads = {readonly q: Value; readonly k: Value; readonly v: Value};

export type AttendOptions = {
  readonly scale: number;
  /** 0: none. */
  readonly softcap: number;
  readonly mask: Mask;
  /** Element type of the softmax. */
  readonly precision: DType;
  /** What else is wanted; null: nothing. */
  readonly exposed: Stage | null;
};

/** The scores on their way: scaled, capped, masked, and as probabilities. */
export type Stage = (typeof stages)[number];
export const stages = ['scaled', 'capped', 'masked', 'probabilities'] as const;

/** The result, [batch][heads][queries][size of v], and the scores that were asked for, [batch][heads][queries][keys]. */
export function attend(onnx: OnnxCall, {q, k, v}: Heads, options: AttendOptions): {y: Value; exposed: Value | null} {
  const [batch, heads, queries] = q.type.shape as [number, number, number, number];
  const [groups, keys] = [k.type.shape[1]!, k.type.shape[2]!];
  const split = splitHeads(onnx, heads, groups);
  const shared = (value: Value): Value =>
    groups === heads ? value : reshapeTo(onnx, value, value.type.shape.toSpliced(2, 0, 1))[0];
  const turned = transposeTo(onnx, k, [0, 1, 3, 2]);
  const step = (operands: readonly Value[], expression: string): Value =>
    expression === 'x0' ? operands[0]! : onnx.emit(map, operands, {expression})[0];

  const product = productOf(onnx, split(q), shared(turned));
  const scaled = step([product], options.scale === 1 ? 'x0' : `mul(x0, ${printNumber(options.scale)})`);
  const cap = printNumber(options.softcap);
  const capped = step([scaled], options.softcap === 0 ? 'x0' : `mul(tanh(div(x0, ${cap})), ${cap})`);
  const {visible, operands, hidden} = options.mask;
  const masked = step([capped, ...operands.map(split)], visible);
  const softened = softmaxIn(onnx, masked, options.precision);
  const empty = hidden && split(hidden);
  const unlessEmpty = (value: Value): Value => (empty ? step([value, empty], 'select(eq(x1, -inf), 0, x0)') : value);
  const y = unlessEmpty(productOf(onnx, softened, shared(v)));
  const found = {scaled, capped, masked, probabilities: softened};
  const asked = options.exposed && found[options.exposed];
  const exposed = options.exposed === 'probabilities' ? unlessEmpty(softened) : asked;
  return {
    y: reshapeTo(onnx, y, [batch, heads, queries, v.type.shape[3]!])[0],
    exposed: exposed && reshapeTo(onnx, exposed, [batch, heads, queries, keys])[0],
  };
}

/** Heads that share keys get an axis of their own: [b][heads][..] -> [b][groups][heads of a group][..]. Broadcast axes stay so. */
function splitHeads(onnx: OnnxCall, heads: number, groups: number): (value: Value) => Value {
  return value => {
    const {shape} = value.type;
    const axis = shape.length - 3;
    if (groups === heads || axis < 0) return value;
    const parts = shape[axis] === 1 ? [1, 1] : [groups, heads / groups];
    return reshapeTo(onnx, value, shape.toSpliced(axis, 1, ...parts))[0];
  };
}

function softmaxIn(onnx: OnnxCall, x: Value, precision: DType): Value {
  const own = x.type.dtype === precision;
  const [wide] = own ? [x] : onnx.emit(cast, [x], {to: precision});
  const [y] = onnx.emit(softmax, [wide], {axis: x.type.shape.length - 1, log: false});
  return own ? y : onnx.emit(cast, [y], {to: x.type.dtype})[0];
}
