/** ONNX's Attention (opsets 23 to 25): products, one softmax, and what lies between as element-wise steps. No op of its own. */
import type {FromOnnx, OnnxCall} from '../../op.js';
import type {DType, Value} from '../../types.js';
import {attend, type Heads, stages} from './attend.js';
import {checked, extended, fitting, joined, parted} from './heads.js';
import {biasOf, maskOf, type Window} from './mask.js';

export const attentionImporters: Readonly<Record<string, FromOnnx>> = {Attention: importAttention};

/** Operands: Q, K, V, a mask, past keys and values, and how many keys count per sample. */
function importAttention(onnx: OnnxCall): readonly (Value | null)[] {
  const incoming = headsOf(onnx);
  const pastKeys = onnx.inputs[4] ?? null;
  const pastValues = onnx.inputs[5] ?? null;
  const lengths = onnx.inputs[6] ?? null;
  if (!pastKeys !== !pastValues) onnx.invalid('past_key and past_value come together');
  if (pastKeys && lengths) onnx.invalid('nonpad_kv_seqlen does not go with past_key and past_value');
  const heads = {...incoming, k: extended(onnx, pastKeys, incoming.k), v: extended(onnx, pastValues, incoming.v)};
  const {q, k, v} = checked(onnx, heads);
  const {dtype} = q.type;
  const [batch, , queries, size] = q.type.shape as [number, number, number, number];
  const keys = k.type.shape[2]!;
  if (lengths && String(lengths.type.shape) !== `${batch}`) onnx.invalid(`nonpad_kv_seqlen is not [${batch}]`);
  const mode = onnx.int('qk_matmul_output_mode', 0);
  const stage = stages[mode] ?? onnx.invalid(`qk_matmul_output_mode ${mode} is not 0, 1, 2 or 3`);
  const given = onnx.inputs[3] ?? null;
  const mask = maskOf(onnx, {
    ...{dtype, queries, keys, window: windowOf(onnx), lengths},
    offset: pastKeys ? pastKeys.type.shape[2]! : 0,
    bias: given && fitting(onnx, biasOf(onnx, given, keys, dtype), heads),
  });
  const {y, exposed} = attend(onnx, heads, {
    scale: onnx.float('scale', 1 / Math.sqrt(size)),
    softcap: onnx.float('softcap', 0),
    mask,
    precision: precisionOf(onnx, dtype),
    exposed: onnx.outputCount > 3 ? stage : null,
  });
  return [onnx.input(0).type.shape.length === 3 ? joined(onnx, y) : y, k, v, exposed];
}

/** [b][heads][n][size], made of [b][n][heads * size] where the operands have three axes. */
function headsOf(onnx: OnnxCall): Heads {
  const [q, k, v] = [onnx.input(0), onnx.input(1), onnx.input(2)];
  const rank = q.type.shape.length;
  if (![3, 4].includes(rank) || k.type.shape.length !== rank || v.type.shape.length !== rank)
    onnx.invalid('Q, K and V have all three or all four axes');
  if (rank === 4) return {q, k, v};
  const [heads, groups] = [onnx.int('q_num_heads', 0), onnx.int('kv_num_heads', 0)];
  if (heads < 1 || groups < 1) onnx.invalid('operands of three axes need q_num_heads and kv_num_heads');
  return {q: parted(onnx, q, heads), k: parted(onnx, k, groups), v: parted(onnx, v, groups)};
}

/** -1 leaves a side open; causal attention sees nothing to its right. */
function windowOf(onnx: OnnxCall): Window {
  const side = (name: string): number => {
    const size = onnx.int(name, -1);
    if (size < -1) onnx.invalid(`${name} ${size} is neither -1 nor a number of places`);
    return size === -1 ? Number.POSITIVE_INFINITY : size;
  };
  const right = side('right_window_size');
  return {left: side('left_window_size'), right: onnx.int('is_causal', 0) ? Math.min(right, 0) : right};
}

/** Half-width floats would lose what float32 has: only a wider type than the operands' own changes anything. */
function precisionOf(onnx: OnnxCall, own: DType): DType {
  if (!onnx.has('softmax_precision')) return own;
  const asked = onnx.dtypeOf(onnx.int('softmax_precision'));
  if (!asked || !['f16', 'bf16', 'f32', 'f64'].includes(asked)) onnx.invalid('softmax_precision is not a floating-point type');
  return asked === 'f64' || own === 'f64' ? 'f64' : own;
}
