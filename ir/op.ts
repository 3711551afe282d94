/**
 * What an operation is: one object with its type rule, its meaning (reference evaluation), its cost, how ONNX spells it,
 * and one way to run: a scalar expression, a view, or a kernel. Adding an op is one folder and one word in ops/index.ts.
 */
import type {Border, KernelCall, Packing, View} from './plan.js';
import type {Scalar} from './scalar/expression.js';
import type {Tensor} from './tensor.js';
import type {Attrs, Constant, DType, Node, TensorType, Value} from './types.js';

/** One use of an op, by types alone. An absent optional operand is null. */
export type Call<A extends Attrs = Attrs> = {readonly attrs: A; readonly inputs: readonly (TensorType | null)[]};

/** A condition on a call. `id` is the label in diagnostics and tests; `says` completes "must hold: ...". */
export type Rule<A extends Attrs = Attrs> = {readonly id: string; readonly says: string; holds(call: Call<A>): boolean};

/** A constant operand may be packed for the kernel; `view` places it as it is. */
export type Operand = {readonly constant: Constant | null; view(): View};

/** What a kernel op sees when it is lowered. */
export type KernelContext<A extends Attrs = Attrs> = {
  readonly attrs: A;
  readonly types: readonly (TensorType | null)[];
  readonly inputs: readonly (Operand | null)[];
  readonly outputs: readonly View[];
  /** A weight in the given packing; `constant` null gives zeros of the type (a bias that is not there). */
  weight(constant: Constant | null, type: TensorType, packing: Packing): View;
  /** Room for so many floats that lives during this call alone. */
  scratch(elements: number): View;
  /** The way to compute a call that has several, the most exact first. `sizes` is all that their cost depends on. */
  choose<W extends string>(contract: string, sizes: Sizes, ways: readonly [W, ...W[]]): W;
};

/** What a choice between ways to compute something depends on, by the names of the kernel's shape fields. */
export type Sizes = Readonly<Record<string, number>>;

export type KernelSpec<A extends Attrs = Attrs> = {
  /** The memory order that operands and results must have. `channels-last`: stride 1 along axis 1. `row-major`: dense. `any`: strides are passed on. */
  readonly layout: 'channels-last' | 'row-major' | 'any';
  /** Element types of operand 0 that the kernel takes; f32 alone where absent. */
  readonly dtypes?: readonly DType[];
  /** Operands that stay as they are whatever the layout (packed weights): their places. */
  free?(call: Call<A>): readonly number[];
  /** The place of the first epilogue extra. Extras broadcast to the result; along its contiguous axis they step by 1 or 0. */
  extras?(call: Call<A>): number;
  /** The zero border that operand 0 needs around its last two axes. */
  border?(call: Call<A>): Border;
  /** Operands whose memory the first result may take, if it lies alike and nobody reads it later. */
  inPlace?(call: Call<A>): readonly number[];
  lower(context: KernelContext<A>): KernelCall;
};

/** Method syntax, so that ops with different attribute types stand in one list. */
export interface OpDef<A extends Attrs = Attrs> {
  readonly name: string;
  readonly summary: string;
  /** Names in order; a trailing `?` is optional, a trailing `*` takes the rest. */
  readonly operands: readonly string[];
  readonly defaults: Partial<A>;
  readonly rules: readonly Rule<A>[];
  infer(call: Call<A>): readonly TensorType[];
  evaluate(call: Call<A>, inputs: readonly (Tensor | null)[]): readonly Tensor[];
  /** Multiply-accumulates; 0 where absent. */
  macs?(call: Call<A>): number;
  /** Whether these are sums of bytes, in 32-bit integers. Absent: none are. */
  integer?(call: Call<A>): boolean;
  readonly fromOnnx?: Readonly<Record<string, FromOnnx>>;
  /** Element-wise: result[i] = scalar(x0[i], x1[i], ...) after broadcasting. */
  scalar?(call: Call<A>): Scalar;
  /** Output views as re-indexings of operand 0; null where strides cannot say it (then a copy is made). */
  view?(call: Call<A>, input: View): readonly View[] | null;
  /** Operands are written straight into their part of the result: the place of each. */
  place?(call: Call<A>, output: View): readonly View[];
  /** With `place`: what the result holds where no operand is. */
  fill?(call: Call<A>): number;
  readonly kernel?: KernelSpec<A>;
}

/** How an op is spelt in ONNX: reads a node, emits IR, returns a value per ONNX output (null: not available). */
export type FromOnnx = (onnx: OnnxCall) => readonly (Value | null)[];

/** Emits IR: what importers and passes share. */
export type Builder = {
  emit<A extends Attrs>(op: OpDef<A>, inputs: readonly (Value | null)[], attrs: A): readonly [Value, ...Value[]];
  literal(tensor: Tensor, name?: string): Value;
};

/** One ONNX node as an importer sees it; attribute readers check the kind and give the default where absent. */
export type OnnxCall = Builder & {
  readonly op: string;
  readonly opset: number;
  readonly inputs: readonly (Value | null)[];
  /** How many outputs the node names. */
  readonly outputCount: number;
  /** A required operand. */
  input(index: number): Value;
  has(attribute: string): boolean;
  int(attribute: string, fallback?: number): number;
  float(attribute: string, fallback?: number): number;
  string(attribute: string, fallback?: string): string;
  ints(attribute: string, fallback?: readonly number[]): readonly number[];
  floats(attribute: string, fallback?: readonly number[]): readonly number[];
  strings(attribute: string): readonly string[];
  tensor(attribute: string): Tensor;
  /** An ONNX element type by number; null where we do not have it. */
  dtypeOf(onnxType: number): DType | null;
  /** The value of an operand that the network computes from constants alone; null where it is absent or depends on inputs. */
  constantOrNull(index: number): Tensor | null;
  /** Whether an operand depends on constants alone; evaluates nothing. */
  isConstant(index: number): boolean;
  /** The same, refusing the node where the operand depends on inputs; `what` says what it decides, such as "the shape". */
  constant(index: number, what: string): Tensor;
  /** Refuses the node: not supported yet. */
  unsupported(reason: string, cure?: string): never;
  /** Refuses the node: it breaks a rule of ONNX. */
  invalid(reason: string): never;
};

export const defineOp = <A extends Attrs>(op: OpDef<A>): OpDef<A> => op;

/** Narrows a node to the attributes of its op. */
export const isOp = <A extends Attrs>(node: Node, op: OpDef<A>): node is Node<A> => node.op === op.name;

/** An operand's type that the op's definition requires. */
export function typeAt({inputs}: Call, index: number): TensorType {
  const type = inputs[index];
  if (!type) throw new RangeError(`operand ${index} is absent`);
  return type;
}

/** An operand's tensor that the op's definition requires. */
export function tensorAt(inputs: readonly (Tensor | null)[], index: number): Tensor {
  const tensor = inputs[index];
  if (!tensor) throw new RangeError(`operand ${index} is absent`);
  return tensor;
}
