/** What ops that only move elements share: they take every type, and their kernels see widths in bytes. */
import type {DType} from '../../types.js';

export const allTypes: readonly DType[] = [
  ...(['f64', 'f32', 'f16', 'bf16', 'i64', 'u64', 'i32', 'u32', 'i16', 'u16', 'i8', 'u8', 'bool', 'i4', 'u4'] as const),
];

/** An index into `size` elements; negative ones count from the end. Outside, the nearest element: ONNX leaves it undefined. */
export const clampIndex = (index: number, size: number): number =>
  Math.min(Math.max(index < 0 ? index + size : index, 0), size - 1);
