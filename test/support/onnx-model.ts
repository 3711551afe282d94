/** ONNX bytes of graphs whose values are known tensors. */
import onnxProto, {type onnx} from 'onnx-proto';
import {onnxOfDtype} from '../../compiler/onnx/tensors.js';
import {bytesOfTensor, type Tensor} from '../../ir/tensor.js';
import {valueInfo} from './onnx-bytes.js';

const {ModelProto} = onnxProto.onnx;

type Named = {readonly name: string; readonly tensor: Tensor};

export type Written = {
  readonly nodes: readonly onnx.INodeProto[];
  readonly inputs: readonly Named[];
  readonly constants: readonly Named[];
  /** Without a tensor where the type is not known yet. */
  readonly outputs: readonly {readonly name: string; readonly tensor?: Tensor}[];
};

/** A tensor as attributes and initializers have it. */
export const protoOf = (tensor: Tensor): onnx.ITensorProto => ({
  dims: [...tensor.shape],
  dataType: onnxOfDtype(tensor.dtype),
  rawData: bytesOfTensor(tensor),
});

const infoOf = ({name, tensor}: Named): onnx.IValueInfoProto => valueInfo(name, tensor.shape, onnxOfDtype(tensor.dtype));

export function modelOf({nodes, inputs, constants, outputs}: Written, opset: number): Uint8Array {
  const opsetImport = [
    {domain: '', version: opset},
    {domain: 'com.microsoft', version: 1},
  ];
  const graph: onnx.IGraphProto = {
    name: 'g',
    node: [...nodes],
    input: inputs.map(infoOf),
    output: outputs.map(({name, tensor}) => (tensor ? infoOf({name, tensor}) : {name})),
    initializer: constants.map(({name, tensor}) => ({name, ...protoOf(tensor)})),
  };
  return Uint8Array.from(ModelProto.encode({irVersion: opset > 22 ? 11 : 10, opsetImport, graph}).finish());
}
