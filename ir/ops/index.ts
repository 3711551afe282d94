/** The registry: an import and a word per op. */
import {invariant} from '../diagnostics.js';
import type {FromOnnx, OpDef} from '../op.js';
import type {Node} from '../types.js';
import {affineGridImporters} from './affine_grid/index.js';
import {argmax} from './argmax/index.js';
import {attentionImporters} from './attention/index.js';
import {microsoftAttention} from './attention/microsoft.js';
import {audioTableImporters} from './audio_tables/index.js';
import {avgpool} from './avgpool/index.js';
import {batchnorm} from './batchnorm/index.js';
import {bitcast} from './bitcast/index.js';
import {causalConvImporters} from './causal_conv/index.js';
import {centerCropPadImporters} from './center_crop_pad/index.js';
import {col2imImporters} from './col2im/index.js';
import {concat} from './concat/index.js';
import {constantImporters} from './constant/index.js';
import {convTranspose} from './conv_transpose/index.js';
import {conv2d} from './conv2d/index.js';
import {conv2dU8} from './conv2d_u8/index.js';
import {cumulative} from './cumulative/index.js';
import {deformConvImporters} from './deform_conv/index.js';
import {depthToSpaceImporters} from './depth_to_space/index.js';
import {dequantize} from './dequantize/index.js';
import {einsumImporters} from './einsum/index.js';
import {elementwiseOps} from './elementwise/index.js';
import {expand} from './expand/index.js';
import {fourierImporters} from './fourier/index.js';
import {fusedImporters} from './fused/index.js';
import {gather} from './gather/index.js';
import {gridSample} from './grid_sample/index.js';
import {groupnorm} from './groupnorm/index.js';
import {integerMatmul} from './integer_matmul/index.js';
import {layernorm} from './layernorm/index.js';
import {linear} from './linear/index.js';
import {linearU8} from './linear_u8/index.js';
import {lpnormImporters} from './lpnorm/index.js';
import {lpPoolImporters} from './lppool/index.js';
import {lrn} from './lrn/index.js';
import {map} from './map/index.js';
import {matmul} from './matmul/index.js';
import {maxpool} from './maxpool/index.js';
import {maxpoolIndices} from './maxpool_indices/index.js';
import {meanVarianceImporters} from './meanvariance/index.js';
import {onehotImporters} from './onehot/index.js';
import {pad} from './pad/index.js';
import {plainConv} from './plain_conv/index.js';
import {qlinearImporters} from './qlinear/index.js';
import {microsoftImporters as microsoftQuantized} from './qlinear/microsoft.js';
import {quantize} from './quantize/index.js';
import {recurrent} from './recurrent/index.js';
import {reduce} from './reduce/index.js';
import {resample} from './resample/index.js';
import {reshape} from './reshape/index.js';
import {reverseSequenceImporters} from './reverse_sequence/index.js';
import {rotaryImporters} from './rotary/index.js';
import {scatter} from './scatter/index.js';
import {slice} from './slice/index.js';
import {softmax} from './softmax/index.js';
import {swigluImporters} from './swiglu/index.js';
import {topk} from './topk/index.js';
import {transpose} from './transpose/index.js';
import {triluImporters} from './trilu/index.js';

export const ops: readonly OpDef[] = [
  ...elementwiseOps,
  argmax,
  avgpool,
  batchnorm,
  bitcast,
  concat,
  convTranspose,
  conv2d,
  conv2dU8,
  cumulative,
  dequantize,
  expand,
  gather,
  gridSample,
  groupnorm,
  layernorm,
  integerMatmul,
  linear,
  linearU8,
  lrn,
  map,
  matmul,
  maxpool,
  maxpoolIndices,
  pad,
  plainConv,
  quantize,
  recurrent,
  reduce,
  resample,
  reshape,
  scatter,
  slice,
  softmax,
  topk,
  transpose,
];

const byName = new Map(ops.map(op => [op.name, op]));

export const findOp = (name: string): OpDef | undefined => byName.get(name);

export function opOf(node: Node): OpDef {
  const op = byName.get(node.op);
  invariant(op, 'ir.op', node.op, 'is not an op');
  return op;
}

/** ONNX operators that become several ops, with those of them that compute: what they have kernels for, the operator has. */
export type Composition = {readonly importers: Readonly<Record<string, FromOnnx>>; readonly by: readonly OpDef[]};

export const compositions: readonly Composition[] = [
  {importers: affineGridImporters, by: [matmul]},
  {importers: attentionImporters, by: [matmul, softmax]},
  {importers: audioTableImporters, by: []},
  {importers: causalConvImporters, by: [conv2d]},
  {importers: centerCropPadImporters, by: [pad]},
  {importers: col2imImporters, by: [scatter]},
  {importers: constantImporters, by: []},
  {importers: deformConvImporters, by: [gridSample, matmul]},
  {importers: depthToSpaceImporters, by: []},
  {importers: einsumImporters, by: [matmul, reduce]},
  {importers: fourierImporters, by: [matmul]},
  {importers: lpnormImporters, by: [reduce]},
  {importers: lpPoolImporters, by: [avgpool]},
  {importers: meanVarianceImporters, by: [reduce]},
  {importers: onehotImporters, by: []},
  {importers: qlinearImporters, by: [quantize, dequantize]},
  {importers: reverseSequenceImporters, by: [gather]},
  {importers: rotaryImporters, by: []},
  {importers: swigluImporters, by: []},
  {importers: triluImporters, by: []},
];

/** The same for onnxruntime's domain. */
export const microsoftCompositions: readonly Composition[] = [
  {importers: microsoftQuantized, by: [quantize, dequantize]},
  {importers: fusedImporters, by: [matmul, layernorm]},
  {importers: microsoftAttention, by: [matmul, softmax]},
];

const importersOf = (list: readonly Composition[]) => list.flatMap(({importers}) => Object.entries(importers));

/** How each ONNX operator of the default domain becomes IR. */
export const onnxImporters: ReadonlyMap<string, FromOnnx> = new Map([
  ...ops.flatMap(op => Object.entries(op.fromOnnx ?? {})),
  ...importersOf(compositions),
]);

/** The same for onnxruntime's domain, com.microsoft. */
export const microsoftImporters: ReadonlyMap<string, FromOnnx> = new Map(importersOf(microsoftCompositions));
