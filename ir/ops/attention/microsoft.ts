/** Attention as onnxruntime's transformer optimizer writes it, in the domain com.microsoft. Decoders with caches of their own are refused. */
import type {FromOnnx, OnnxCall} from '../../op.js';
import {tensorFrom} from '../../tensor.js';
import type {Value} from '../../types.js';
import {add, cast} from '../elementwise/index.js';
import {map} from '../map/index.js';
import {productOf} from '../matmul/index.js';
import {reshapeTo} from '../reshape/index.js';
import {sliceAxis} from '../slice/index.js';
import {transposeTo} from '../transpose/index.js';
import {attend, type Heads} from './attend.js';
import {checked, extended, fitting, joined, parted} from './heads.js';
import {biasOf, everywhere, maskOf} from './mask.js';

export const microsoftAttention: Readonly<Record<string, FromOnnx>> = {
  Attention: importPacked,
  MultiHeadAttention: importMultiHead,
};

/** Operands: x, weights of queries, keys and values side by side, their bias, a mask, and a bias of the scores. */
function importPacked(onnx: OnnxCall): readonly (Value | null)[] {
  refuse(onnx, [4, 6], ['do_rotary', 'past_present_share_buffer']);
  if (onnx.outputCount > 1) onnx.unsupported('keys and values as results', noCache);
  const [x, weights] = [onnx.input(0), onnx.input(1)];
  if (x.type.shape.length !== 3) onnx.invalid(`x is [${x.type.shape}], not [batch][places][channels]`);
  const product = productOf(onnx, x, weights);
  const sums = onnx.inputs[2] ? onnx.emit(add, [product, onnx.input(2)], {})[0] : product;
  const width = sums.type.shape[2]!;
  const sizes = onnx.has('qkv_hidden_sizes') ? onnx.ints('qkv_hidden_sizes') : [width / 3, width / 3, width / 3];
  const [q, k, v] = threeParts(onnx, sums, 2, sizes);
  const heads = onnx.int('num_heads');
  return [
    attended(onnx, {q: parted(onnx, q, heads), k: parted(onnx, k, heads), v: parted(onnx, v, heads)}, {mask: 3, bias: 5}, 0),
  ];
}

/** Operands: queries, keys, values, their bias, a mask of keys, a bias of the scores, and past keys and values. */
function importMultiHead(onnx: OnnxCall): readonly (Value | null)[] {
  refuse(onnx, [8, 9], []);
  if (onnx.outputCount > 3) onnx.unsupported('the scores as a result', noCache);
  const [pastKeys, pastValues] = [onnx.inputs[6] ?? null, onnx.inputs[7] ?? null];
  if (!pastKeys !== !pastValues) onnx.invalid('past_key and past_value come together');
  const {q, k, v} = biased(onnx, separate(onnx, onnx.int('num_heads')));
  const heads = {q, k: extended(onnx, pastKeys, k), v: extended(onnx, pastValues, v)};
  return [attended(onnx, heads, {mask: 4, bias: 5}, pastKeys?.type.shape[2] ?? 0), heads.k, heads.v];
}

const noCache = 'export a classifier, which has no cache';

function refuse(onnx: OnnxCall, operands: readonly number[], attributes: readonly string[]): void {
  if (operands.some(index => onnx.inputs[index])) onnx.unsupported('a cache that grows in place', noCache);
  const set = attributes.find(name => onnx.int(name, 0) !== 0);
  if (set) onnx.unsupported(`${set} = 1`, noCache);
}

function threeParts(onnx: OnnxCall, value: Value, axis: number, sizes: readonly number[]): readonly [Value, Value, Value] {
  const [a, b, c] = sizes as [number, number, number];
  const width = value.type.shape[axis]!;
  if (sizes.length !== 3 || a + b + c !== width || !sizes.every(Number.isInteger))
    onnx.invalid(`[${sizes}] are not the sizes of three parts of ${width} channels`);
  const part = (start: number, size: number): Value => sliceAxis(onnx, value, axis, start, size);
  return [part(0, a), part(a, b), part(a + b, c)];
}

/** Queries, keys and values by heads, wherever they come from: an operand each, or several in one as its fourth of five axes. */
function separate(onnx: OnnxCall, count: number): Heads {
  const [first, second, third] = [onnx.input(0), onnx.inputs[1] ?? null, onnx.inputs[2] ?? null];
  const picked = (value: Value, at: number): Value => {
    const [batch, places, heads, , size] = value.type.shape as [number, number, number, number, number];
    const [flat] = reshapeTo(onnx, sliceAxis(onnx, value, 3, at, 1), [batch, places, heads, size]);
    return transposeTo(onnx, flat, [0, 2, 1, 3]);
  };
  const one = (value: Value): Value => {
    if (value.type.shape.length === 4) return value;
    return value.type.shape.length === 3 ? parted(onnx, value, count) : onnx.invalid(`an operand is [${value.type.shape}]`);
  };
  const packs = (value: Value, parts: number): boolean => value.type.shape.length === 5 && value.type.shape[3] === parts;
  if (!second && !third && packs(first, 3)) return {q: picked(first, 0), k: picked(first, 1), v: picked(first, 2)};
  if (second && !third && packs(second, 2)) return {q: one(first), k: picked(second, 0), v: picked(second, 1)};
  if (!second || !third) onnx.invalid('keys or values are missing');
  return {q: one(first), k: one(second), v: one(third)};
}

/** Operand 3 is a bias of the queries', keys' and values' channels, one after the other. */
function biased(onnx: OnnxCall, heads: Heads): Heads {
  const bias = onnx.inputs[3] ?? null;
  if (!bias) return heads;
  const channels = [heads.q, heads.k, heads.v].map(({type}) => type.shape[1]! * type.shape[3]!);
  const parts = threeParts(onnx, bias, 0, channels);
  const plus = (value: Value, part: Value): Value => {
    const [, count, , size] = value.type.shape as [number, number, number, number];
    return onnx.emit(add, [value, reshapeTo(onnx, part, [count, 1, size])[0]], {})[0];
  };
  return {q: plus(heads.q, parts[0]), k: plus(heads.k, parts[1]), v: plus(heads.v, parts[2])};
}

function attended(onnx: OnnxCall, given: Heads, {mask, bias}: {mask: number; bias: number}, offset: number): Value {
  const heads = checked(onnx, given);
  const {dtype, shape} = heads.q.type;
  const keys = heads.k.type.shape[2]!;
  const terms = [padding(onnx, onnx.inputs[mask] ?? null, heads), onnx.inputs[bias] ?? null].filter(term => term !== null);
  const whole = terms.length === 2 ? onnx.emit(add, terms, {})[0] : (terms[0] ?? null);
  const scale = onnx.float('scale', 0);
  const {y} = attend(onnx, heads, {
    scale: scale === 0 ? 1 / Math.sqrt(shape[3]!) : scale,
    softcap: 0,
    mask: maskOf(onnx, {
      ...{dtype, queries: shape[2]!, keys, offset, lengths: null},
      window: onnx.int('unidirectional', 0) ? {...everywhere, right: 0} : everywhere,
      bias: whole && fitting(onnx, whole, heads),
    }),
    precision: dtype,
    exposed: null,
  });
  return joined(onnx, y);
}

/** What the mask adds to the scores: for each key, for each query and key, or by the number of keys that count. */
function padding(onnx: OnnxCall, mask: Value | null, {q, k}: Heads): Value | null {
  if (!mask) return null;
  const {shape} = mask.type;
  const [batch, , queries] = q.type.shape as [number, number, number];
  const keys = k.type.shape[2]!;
  const off = onnx.float('mask_filter_value', -10000);
  const counts = (truth: Value): Value => biasOf(onnx, truth, keys, q.type.dtype, off);
  const truths = (axes: readonly number[]): Value => counts(onnx.emit(cast, reshapeTo(onnx, mask, axes), {to: 'bool'})[0]);
  if (String(shape) === `${[batch, keys]}`) return truths([batch, 1, 1, keys]);
  if (String(shape) === `${[batch, queries, keys]}`) return truths([batch, 1, queries, keys]);
  if (String(shape) !== `${batch}`)
    return onnx.unsupported(`a mask of shape [${shape}]`, `give one of shape [${batch}, ${keys}], 1 for keys that count`);
  const places = onnx.literal(tensorFrom(mask.type.dtype, [keys], new Array(keys).keys()));
  return counts(onnx.emit(map, [places, reshapeTo(onnx, mask, [batch, 1, 1, 1])[0]], {expression: 'lt(x0, x1)'})[0]);
}
