/**
 * The Open Inference Protocol, version 2, in JSON: names, tensors and their checks for both sides. A model is a task, or several on one
 * input joined by `+`, which share what they can; a version is a recipe of the build. A tensor of bytes may stand for an image
 * (rows, columns, channels), or, under the name of a cut, for the activation there in the form of `toWire`.
 */
import {isRecord} from '../check.js';
import {DnncRuntimeError} from '../errors.js';
import type {DType, Manifest, Variant} from '../manifest.js';
import {arrayTypes, elementsOf, type TensorType, type TypedArray} from '../tensors.js';

export type WireTensor = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly data: readonly (number | boolean)[];
};

export type InferRequest = {readonly id?: string; readonly inputs: readonly WireTensor[]};
export type InferResponse = {
  readonly model_name: string;
  readonly model_version: string;
  readonly id?: string;
  readonly outputs: readonly WireTensor[];
};

/** Names of element types in the protocol. Others have no form in JSON here. */
const datatypes: Readonly<Partial<Record<DType, string>>> = {
  ...{f64: 'FP64', f32: 'FP32', bool: 'BOOL'},
  ...{i8: 'INT8', u8: 'UINT8', i16: 'INT16', u16: 'UINT16', i32: 'INT32', u32: 'UINT32', i64: 'INT64', u64: 'UINT64'},
};

export const datatypeOf = (dtype: DType): string | undefined => datatypes[dtype];

export const modelOf = (tasks: readonly string[]): string => tasks.join('+');

/** The variants that a model and a version stand for, by task; undefined where one is not there. */
export function variantsOf(
  {tasks, variants}: Manifest,
  model: string,
  version?: string,
): ReadonlyMap<string, Variant> | undefined {
  const found = new Map<string, Variant>();
  for (const name of Object.hasOwn(tasks, model) ? [model] : model.split('+')) {
    if (!Object.hasOwn(tasks, name)) return undefined;
    const first = tasks[name]!.variants[0];
    const variant = variants.find(
      each => each.task === name && (version === undefined ? each.id === first : each.recipe === version),
    );
    if (!variant) return undefined;
    found.set(name, variant);
  }
  return found;
}

/** Outputs of one task have their own names, those of several the task's name before it. */
export const outputName = (tasks: number, task: string, output: string): string => (tasks === 1 ? output : `${task}.${output}`);

/** Throws TypeError for element types that have no form in JSON. */
export function toTensor(name: string, {dtype, shape}: TensorType, values: TypedArray): WireTensor {
  const datatype = datatypes[dtype];
  if (datatype === undefined) throw new TypeError(`${name} is ${dtype}, which has no form in JSON`);
  return {name, shape, datatype, data: Array.from(values as ArrayLike<number | bigint>, Number)};
}

/** Elements as the code takes them. `refuse` says what is wrong. */
export function fromTensor(
  {name, shape, datatype, data}: WireTensor,
  type: TensorType,
  refuse: (says: string) => never,
): TypedArray {
  if (datatype !== datatypes[type.dtype]) refuse(`"${name}" is ${datatype}, not ${datatypes[type.dtype] ?? type.dtype}`);
  const count = elementsOf(type.shape);
  if (elementsOf(shape) !== count || data.length !== count)
    refuse(`"${name}" has ${data.length} elements in [${shape.join(',')}], not ${count} in [${type.shape.join(',')}]`);
  const isBig = type.dtype === 'i64' || type.dtype === 'u64';
  const values = new arrayTypes[type.dtype].create(count);
  for (let i = 0; i < count; i++) {
    const value = Number(data[i]);
    if (isBig && !Number.isSafeInteger(value)) refuse(`"${name}" holds ${value}, which is no whole number`);
    values[i] = isBig ? BigInt(value) : value;
  }
  return values;
}

/** Checks the form of an infer request or response; `field` holds its tensors. Names, shapes and numbers only. */
export function tensorsIn(
  document: unknown,
  field: 'inputs' | 'outputs',
  refuse: (says: string) => never,
): readonly WireTensor[] {
  const tensors = isRecord(document) ? document[field] : undefined;
  if (!Array.isArray(tensors) || tensors.length === 0) return refuse(`has no "${field}"`);
  return tensors.map((tensor: unknown, i) => {
    const at = `${field}[${i}]`;
    if (!isRecord(tensor)) return refuse(`${at} is not an object`);
    const {name, shape, datatype, data} = tensor;
    if (typeof name !== 'string') return refuse(`${at}.name is not a string`);
    if (typeof datatype !== 'string') return refuse(`${at}.datatype is not a string`);
    if (!isNumbers(shape) || !shape.every(size => Number.isSafeInteger(size) && size >= 0))
      return refuse(`${at}.shape is not a list of whole numbers`);
    const flat: unknown = Array.isArray(data) ? data.flat(8) : undefined;
    if (!isNumbers(flat)) return refuse(`${at}.data is not a list of numbers`);
    return {name, shape, datatype, data: flat};
  });
}

const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every(each => typeof each === 'number' || typeof each === 'boolean');

/** For both sides: an error of the protocol with what it is about. */
export const refusal = (where: string, says: string): DnncRuntimeError =>
  new DnncRuntimeError('remote.answer', where, says, 'look at the server: it should be `dnnc serve` with the same build');
