/** What maxpool and avgpool share: attributes, shapes, rules, the walk over windows, and the C call. */
import {type Call, type KernelContext, type OnnxCall, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {numberAt, setElement, type Tensor, zeros} from '../../tensor.js';
import {imageStrides} from './call.js';
import {type Window, windowCount, windowFromOnnx} from './window.js';

export type PoolAttrs = {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** top, left, bottom, right */
  readonly pads: readonly number[];
  /** Round the number of windows up. */
  readonly ceil: boolean;
};

export const poolDefaults = {strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], ceil: false};

export const poolShape = (call: Call<PoolAttrs>): readonly number[] => {
  const {shape} = typeAt(call, 0);
  return [...shape.slice(0, 2), ...windowCount(call.attrs, shape.slice(2), call.attrs.ceil)];
};

export const poolRules = (name: string) => [
  {id: `${name}.rank`, says: 'x is [n][c][h][w]', holds: ({inputs: [x]}: Call<PoolAttrs>): boolean => x?.shape.length === 4},
  {
    id: `${name}.window`,
    says: 'the kernel fits into the padded image, and no padding is as large as the kernel',
    holds: (call: Call<PoolAttrs>): boolean => poolShape(call).every(size => size > 0),
  },
];

/** Reduces the cells of each window that lie inside the image. `cells` also counts those in the padding. */
export function evaluatePool(
  call: Call<PoolAttrs>,
  x: Tensor,
  combine: (inside: readonly number[], cells: number) => number,
): Tensor {
  const {kernel, strides, dilations, pads} = call.attrs;
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const y = zeros(x.dtype, poolShape(call));
  const [, , oh, ow] = y.shape as [number, number, number, number];
  let at = 0;
  for (let plane = 0; plane < batch * channels; plane++)
    for (let p = 0; p < oh; p++)
      for (let q = 0; q < ow; q++) {
        const inside: number[] = [];
        let cells = 0;
        for (let r = 0; r < kernel[0]!; r++)
          for (let s = 0; s < kernel[1]!; s++) {
            const [row, column] = [
              p * strides[0]! + r * dilations[0]! - pads[0]!,
              q * strides[1]! + s * dilations[1]! - pads[1]!,
            ];
            if (row < height + pads[2]! && column < width + pads[3]!) cells++;
            if (row >= 0 && row < height && column >= 0 && column < width)
              inside.push(numberAt(x, (plane * height + row) * width + column));
          }
        setElement(y, at++, combine(inside, cells));
      }
  return y;
}

export function poolFromOnnx(onnx: OnnxCall): PoolAttrs {
  const window: Window = windowFromOnnx(onnx, onnx.input(0).type.shape.slice(2));
  return {...window, ceil: onnx.int('ceil_mode', 0) !== 0};
}

export function lowerPool(contract: string, {attrs, inputs, outputs}: KernelContext<PoolAttrs>, includePad: boolean): KernelCall {
  const [x, y] = [inputs[0]!.view(), outputs[0]!];
  const [n, c, oh, ow] = y.shape as [number, number, number, number];
  const [kh, kw] = attrs.kernel as [number, number];
  const [sh, sw] = attrs.strides as [number, number];
  const [dh, dw] = attrs.dilations as [number, number];
  const [pt, pl, pb, pr] = attrs.pads as [number, number, number, number];
  return {
    kind: 'kernel',
    contract,
    header: null,
    struct: 'pool_shape',
    fields: {
      ...{n, oh, ow, c, ih: x.shape[2]!, iw: x.shape[3]!, kh, kw, sh, sw, dh, dw, pt, pl},
      ...{count_include_pad: Number(includePad), pb, pr, ...imageStrides(x, y)},
      ...{x_bytes: Number(x.dtype === 'u8'), y_bytes: Number(y.dtype === 'u8')},
    },
    params: [
      {name: 'x', role: 'read', view: x},
      {name: 'y', role: 'write', view: y},
    ],
    epilogue: null,
  };
}
