/** Every type the rest of the compiler talks about. Plain readonly data; no methods, no classes. */

/** Element types. `i4` and `u4` are stored one value per byte in memory and two per byte on disk. */
export type DType =
  | 'f64'
  | 'f32'
  | 'f16'
  | 'bf16'
  | 'i4'
  | 'u4'
  | 'i8'
  | 'u8'
  | 'i16'
  | 'u16'
  | 'i32'
  | 'u32'
  | 'i64'
  | 'u64'
  | 'bool';

/** Affine quantization: real = scale[c] * (stored - zero[c]); one entry per channel of `axis`, or one in all. */
export type Quant = {readonly axis: number | null; readonly scale: readonly number[]; readonly zero: readonly number[]};

/** Shapes are always static: the importer binds symbolic dimensions before a module exists. */
export type TensorType = {readonly dtype: DType; readonly shape: readonly number[]; readonly quant?: Quant};

declare const brand: unique symbol;
export type ValueId = number & {readonly [brand]: 'ValueId'};
export type Value = {readonly id: ValueId; readonly name: string; readonly type: TensorType};

export type Attr = number | string | boolean | readonly Attr[];
export type Attrs = {readonly [key: string]: Attr};

/** Where something came from. Passes never drop a location, they wrap it. */
export type Loc =
  | {readonly kind: 'onnx'; readonly file: string; readonly node: string}
  | {readonly kind: 'text'; readonly file: string; readonly line: number; readonly column: number}
  | {readonly kind: 'pass'; readonly pass: string; readonly from: readonly Loc[]};

/** One operation. Identified by its first output, so there is no second id space to keep in step. */
export type Node<A extends Attrs = Attrs> = {
  readonly op: string;
  readonly inputs: readonly (ValueId | null)[];
  readonly outputs: readonly [Value, ...Value[]];
  readonly attrs: A;
  readonly loc: Loc;
};

/** Bytes of a weight, little-endian, and the first 16 hex digits of their sha256: equal layers of two tasks are equal by construction. */
export type Blob = {readonly hash: string; readonly bytes: Uint8Array};
export type Constant = {readonly value: Value; readonly blob: Blob; readonly loc: Loc};

/** `nodes` is topologically ordered; every operand is an input, a constant or an earlier output. */
export type Graph = {readonly inputs: readonly Value[]; readonly constants: readonly Constant[]; readonly nodes: readonly Node[]};

/** One task served by the graph. attrs: classes, quality (if measured), rank, ... */
export type Head = {
  readonly name: string;
  readonly outputs: readonly ValueId[];
  readonly attrs: Attrs;
  readonly loc: Loc;
};
export type Module = {readonly name: string; readonly attrs: Attrs; readonly graph: Graph; readonly heads: readonly Head[]};

/** macs: multiply-accumulates; integerMacs: those of them that sum bytes. bytesRead counts activations, bytesOfWeights the constants. */
export type Cost = {
  readonly macs: number;
  readonly integerMacs: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly bytesOfWeights: number;
};
