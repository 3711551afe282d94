/** Small ONNX graphs, written in a few words and imported. */
import type {onnx} from 'onnx-proto';
import {decodeModel} from '../../compiler/onnx/decode.js';
import {type Imported, type ImportOptions, importModel} from '../../compiler/onnx/import.js';
import {validateModel} from '../../compiler/onnx/validate.js';
import {valueAt} from '../../ir/graph.js';
import type {Module} from '../../ir/types.js';
import {attribute, joined, modelBytes} from './onnx-bytes.js';

/** `more`: bytes of further fields of the model. */
export type Rest = onnx.IModelProto & {readonly opset?: number; readonly more?: Uint8Array};

export function load(
  graph: onnx.IGraphProto,
  {opset = 17, more = new Uint8Array(), ...rest}: Rest = {},
  options: Partial<ImportOptions> = {},
): Imported {
  const bytes = joined(modelBytes({name: 'g', ...graph}, {opsetImport: [{domain: '', version: opset}], ...rest}), more);
  const model = validateModel(decodeModel(bytes, 'm.onnx'), 'm.onnx');
  return importModel(model, {file: 'm.onnx', folder: null, name: 'm', ...options});
}

export const ints = (name: string, values: number[]) => attribute(name, {type: 7, ints: values});
export const int = (name: string, value: number) => attribute(name, {type: 2, i: value});
export const float = (name: string, value: number) => attribute(name, {type: 1, f: value});
export const f32 = (name: string, dims: number[], values: number[]): onnx.ITensorProto => ({
  name,
  dims,
  dataType: 1,
  floatData: values,
});
export const i64 = (name: string, values: number[], dims = [values.length]): onnx.ITensorProto => ({
  name,
  dims,
  dataType: 7,
  int64Data: values,
});
export const attrs = (...list: onnx.IAttributeProto[]) => ({attribute: list});

/** Shapes of all that the heads return. */
export const shapeOf = ({graph, heads}: Module): readonly (readonly number[])[] =>
  heads.flatMap(({outputs}) => outputs.map(id => valueAt(graph, id).type.shape));
