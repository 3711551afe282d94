/**
 * Tensors and types of ONNX. Elements stay where they are in the file: a view of the bytes for each way of storing them.
 * Field numbers are those of onnx.proto (ONNX 1.20, IR 13).
 */
import onnxProto from 'onnx-proto';
import type {Budget} from './budget.js';
import type {OnnxExternal, OnnxSparseTensor, OnnxTensor, OnnxValueInfo} from './model.js';
import {Message, Run, signedVarints, WireError} from './wire.js';

const {onnx} = onnxProto;

/** Rank beyond which dims are nonsense (ONNX itself has no limit; real tensors stop at 8). */
const maxRank = 1024;
/** Bytes of one value's type: a name and some dimensions. */
const longestType = 2 ** 20;

export function decodeTensor(bytes: Uint8Array, budget: Budget): OnnxTensor {
  budget.spend('tensors', 1);
  let name = '';
  let dataType = 0;
  let raw: Uint8Array | null = null;
  let strings = 0;
  let isExternal = false;
  const dims = new Run();
  const entries = new Map<string, string>();
  const [floatData, doubleData, int32Data, int64Data, uint64Data] = [new Run(), new Run(), new Run(), new Run(), new Run()];
  const message = new Message(bytes);
  while (message.next())
    switch (message.field) {
      case 1:
        dims.add(message.elements(0));
        break;
      case 2:
        dataType = message.int();
        break;
      case 4:
        floatData.add(message.elements(5));
        break;
      case 5:
        int32Data.add(message.elements(0));
        break;
      case 6:
        message.bytes();
        strings++;
        break;
      case 7:
        int64Data.add(message.elements(0));
        break;
      case 8:
        name = message.text();
        break;
      case 9:
        raw = message.bytes();
        break;
      case 10:
        doubleData.add(message.elements(1));
        break;
      case 11:
        uint64Data.add(message.elements(0));
        break;
      case 13: {
        budget.spend('names', 2);
        const [key, value] = decodeEntry(message.bytes());
        entries.set(key, value);
        break;
      }
      case 14:
        isExternal = message.int() === 1;
        break;
      default:
        message.skip();
    }
  return {
    name,
    dataType,
    dims: dimsOf(dims.bytes),
    raw,
    floatData: floatData.bytes,
    doubleData: doubleData.bytes,
    int32Data: int32Data.bytes,
    int64Data: int64Data.bytes,
    uint64Data: uint64Data.bytes,
    strings,
    external: isExternal ? externalOf(entries, bytes) : null,
  };
}

function dimsOf(bytes: Uint8Array): number[] {
  // A dimension takes at most 10 bytes, so this bounds the work before anything is read.
  if (bytes.length > 10 * maxRank) throw new WireError(`a tensor of more than ${maxRank} dimensions`, bytes.byteOffset);
  return signedVarints(bytes);
}

function externalOf(entries: ReadonlyMap<string, string>, bytes: Uint8Array): OnnxExternal {
  const count = (key: string): number | null => {
    const text = entries.get(key);
    if (text === undefined || text === '') return null;
    if (!/^\d{1,15}$/.test(text)) throw new WireError(`external data has ${key} "${text.slice(0, 40)}"`, bytes.byteOffset);
    return Number(text);
  };
  return {location: entries.get('location') ?? '', offset: count('offset') ?? 0, length: count('length')};
}

/** A StringStringEntryProto. */
export function decodeEntry(bytes: Uint8Array): [key: string, value: string] {
  let key = '';
  let value = '';
  const message = new Message(bytes);
  while (message.next()) {
    if (message.field === 1) key = message.text();
    else if (message.field === 2) value = message.text();
    else message.skip();
  }
  return [key, value];
}

export function decodeSparse(bytes: Uint8Array, budget: Budget): OnnxSparseTensor {
  let values: OnnxTensor | null = null;
  let indices: OnnxTensor | null = null;
  const dims = new Run();
  const message = new Message(bytes);
  while (message.next()) {
    if (message.field === 1) values = decodeTensor(message.bytes(), budget);
    else if (message.field === 2) indices = decodeTensor(message.bytes(), budget);
    else if (message.field === 3) dims.add(message.elements(0));
    else message.skip();
  }
  if (values === null || indices === null) throw new WireError('a sparse tensor without values or indices', bytes.byteOffset);
  return {values, indices, dims: dimsOf(dims.bytes)};
}

/** By way of onnx-proto: types are small, and it knows all of them that matter here. */
export function decodeValueInfo(bytes: Uint8Array, budget: Budget): OnnxValueInfo {
  budget.spend('value infos', 1);
  budget.spend('bytes of types', bytes.length);
  if (bytes.length > longestType) throw new WireError(`a type of ${bytes.length} bytes`, bytes.byteOffset);
  const {name, type} = protoOf(bytes);
  const untyped: OnnxValueInfo = {name, kind: 'untyped', elemType: null, shape: null};
  if (!type) return untyped;
  if (type.sequenceType) return {...untyped, kind: 'sequence'};
  if (type.mapType) return {...untyped, kind: 'map'};
  if (type.optionalType) return {...untyped, kind: 'optional'};
  const tensor = type.tensorType ?? type.sparseTensorType;
  if (!tensor) return untyped;
  const shape = tensor.shape ? (tensor.shape.dim ?? []).map(dimOf) : null;
  if (shape && shape.length > maxRank) throw new WireError(`a shape of more than ${maxRank} dimensions`, bytes.byteOffset);
  return {name, kind: type.tensorType ? 'tensor' : 'sparse tensor', elemType: tensor.elemType || null, shape};
}

function protoOf(bytes: Uint8Array): InstanceType<typeof onnx.ValueInfoProto> {
  try {
    return onnx.ValueInfoProto.decode(bytes);
  } catch (cause) {
    // onnx-proto recurses without a limit: a type nested a thousand deep overflows the stack, which is a RangeError too.
    throw new WireError(`a type cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, bytes.byteOffset);
  }
}

type Dimension = NonNullable<NonNullable<InstanceType<typeof onnx.TensorShapeProto>['dim']>[number]>;

/** A negative size is how some exporters write "unknown". */
function dimOf({dimValue, dimParam}: Dimension): number | string | null {
  if (dimParam) return dimParam;
  if (dimValue === null || dimValue === undefined) return null;
  const size = typeof dimValue === 'number' ? dimValue : dimValue.toNumber();
  return size < 0 ? null : size;
}
