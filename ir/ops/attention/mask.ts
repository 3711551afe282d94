/**
 * Which keys a query sees. Bounds that follow from places alone (causal, window) become a comparison of row and column in the
 * step on the scores, so nothing of the size of the scores is stored. With a mask that is a tensor, or with lengths that the
 * input tells, everything is collected in one bias first, which is added to the scores.
 */
import type {OnnxCall} from '../../op.js';
import {printNumber} from '../../scalar/text.js';
import {filled, tensorFrom} from '../../tensor.js';
import type {DType, Value} from '../../types.js';
import {add, cast} from '../elementwise/index.js';
import {map} from '../map/index.js';
import {pad} from '../pad/index.js';
import {reduceAlong} from '../reduce/index.js';
import {reshapeTo} from '../reshape/index.js';

export type Mask = {
  /** The scores x0 masked with the help of `operands`, which are x1, x2, ... and broadcast to [batch][heads][queries][keys]. */
  readonly visible: string;
  readonly operands: readonly Value[];
  /** -inf for queries that see no key; null where there are none. [..][queries][1] */
  readonly hidden: Value | null;
};

export const noMask: Mask = {visible: 'x0', operands: [], hidden: null};

/** Query i stands at p = i + offset and sees the keys from p - left to p + right; infinite where unbounded. */
export type Window = {readonly left: number; readonly right: number};
export const everywhere: Window = {left: Number.POSITIVE_INFINITY, right: Number.POSITIVE_INFINITY};

export type Masking = {
  readonly dtype: DType;
  readonly queries: number;
  readonly keys: number;
  readonly window: Window;
  /** Keys before the first query. With `lengths` the last query stands at the last key that counts. */
  readonly offset: number;
  /** Added to the scores, of type `dtype`. */
  readonly bias: Value | null;
  /** How many keys count, [batch] of any integer type. */
  readonly lengths: Value | null;
};

export function maskOf(onnx: OnnxCall, masking: Masking): Mask {
  const {dtype, queries, keys, window, bias, lengths} = masking;
  const bounded = window.left !== Number.POSITIVE_INFINITY || window.right !== Number.POSITIVE_INFINITY;
  if (!bounded && !bias && !lengths) return noMask;
  const count = lengths && asColumn(onnx, lengths, dtype);
  const first = count ? -queries : masking.offset;
  const places = Array.from({length: queries}, (_, i) => first + i);
  const rows = onnx.literal(tensorFrom(dtype, [queries, 1], places));
  const columns = onnx.literal(tensorFrom(dtype, [keys], new Array(keys).keys()));
  if (!bias && !count) {
    const empty = places.map(place => place + window.right < 0 || place - window.left > keys - 1);
    const levels = empty.map(is => (is ? Number.NEGATIVE_INFINITY : 0));
    const hidden = empty.includes(true) ? onnx.literal(tensorFrom(dtype, [queries, 1], levels)) : null;
    return {visible: within(window, 'x0', 'x1', 'x2'), operands: [rows, columns], hidden};
  }
  let whole = bias ?? onnx.literal(filled(dtype, [1, 1], 0));
  if (count) [whole] = onnx.emit(map, [whole, columns, count], {expression: 'select(lt(x1, x2), x0, -inf)'});
  if (bounded) {
    const [at] = count ? onnx.emit(add, [rows, count], {}) : [rows];
    [whole] = onnx.emit(map, [whole, at, columns], {expression: within(window, 'x0', 'x1', 'x2')});
  }
  const hidden = reduceAlong(onnx, whole, 'max', [whole.type.shape.length - 1], true);
  return {visible: 'add(x0, x1)', operands: [whole], hidden};
}

/** `value` where the column lies in the window around the row, else -inf. */
function within({left, right}: Window, value: string, row: string, column: string): string {
  const shifted = (by: number): string => (by === 0 ? row : `add(${row}, ${printNumber(by)})`);
  const upper = right === Number.POSITIVE_INFINITY ? value : `select(le(${column}, ${shifted(right)}), ${value}, -inf)`;
  return left === Number.POSITIVE_INFINITY ? upper : `select(le(${shifted(-left)}, ${column}), ${upper}, -inf)`;
}

const asColumn = (onnx: OnnxCall, lengths: Value, dtype: DType): Value =>
  onnx.emit(cast, reshapeTo(onnx, lengths, [lengths.type.shape[0]!, 1, 1, 1]), {to: dtype})[0];

/** A mask as a bias: where it is a truth value, `off` where it is false. Missing keys at its end do not count. */
export function biasOf(onnx: OnnxCall, mask: Value, keys: number, dtype: DType, off = Number.NEGATIVE_INFINITY): Value {
  const {shape} = mask.type;
  const [matrix] = shape.length < 2 ? reshapeTo(onnx, mask, [1, ...shape]) : [mask];
  const truth = mask.type.dtype === 'bool';
  const [bias] = truth ? onnx.emit(map, [matrix], {expression: `select(x0, ${dtype}(0), ${printNumber(off)})`}) : [matrix];
  const missing = keys - (shape.at(-1) ?? 1);
  if (missing <= 0) return bias;
  const pads = [...bias.type.shape.map(() => 0), ...bias.type.shape.map(() => 0).with(-1, missing)];
  return onnx.emit(pad, [bias], {pads, value: Number.NEGATIVE_INFINITY})[0];
}
