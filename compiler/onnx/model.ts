/**
 * What an ONNX file says, as plain readonly data: no protobuf objects, no Long, weights still views of the file's bytes.
 * Nothing here is judged beyond "the bytes can be read"; `validate.ts` judges names and order, the importer meaning.
 */

export type OnnxModel = {
  /** 3 to 14. */
  readonly irVersion: number;
  /** Exporter and its version, for people: "pytorch 2.1.0", or ''. */
  readonly producer: string;
  /** Version by domain; '' is ai.onnx, which is always there. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: OnnxGraph;
  readonly functions: readonly OnnxFunction[];
  /** The model carries a training graph (ignored when only inference is wanted). */
  readonly hasTraining: boolean;
  /** Free key-value pairs that exporters write: class names, image sizes, ... */
  readonly metadata: ReadonlyMap<string, string>;
};

export type OnnxGraph = {
  readonly name: string;
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly valueInfo: readonly OnnxValueInfo[];
  readonly initializers: readonly OnnxTensor[];
  readonly sparseInitializers: readonly OnnxSparseTensor[];
  readonly nodes: readonly OnnxNode[];
};

export type OnnxValueKind = 'tensor' | 'sparse tensor' | 'sequence' | 'map' | 'optional' | 'untyped';

export type OnnxValueInfo = {
  readonly name: string;
  readonly kind: OnnxValueKind;
  /** TensorProto.DataType; null when not a tensor or not said. */
  readonly elemType: number | null;
  /** A string names a symbolic dimension, null is an unnamed unknown one; all of it null when the rank is unknown. */
  readonly shape: readonly (number | string | null)[] | null;
};

export type OnnxNode = {
  readonly name: string;
  readonly opType: string;
  /** '' is ai.onnx. */
  readonly domain: string;
  /** IR 10: which of several functions of one name is meant. */
  readonly overload: string;
  /** '' is an absent optional operand. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
};

export type OnnxAttribute =
  | {readonly kind: 'float'; readonly value: number}
  /** Beyond 2^53 the nearest number that JavaScript has; the sign is kept. */
  | {readonly kind: 'int'; readonly value: number}
  | {readonly kind: 'string'; readonly value: string}
  | {readonly kind: 'tensor'; readonly value: OnnxTensor}
  | {readonly kind: 'graph'; readonly value: OnnxGraph}
  | {readonly kind: 'sparse'; readonly value: OnnxSparseTensor}
  | {readonly kind: 'floats'; readonly value: readonly number[]}
  | {readonly kind: 'ints'; readonly value: readonly number[]}
  | {readonly kind: 'strings'; readonly value: readonly string[]}
  | {readonly kind: 'tensors'; readonly value: readonly OnnxTensor[]}
  | {readonly kind: 'graphs'; readonly value: readonly OnnxGraph[]}
  | {readonly kind: 'sparses'; readonly value: readonly OnnxSparseTensor[]}
  /** A type (of a sequence or optional operator): said to be there, not read. */
  | {readonly kind: 'type'; readonly value: null}
  /** Inside a function body: the value of this attribute of the calling node. */
  | {readonly kind: 'ref'; readonly name: string};

export type OnnxFunction = {
  readonly name: string;
  readonly domain: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Attributes that a caller must give ... */
  readonly attributes: readonly string[];
  /** ... and those with a default. */
  readonly defaults: ReadonlyMap<string, OnnxAttribute>;
  readonly nodes: readonly OnnxNode[];
  readonly opsets: ReadonlyMap<string, number>;
};

/** Where the elements of a tensor stand. Fields are as on the wire, so a hostile count costs nothing until it is checked. */
export type OnnxTensor = {
  readonly name: string;
  /** TensorProto.DataType. */
  readonly dataType: number;
  readonly dims: readonly number[];
  /** Little-endian elements, 4-bit types two per byte; null when the field is absent. */
  readonly raw: Uint8Array | null;
  /** Little-endian binary32. */
  readonly floatData: Uint8Array;
  /** Little-endian binary64. */
  readonly doubleData: Uint8Array;
  /** Protobuf varints, as are the next two. */
  readonly int32Data: Uint8Array;
  readonly int64Data: Uint8Array;
  readonly uint64Data: Uint8Array;
  /** Number of string_data entries (their text is not kept). */
  readonly strings: number;
  readonly external: OnnxExternal | null;
};

/** Elements in a file beside the model. Bytes; a null length runs to the end of the file. */
export type OnnxExternal = {readonly location: string; readonly offset: number; readonly length: number | null};

/** `values.name` names it. */
export type OnnxSparseTensor = {readonly values: OnnxTensor; readonly indices: OnnxTensor; readonly dims: readonly number[]};
