/** ONNX bytes for tests, written by onnx-proto; and the check of an error by its kind and code. */
import type {ExecutionContext} from 'ava';
import onnxProto, {type onnx} from 'onnx-proto';
import protobuf from 'protobufjs/minimal.js';
import {DnncError, type Kind} from '../../ir/diagnostics.js';

const {AttributeProto, ModelProto, TensorProto, TypeProto} = onnxProto.onnx;

export const valueInfo = (name: string, dims: readonly (number | string | null)[], elemType = 1): onnx.IValueInfoProto => ({
  name,
  type: TypeProto.create({
    tensorType: {
      elemType,
      shape: {dim: dims.map(dim => (typeof dim === 'number' ? {dimValue: dim} : dim === null ? {} : {dimParam: dim}))},
    },
  }),
});

export const attribute = (name: string, rest: Omit<onnx.IAttributeProto, 'name'>): onnx.IAttributeProto =>
  AttributeProto.create({name, ...rest});

export const node = (
  opType: string,
  input: string[],
  output: string[],
  rest: Omit<onnx.INodeProto, 'opType' | 'input' | 'output'> = {},
): onnx.INodeProto => ({opType, input, output, ...rest});

/** x (batch, 3) -> MatMul with w -> Relu -> y. */
export const smallGraph = (): onnx.IGraphProto => ({
  name: 'small',
  input: [valueInfo('x', ['batch', 3])],
  output: [valueInfo('y', ['batch', 2])],
  initializer: [
    {name: 'w', dims: [3, 2], dataType: 1, rawData: new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer)},
    {name: 'axes', dims: [2], dataType: 7, int64Data: [-1, 7]},
  ],
  node: [
    node('MatMul', ['x', 'w'], ['h'], {name: 'product', domain: 'ai.onnx'}),
    node('Relu', ['h'], ['y'], {
      attribute: [
        attribute('alpha', {type: 1, f: 0.5}),
        attribute('axis', {type: 2, i: -1}),
        attribute('mode', {type: 3, s: new TextEncoder().encode('same')}),
        attribute('pads', {type: 7, ints: [0, -1, 2]}),
        attribute('scales', {type: 6, floats: [1, 2.5]}),
        attribute('value', {type: 4, t: {dims: [1], dataType: 1, floatData: [3]}}),
      ],
    }),
  ],
});

export const modelBytes = (graph: onnx.IGraphProto | null = smallGraph(), rest: onnx.IModelProto = {}): Uint8Array => {
  const base = {irVersion: 8, producerName: 'test', producerVersion: '1', opsetImport: [{domain: '', version: 17}]};
  return Uint8Array.from(ModelProto.encode({...base, ...(graph ? {graph} : {}), ...rest}).finish());
};

export const tensorBytes = (tensor: onnx.ITensorProto): Uint8Array => Uint8Array.from(TensorProto.encode(tensor).finish());

/** Bytes of a length-delimited field, for what onnx-proto cannot write. */
export const field = (number: number, bytes: Uint8Array): Uint8Array =>
  Uint8Array.from(
    protobuf.Writer.create()
      .uint32(number * 8 + 2)
      .bytes(bytes)
      .finish(),
  );

export const varint = (number: number, value: number): Uint8Array =>
  Uint8Array.from(
    protobuf.Writer.create()
      .uint32(number * 8)
      .int64(value)
      .finish(),
  );

export const joined = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

export const text = (s: string): Uint8Array => new TextEncoder().encode(s);

/** Runs what must fail with this kind and code; gives the error for further questions. */
export function refuses(t: ExecutionContext, kind: Kind, code: string, run: () => unknown): DnncError | undefined {
  const error = t.throws(run, {instanceOf: DnncError}, `${code} is not thrown`);
  t.is(error?.kind, kind, error?.message);
  t.true(error?.problems.some(problem => problem.code === code) ?? false, `${code} is not in: ${error?.message}`);
  return error instanceof DnncError ? error : undefined;
}
