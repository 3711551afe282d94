/** NumPy broadcasting: shapes align at the last axis; 1 stretches. */
import {type Tensor, zeros} from '../../tensor.js';

/** The common shape, or null where the shapes do not broadcast. */
export function broadcastShape(shapes: readonly (readonly number[])[]): readonly number[] | null {
  const rank = Math.max(0, ...shapes.map(shape => shape.length));
  const result: number[] = new Array<number>(rank).fill(1);
  for (const shape of shapes)
    for (let i = 0; i < shape.length; i++) {
      const at = rank - shape.length + i;
      const [have, want] = [result[at]!, shape[i]!];
      if (have === 1) result[at] = want;
      else if (want !== 1 && want !== have) return null;
    }
  return result;
}

/** Row-major strides in elements. */
export function stridesOf(shape: readonly number[]): readonly number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  return strides;
}

/** Strides that read a tensor of `shape` (with `strides`) as if it had the broadcast shape `target`: 0 along stretched axes. */
export function broadcastStrides(
  shape: readonly number[],
  strides: readonly number[],
  target: readonly number[],
): readonly number[] {
  const lead = target.length - shape.length;
  return target.map((size, i) => (i < lead || (shape[i - lead] === 1 && size !== 1) ? 0 : strides[i - lead]!));
}

/** Calls `visit` with the multi-index of every element of a shape, in row-major order. The index array is reused. */
export function forEachIndex(shape: readonly number[], visit: (index: readonly number[], flat: number) => void): void {
  const index = new Array<number>(shape.length).fill(0);
  const count = shape.reduce((n, d) => n * d, 1);
  for (let flat = 0; flat < count; flat++) {
    visit(index, flat);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
}

/** The flat position of an index under strides. */
export const dot = (index: readonly number[], strides: readonly number[]): number =>
  index.reduce((sum, i, axis) => sum + i * strides[axis]!, 0);

/** A new tensor whose element at each index is taken from `source` at the flat position that `from` gives. */
export function gatherElements(source: Tensor, shape: readonly number[], from: (index: readonly number[]) => number): Tensor {
  const result = zeros(source.dtype, shape);
  forEachIndex(shape, (index, flat) => {
    result.data[flat] = source.data[from(index)]!;
  });
  return result;
}
