/** Element types by kind, and attributes that only recipes write. */
import type {onnx} from 'onnx-proto';
import type {Tensor} from '../../../ir/tensor.js';
import type {DType} from '../../../ir/types.js';
import {attribute, text as bytesOfText} from '../onnx-bytes.js';
import {protoOf} from '../onnx-model.js';

export const reals: readonly DType[] = ['f32', 'f64', 'f16'];
export const unsigned: readonly DType[] = ['u8', 'u16', 'u32', 'u64'];
export const integers: readonly DType[] = ['i32', 'i64', 'i8', 'i16', ...unsigned];
export const numbers: readonly DType[] = [...reals, ...integers];
export const everything: readonly DType[] = [...numbers, 'bool'];

export const isSigned = (dtype: DType): boolean => !unsigned.includes(dtype) && dtype !== 'bool';

export const text = (name: string, value: string): onnx.IAttributeProto => attribute(name, {type: 3, s: bytesOfText(value)});
export const floats = (name: string, values: number[]): onnx.IAttributeProto => attribute(name, {type: 6, floats: values});
export const texts = (name: string, values: readonly string[]): onnx.IAttributeProto =>
  attribute(name, {type: 8, strings: values.map(bytesOfText)});
export const tensor = (name: string, value: Tensor): onnx.IAttributeProto => attribute(name, {type: 4, t: protoOf(value)});

export const range = (count: number): readonly number[] => Array.from({length: count}, (_, i) => i);
