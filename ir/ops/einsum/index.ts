/** ONNX's Einsum: sums, transpositions, products and matrix products, two operands at a time. No op of its own. */
import type {FromOnnx, OnnxCall} from '../../op.js';
import {elements, tensorFrom} from '../../tensor.js';
import type {Value} from '../../types.js';
import {dot, forEachIndex, stridesOf} from '../common/broadcast.js';
import {noEpilogue} from '../common/epilogue.js';
import {mul} from '../elementwise/index.js';
import {expandTo} from '../expand/index.js';
import {gather} from '../gather/index.js';
import {matmul} from '../matmul/index.js';
import {reduceAlong} from '../reduce/index.js';
import {reshapeTo} from '../reshape/index.js';
import {transposeTo} from '../transpose/index.js';
import {parseEquation} from './equation.js';

export const einsumImporters: Readonly<Record<string, FromOnnx>> = {Einsum: importEinsum};

/** A tensor and a label for each of its axes, all different. */
type Term = {readonly value: Value; readonly labels: readonly string[]};

function importEinsum(onnx: OnnxCall): readonly Value[] {
  const values = onnx.inputs.map((_, i) => onnx.input(i));
  const text = onnx.string('equation');
  const ranks = values.map(value => value.type.shape.length);
  const {operands, result} =
    parseEquation(text, ranks) ?? onnx.invalid(`equation "${text}" does not fit operands of ${ranks.join(', ')} axes`);
  const sizes = new Map<string, number>();
  operands.forEach((labels, i) => {
    labels.forEach((label, axis) => {
      const [size, known = 1] = [values[i]!.type.shape[axis]!, sizes.get(label)];
      if (size !== 1 && known !== 1 && size !== known) onnx.invalid(`"${label}" of equation "${text}" is ${known} and ${size}`);
      sizes.set(label, Math.max(size, known));
    });
  });
  const terms = operands.map((labels, i) => diagonal(onnx, {value: stretched(onnx, values[i]!, labels, sizes), labels}));
  const last = terms.reduce((left, right, i) => {
    const later = new Set([...result, ...terms.slice(i + 1).flatMap(term => term.labels)]);
    return product(onnx, left, right, later);
  });
  return [ordered(onnx, summed(onnx, last, new Set(result)), result)];
}

/** Axes of 1 take the size that the label has elsewhere. */
function stretched(onnx: OnnxCall, value: Value, labels: readonly string[], sizes: ReadonlyMap<string, number>): Value {
  return expandTo(
    onnx,
    value,
    labels.map(label => sizes.get(label)!),
  );
}

/** x[i][i] as y[i] */
function diagonal(onnx: OnnxCall, {value, labels}: Term): Term {
  const unique = [...new Set(labels)];
  if (unique.length === labels.length) return {value, labels};
  const {shape} = value.type;
  const strides = stridesOf(shape);
  const steps = unique.map(label => labels.reduce((sum, other, axis) => (other === label ? sum + strides[axis]! : sum), 0));
  const sizes = unique.map(label => shape[labels.indexOf(label)]!);
  const places: number[] = [];
  forEachIndex(sizes, index => places.push(dot(index, steps)));
  const [flat] = reshapeTo(onnx, value, [elements(shape)]);
  const [y] = onnx.emit(gather, [flat, onnx.literal(tensorFrom('i64', sizes, places))], {axis: 0});
  return {value: y, labels: unique};
}

/** Sums over what nobody needs. */
function summed(onnx: OnnxCall, {value, labels}: Term, needed: ReadonlySet<string>): Term {
  const axes = labels.flatMap((label, axis) => (needed.has(label) ? [] : [axis]));
  if (axes.length === 0) return {value, labels};
  return {value: reduceAlong(onnx, value, 'sum', axes, false), labels: labels.filter(label => needed.has(label))};
}

const ordered = (onnx: OnnxCall, {value, labels}: Term, wanted: readonly string[]): Value =>
  transposeTo(
    onnx,
    value,
    wanted.map(label => labels.indexOf(label)),
  );

/** The product of two terms, summed over the labels that both have and nobody needs later. */
function product(onnx: OnnxCall, first: Term, second: Term, later: ReadonlySet<string>): Term {
  const left = summed(onnx, first, new Set([...later, ...second.labels]));
  const right = summed(onnx, second, new Set([...later, ...first.labels]));
  const both = left.labels.filter(label => right.labels.includes(label));
  const [batch, inner] = [both.filter(label => later.has(label)), both.filter(label => !later.has(label))];
  const [rows, columns] = [
    left.labels.filter(label => !both.includes(label)),
    right.labels.filter(label => !both.includes(label)),
  ];
  const [a, b] = [ordered(onnx, left, [...batch, ...rows, ...inner]), ordered(onnx, right, [...batch, ...inner, ...columns])];
  const sizeOf = (labels: readonly string[], term: Term): readonly number[] =>
    labels.map(label => term.value.type.shape[term.labels.indexOf(label)]!);
  const [many, up, along, across] = [sizeOf(batch, left), sizeOf(rows, left), sizeOf(inner, left), sizeOf(columns, right)];
  const [n, m, k, c] = [elements(many), elements(up), elements(along), elements(across)];
  const labels = [...batch, ...rows, ...columns];
  const result = [...many, ...up, ...across];
  if (inner.length > 0 && a.type.dtype === 'f32') {
    const [y] = onnx.emit(matmul, [reshapeTo(onnx, a, [n, m, k])[0], reshapeTo(onnx, b, [n, k, c])[0]], noEpilogue);
    return {value: reshapeTo(onnx, y, result)[0], labels};
  }
  const [wide] = onnx.emit(mul, [reshapeTo(onnx, a, [n, m, k, 1])[0], reshapeTo(onnx, b, [n, 1, k, c])[0]], {});
  const sum = inner.length > 0 ? reduceAlong(onnx, wide, 'sum', [2], false) : wide;
  return {value: reshapeTo(onnx, sum, result)[0], labels};
}
