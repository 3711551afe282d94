/** Parts of kernel calls that many ops write alike. */
import type {KernelCall, Param, View} from '../../plan.js';

/** A call of the kernel in the op's own folder. Absent operands are null pointers. */
export function ownKernel(
  op: string,
  contract: string,
  fields: KernelCall['fields'],
  reads: Readonly<Record<string, View | null>>,
  writes: Readonly<Record<string, View>>,
): KernelCall {
  const params: readonly Param[] = [
    ...Object.entries(reads).map(([name, view]): Param => ({name, role: 'read', view})),
    ...Object.entries(writes).map(([name, view]): Param => ({name, role: 'write', view})),
  ];
  return {kind: 'kernel', contract, header: `${op}/kernel.h`, struct: `${op}_shape`, fields, params, epilogue: null};
}

/** Strides of two images [n][c][h][w] whose channels are adjacent: xn, xh, xw, yn, yh, yw. */
export function imageStrides(x: View, y: View) {
  const [xn, , xh, xw] = x.strides as [number, number, number, number];
  const [yn, , yh, yw] = y.strides as [number, number, number, number];
  return {xn, xh, xw, yn, yh, yw};
}
