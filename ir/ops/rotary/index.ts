/** ONNX's RotaryEmbedding: pairs of channels turn by an angle that grows with their place (Su et al. 2021, RoFormer). No op of its own. */
import type {FromOnnx, OnnxCall} from '../../op.js';
import type {Value} from '../../types.js';
import {concat} from '../concat/index.js';
import {gather} from '../gather/index.js';
import {map} from '../map/index.js';
import {reshapeTo} from '../reshape/index.js';
import {sliceAxis} from '../slice/index.js';

export const rotaryImporters: Readonly<Record<string, FromOnnx>> = {RotaryEmbedding: importRotary};

/** Operands: x as [b][heads][n][size] or [b][n][heads * size], tables of cosines and sines, and the row of the tables for each place. */
function importRotary(onnx: OnnxCall): readonly Value[] {
  const given = onnx.input(0);
  const heads = onnx.int('num_heads', 0);
  const byHeads = given.type.shape.length === 4;
  const x = byHeads ? given : parted(onnx, given, heads);
  const size = x.type.shape[3]!;
  const turned = onnx.int('rotary_embedding_dim', 0) || size;
  if (turned % 2 !== 0 || turned > size) onnx.invalid(`rotary_embedding_dim ${turned} is not an even part of ${size} channels`);
  // The tables have no heads.
  const table = (index: number): Value => {
    const rows = rowsOf(onnx, index, turned / 2);
    const [batch, places, half] = rows.type.shape as [number, number, number];
    const [b, n] = [x.type.shape[0]!, x.type.shape[byHeads ? 2 : 1]!];
    if (batch !== b || places !== n) onnx.invalid(`the table is [${rows.type.shape}] for ${b} samples of ${n} places`);
    return reshapeTo(onnx, rows, byHeads ? [b, 1, n, half] : [b, n, 1, half])[0];
  };
  const part = sliceAxis(onnx, x, 3, 0, turned);
  const rotated = rotate(onnx, part, table(1), table(2), onnx.int('interleaved', 0) !== 0);
  const whole =
    turned === size ? rotated : onnx.emit(concat, [rotated, sliceAxis(onnx, x, 3, turned, size - turned)], {axis: 3})[0];
  return reshapeTo(onnx, whole, given.type.shape);
}

/** [b][n][heads * size] -> [b][n][heads][size] */
function parted(onnx: OnnxCall, x: Value, heads: number): Value {
  const [batch, places, hidden] = x.type.shape as [number, number, number];
  if (x.type.shape.length !== 3) onnx.invalid(`x is [${x.type.shape}] and has neither three nor four axes`);
  if (heads < 1 || hidden % heads !== 0) onnx.invalid(`num_heads ${heads} does not divide ${hidden} channels`);
  return reshapeTo(onnx, x, [batch, places, heads, hidden / heads])[0];
}

/** Of each place its row of table `index`: [b][n][half]. */
function rowsOf(onnx: OnnxCall, index: number, half: number): Value {
  const [table, ids] = [onnx.input(index), onnx.inputs[3] ?? null];
  const rows = ids ? onnx.emit(gather, [table, ids], {axis: 0})[0] : table;
  const {shape} = rows.type;
  if (shape.length !== 3 || shape[2] !== half)
    onnx.invalid(`the table is [${table.type.shape}], not of ${half} angles for each place`);
  return rows;
}

/** (a, b) -> (a cos - b sin, a sin + b cos), where a and b are the halves of the channels, or with `interleaved` neighbours. */
function rotate(onnx: OnnxCall, x: Value, cosines: Value, sines: Value, interleaved: boolean): Value {
  const {shape} = x.type;
  const half = shape[3]! / 2;
  const [pairs] = interleaved ? reshapeTo(onnx, x, [...shape.slice(0, 3), half, 2]) : [x];
  const axis = pairs.type.shape.length - 1;
  const each = interleaved ? 1 : half;
  const side = (at: number): Value =>
    reshapeTo(onnx, sliceAxis(onnx, pairs, axis, at * each, each), [...shape.slice(0, 3), half])[0];
  const operands = [side(0), side(1), cosines, sines];
  const parts = ['sub(mul(x0, x2), mul(x1, x3))', 'add(mul(x0, x3), mul(x1, x2))'].map(expression => {
    const [y] = onnx.emit(map, operands, {expression});
    return reshapeTo(onnx, y, pairs.type.shape.with(axis, each))[0];
  });
  return reshapeTo(onnx, onnx.emit(concat, parts, {axis})[0], shape)[0];
}
