/** Queries, keys and values by heads: taken apart, put together, and whether they fit. */
import type {OnnxCall} from '../../op.js';
import type {Value} from '../../types.js';
import {broadcastShape} from '../common/broadcast.js';
import {concat} from '../concat/index.js';
import {reshapeTo} from '../reshape/index.js';
import {transposeTo} from '../transpose/index.js';
import type {Heads} from './attend.js';

/** [b][n][heads * size] -> [b][heads][n][size] */
export function parted(onnx: OnnxCall, value: Value, heads: number): Value {
  const [batch, places, hidden] = value.type.shape as [number, number, number];
  if (hidden % heads !== 0) onnx.invalid(`${heads} heads do not divide ${hidden} channels`);
  const [apart] = reshapeTo(onnx, value, [batch, places, heads, hidden / heads]);
  return transposeTo(onnx, apart, [0, 2, 1, 3]);
}

/** [b][heads][n][size] -> [b][n][heads * size] */
export function joined(onnx: OnnxCall, value: Value): Value {
  const [batch, heads, places, size] = value.type.shape as [number, number, number, number];
  return reshapeTo(onnx, transposeTo(onnx, value, [0, 2, 1, 3]), [batch, places, heads * size])[0];
}

/** What was there before, then what comes, along the keys. */
export function extended(onnx: OnnxCall, past: Value | null, coming: Value): Value {
  if (!past || past.type.shape[2] === 0) return coming;
  const fits = String(past.type.shape.toSpliced(2, 1)) === String(coming.type.shape.toSpliced(2, 1));
  if (!fits) onnx.invalid(`the past [${past.type.shape}] does not continue with [${coming.type.shape}]`);
  return onnx.emit(concat, [past, coming], {axis: 2})[0];
}

export function checked(onnx: OnnxCall, heads: Heads): Heads {
  const [q, k, v] = [heads.q, heads.k, heads.v].map(value => value.type.shape) as [Shape, Shape, Shape];
  const shapes = `Q [${q}], K [${k}] and V [${v}], as [batch][heads][places][size],`;
  if (q[0] !== k[0] || q[0] !== v[0]) onnx.invalid(`${shapes} differ in their batch`);
  if (k[1] !== v[1] || k[2] !== v[2]) onnx.invalid(`${shapes} have not a value for each key`);
  if (q[1] % k[1] !== 0) onnx.invalid(`${shapes} share no heads evenly`);
  if (q[3] !== k[3]) onnx.invalid(`${shapes} have queries and keys of different sizes`);
  return heads;
}

type Shape = readonly [batch: number, heads: number, places: number, size: number];

export function fitting(onnx: OnnxCall, bias: Value, {q, k}: Heads): Value {
  const scores = [...q.type.shape.slice(0, 3), k.type.shape[2]!];
  if (String(broadcastShape([bias.type.shape, scores])) !== String(scores))
    onnx.invalid(`the mask is [${bias.type.shape}] and does not broadcast to the scores [${scores}]`);
  if (bias.type.dtype !== q.type.dtype) onnx.invalid(`the mask is neither a truth value nor ${q.type.dtype}`);
  return bias;
}
