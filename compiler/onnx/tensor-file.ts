/** A .pb file: one serialized TensorProto, as the ONNX test data and `onnx.numpy_helper` write it. */
import onnxProto from 'onnx-proto';
import {fail} from '../../ir/diagnostics.js';
import {bytesOfTensor, type Tensor} from '../../ir/tensor.js';
import {readWhole, writeWhole} from '../data/files.js';
import {budgetOf} from './budget.js';
import {decodeTensor} from './decode-tensor.js';
import {familiarFormat} from './familiar.js';
import type {OnnxTensor} from './model.js';
import {onnxOfDtype, packNibbles, tensorOfProto} from './tensors.js';
import {WireError} from './wire.js';

export type NamedTensor = Tensor & {readonly name: string};

/** Errors: those of `tensorOfProto`, input file.*, tensor-file.format. External data is refused. */
export function readTensorFile(path: string): NamedTensor {
  const proto = decodeFile(readWhole(path), path);
  return {...tensorOfProto(proto, {file: path, folder: null}), name: proto.name};
}

function decodeFile(bytes: Uint8Array, path: string): OnnxTensor {
  const cure = 'write it with onnx.numpy_helper.from_array(x).SerializeToString()';
  const format = familiarFormat(bytes);
  if (bytes.length === 0 || format)
    fail('input', 'tensor-file.format', path, `this is ${format?.is ?? 'an empty file'}, not an ONNX tensor`, cure);
  try {
    const proto = decodeTensor(bytes, budgetOf(path));
    if (proto.dataType !== 0) return proto;
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    fail('input', 'tensor-file.format', `${path}, byte ${cause.at - bytes.byteOffset}`, cause.message, cure);
  }
  return fail('input', 'tensor-file.format', path, 'this is not an ONNX tensor: it has no element type', cure);
}

/** Elements go into raw_data. Error: input file.unwritable. */
export function writeTensorFile(path: string, tensor: Tensor, name: string): void {
  const {dtype, shape, data} = tensor;
  const rawData = dtype === 'i4' || dtype === 'u4' ? packNibbles(data) : bytesOfTensor(tensor);
  writeWhole(path, onnxProto.onnx.TensorProto.encode({name, dims: [...shape], dataType: onnxOfDtype(dtype), rawData}).finish());
}
