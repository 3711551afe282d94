/**
 * Sums of products of quantized numbers, exactly. Where no sum can reach 2^24 the f32 ops are exact in any order of addition,
 * and what follows fuses into them; elsewhere the i32 ops do it.
 */
import type {OnnxCall} from '../../op.js';
import {elements, numberAt, type Tensor} from '../../tensor.js';
import type {DType, Value} from '../../types.js';
import {broadcastShape} from '../common/broadcast.js';
import {noEpilogue} from '../common/epilogue.js';
import {limits} from '../common/quantization.js';
import {windowFromOnnx} from '../common/window.js';
import {conv2d} from '../conv2d/index.js';
import {asRow} from '../conv2d/onnx.js';
import {cast} from '../elementwise/index.js';
import {expandTo} from '../expand/index.js';
import {integerMatmul} from '../integer_matmul/index.js';
import {map} from '../map/index.js';
import {matmul} from '../matmul/index.js';
import {plainConv} from '../plain_conv/index.js';
import {reshapeTo} from '../reshape/index.js';
import {transposeTo} from '../transpose/index.js';

/** Operands by place, -1 where there is none. */
type Factor = {readonly x: number; readonly zero: number};

/** Places of the factors and of an i32 bias; `zeroShape` is how zero points of the second factor broadcast against it. */
type Product = {readonly left: Factor; readonly right: Factor; readonly bias: number; readonly zeroShape: readonly number[]};

/** Whether no sum can reach 2^24. `columnOf` says to which output an element of the second factor contributes. */
function isExact(onnx: OnnxCall, {left, right, bias}: Product, columns: number, columnOf: (at: number) => number): boolean {
  const [w, zeros] = [onnx.constantOrNull(right.x), onnx.inputs[right.zero] ? onnx.constantOrNull(right.zero) : null];
  const b = onnx.inputs[bias] ? onnx.constantOrNull(bias) : null;
  if (b && b.data.length !== columns) return false;
  if (!w || (onnx.inputs[right.zero] && !zeros) || (onnx.inputs[bias] && !b)) return false;
  const largest = largestOf(onnx, left);
  const sums = Array.from({length: columns}, (_, column) => (b ? Math.abs(numberAt(b, column)) : 0));
  for (let at = 0; at < w.data.length; at++)
    sums[columnOf(at)]! += largest * Math.abs(numberAt(w, at) - zeroAt(zeros, columnOf(at)));
  return sums.every(sum => sum < 2 ** 24);
}

const zeroAt = (zeros: Tensor | null, column: number): number =>
  zeros ? numberAt(zeros, zeros.data.length === 1 ? 0 : column) : 0;

/** The largest |x - zero point| there can be. */
function largestOf(onnx: OnnxCall, {x, zero}: Factor): number {
  const [low, high] = limits[onnx.input(x).type.dtype] ?? onnx.unsupported(`${onnx.op} of ${onnx.input(x).type.dtype}`);
  const known = onnx.inputs[zero] ? onnx.constantOrNull(zero) : null;
  if (onnx.inputs[zero] && !known) return high - low;
  return Math.max(Math.abs(low - zeroAt(known, 0)), Math.abs(high - zeroAt(known, 0)));
}

/** x - zero point in the given type. */
function centered(onnx: OnnxCall, {x, zero}: Factor, to: DType, zeroShape: readonly number[]): Value {
  const [value, offset] = [onnx.input(x), onnx.inputs[zero]];
  if (!offset) return onnx.emit(cast, [value], {to})[0];
  const [whole] = onnx.emit(cast, [offset], {to});
  const [shaped] = reshapeTo(onnx, whole, elements(whole.type.shape) === 1 ? [] : zeroShape);
  return onnx.emit(map, [value, shaped], {expression: `sub(${to}(x0), x1)`})[0];
}

/** The sums of a convolution, as f32 or i32. */
export function convolved(onnx: OnnxCall, product: Omit<Product, 'zeroShape'>): Value {
  const [x, w] = [onnx.input(product.left.x), onnx.input(product.right.x)];
  const outputs = w.type.shape[0]!;
  if (x.type.shape.length > 4) onnx.unsupported('a quantized convolution over three spatial axes', 'leave it in float');
  const window = windowFromOnnx(onnx, x.type.shape.slice(2), w.type.shape.slice(2));
  const attrs = {strides: window.strides, dilations: window.dilations, pads: window.pads, groups: onnx.int('group', 1)};
  const places = {...product, zeroShape: [outputs, ...w.type.shape.slice(1).map(() => 1)]};
  const each = elements(w.type.shape) / outputs;
  const exact = isExact(onnx, places, outputs, at => Math.floor(at / each));
  const [left, right] = factors(onnx, places, exact ? 'f32' : 'i32');
  const image = (value: Value): Value => (value.type.shape.length === 3 ? asRow(onnx, value) : value);
  const bias = onnx.inputs[product.bias] ? onnx.input(product.bias) : null;
  const real = exact && bias ? onnx.emit(cast, [bias], {to: 'f32'})[0] : null;
  const [y] = exact
    ? onnx.emit(conv2d, [image(left), image(right), real], {...attrs, ...noEpilogue})
    : onnx.emit(plainConv, [image(left), image(right)], attrs);
  const sum = bias && !exact ? onnx.emit(map, [y, reshapeTo(onnx, bias, [outputs, 1, 1])[0]], {expression: 'add(x0, x1)'})[0] : y;
  return x.type.shape.length === 3 ? reshapeTo(onnx, sum, [sum.type.shape[0]!, outputs, sum.type.shape[3]!])[0] : sum;
}

const factors = (onnx: OnnxCall, {left, right, zeroShape}: Product, to: DType): readonly [Value, Value] => [
  centered(onnx, left, to, onnx.inputs[left.zero] ? rowShape(onnx, left) : []),
  centered(onnx, right, to, zeroShape),
];

/** A zero point for each row of the first factor of a matrix product. */
function rowShape(onnx: OnnxCall, {zero}: Factor): readonly number[] {
  const {shape} = onnx.input(zero).type;
  return shape.length === 1 ? [...shape, 1] : shape;
}

/** The sums of a matrix product, as f32 or i32. A vector gets an axis of 1, which the result then loses. `turned`: w is [column][k]. */
export function multiplied(onnx: OnnxCall, product: Omit<Product, 'zeroShape'>, turned = false): Value {
  const w = onnx.input(product.right.x);
  const columns = turned ? w.type.shape[0]! : w.type.shape.length > 1 ? w.type.shape.at(-1)! : 1;
  const {shape} = product.right.zero >= 0 && onnx.inputs[product.right.zero] ? onnx.input(product.right.zero).type : w.type;
  const places = {...product, zeroShape: turned ? [columns, 1] : shape};
  const inner = elements(w.type.shape) / columns;
  // A zero point for each column of each matrix of a batch is rare; the i32 product takes it.
  const simple = w.type.shape.length <= 2;
  const exact = simple && isExact(onnx, places, columns, at => (turned ? Math.floor(at / inner) : at % columns));
  const [left, given] = factors(onnx, places, exact ? 'f32' : 'i32');
  const right = turned ? transposeTo(onnx, given, [1, 0]) : given;
  const [rowVector, columnVector] = [left.type.shape.length === 1, right.type.shape.length === 1];
  const [a] = rowVector ? reshapeTo(onnx, left, [1, ...left.type.shape]) : [left];
  const [b] = columnVector ? reshapeTo(onnx, right, [...right.type.shape, 1]) : [right];
  const y = exact ? onnx.emit(matmul, [a, b], noEpilogue)[0] : batched(onnx, a, b);
  const rank = y.type.shape.length;
  return reshapeTo(
    onnx,
    y,
    y.type.shape.filter((_, i) => !(rowVector && i === rank - 2) && !(columnVector && i === rank - 1)),
  )[0];
}

function batched(onnx: OnnxCall, a: Value, b: Value): Value {
  const [left, right] = [a.type.shape, b.type.shape];
  const lead =
    broadcastShape([left.slice(0, -2), right.slice(0, -2)]) ?? onnx.invalid(`[${left}] and [${right}] do not broadcast`);
  const wide = (value: Value): Value => expandTo(onnx, value, [...lead, ...value.type.shape.slice(-2)]);
  return onnx.emit(integerMatmul, [wide(a), wide(b)], {})[0];
}
