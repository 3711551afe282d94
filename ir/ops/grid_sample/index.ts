/** Images of two or three axes, read at given points between their pixels. ONNX's GridSample; the coordinates here count pixels. */
import {type Call, defineOp, type KernelContext, type OnnxCall, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {elements, numberAt, setElement, type Tensor, tensorFrom, zeros} from '../../tensor.js';
import type {Value} from '../../types.js';
import {forEachIndex, stridesOf} from '../common/broadcast.js';
import {ownKernel} from '../common/call.js';
import {cast} from '../elementwise/index.js';
import {map} from '../map/index.js';
import {slice} from '../slice/index.js';
import {type Mode, modes, type Padding, paddings, type Tap, tapsAt} from './points.js';

export type GridSampleAttrs = {
  readonly mode: Mode;
  /** What counts for pixels outside: zeros, the nearest pixel, or the image mirrored at its border. */
  readonly padding: Padding;
  /** The border lies in the centres of the outermost pixels, not at their outer edges. */
  readonly aligned: boolean;
};

const shapeOf = ({inputs: [x, grid]}: Call<GridSampleAttrs>): readonly number[] => [
  ...(x?.shape.slice(0, 2) ?? []),
  ...(grid?.shape.slice(1, -1) ?? []),
];

export const gridSample: OpDef<GridSampleAttrs> = defineOp<GridSampleAttrs>({
  name: 'grid_sample',
  summary: 'y[n][c][p...] = x[n][c] between the pixels around the point grid[n][p...]',
  operands: ['x', 'grid'],
  defaults: {mode: 'linear', padding: 'zeros', aligned: false},
  rules: [
    {
      id: 'grid_sample.attributes',
      says: `mode is ${modes.join(', ')}, padding ${paddings.join(', ')}`,
      holds: ({attrs: {mode, padding}}) => modes.includes(mode) && paddings.includes(padding),
    },
    {
      id: 'grid_sample.shapes',
      says: 'x is [n][c] and two or three axes; grid is [n][...][a coordinate for each of these, in their order], of the same type',
      holds: ({inputs: [x, grid]}) =>
        (x?.shape.length === 4 || x?.shape.length === 5) &&
        grid?.shape.at(-1) === x.shape.length - 2 &&
        grid.shape[0] === x.shape[0] &&
        grid.shape.length >= 2 &&
        grid.dtype === x.dtype,
    },
  ],
  infer: call => [{dtype: typeAt(call, 0).dtype, shape: shapeOf(call)}],
  evaluate,
  macs: call =>
    elements(shapeOf(call)) * {nearest: 1, linear: 2, cubic: 4}[call.attrs.mode] ** (typeAt(call, 0).shape.length - 2),
  fromOnnx: {GridSample: importGridSample},
  kernel: {layout: 'row-major', lower: lowerGridSample},
});

function evaluate(call: Call<GridSampleAttrs>, inputs: readonly (Tensor | null)[]): readonly Tensor[] {
  const {mode, padding, aligned} = call.attrs;
  const [x, grid] = [tensorAt(inputs, 0), tensorAt(inputs, 1)];
  const [batch, channels, ...image] = x.shape as [number, number, ...number[]];
  const y = zeros(x.dtype, shapeOf(call));
  const points = elements(grid.shape.slice(1, -1));
  const steps = stridesOf(image);
  forEachIndex([batch, points], ([n, p]) => {
    const taps = image.map((size, axis) =>
      tapsAt(numberAt(grid, (n! * points + p!) * image.length + axis), size, mode, padding, aligned),
    );
    const around = taps.reduce<readonly Tap[]>(
      (all, along, axis) =>
        all.flatMap(a => along.map(b => ({place: a.place + b.place * steps[axis]!, weight: a.weight * b.weight}))),
      [{place: 0, weight: 1}],
    );
    for (let c = 0; c < channels; c++) {
      const plane = (n! * channels + c) * elements(image);
      const sum = around.reduce((total, {place, weight}) => total + weight * numberAt(x, plane + place), 0);
      setElement(y, (n! * channels + c) * points + p!, sum);
    }
  });
  return [y];
}

/** -1 and 1 are the borders; the innermost axis comes first. */
function importGridSample(onnx: OnnxCall): readonly Value[] {
  const [x, given] = [onnx.input(0), onnx.input(1)];
  const [grid] = given.type.dtype === x.type.dtype ? [given] : onnx.emit(cast, [given], {to: x.type.dtype});
  const image = x.type.shape.slice(2);
  if (image.length < 2 || image.length > 3) onnx.unsupported(`${image.length} spatial axes`, 'two or three are supported');
  const named = onnx.string('mode', onnx.opset < 20 ? 'bilinear' : 'linear').replace(/^bi/, '');
  const [mode, padding] = [
    modes.find(name => name === named),
    paddings.find(name => name === onnx.string('padding_mode', 'zeros')),
  ];
  if (!mode || !padding) return onnx.invalid(`mode "${named}" with padding_mode "${onnx.string('padding_mode', 'zeros')}"`);
  if (grid.type.shape.length !== image.length + 2 || grid.type.shape.at(-1) !== image.length)
    onnx.invalid(`x is [${x.type.shape}] and the grid [${grid.type.shape}]`);
  const aligned = onnx.int('align_corners', 0) !== 0;
  const sizes = onnx.literal(tensorFrom(x.type.dtype, [image.length], image));
  const [turned] = onnx.emit(slice, [grid], {
    starts: grid.type.shape.map(() => 0).with(-1, image.length - 1),
    steps: grid.type.shape.map(() => 1).with(-1, -1),
    shape: grid.type.shape,
  });
  const expression = aligned ? 'mul(div(add(x0, 1), 2), sub(x1, 1))' : 'div(sub(mul(add(x0, 1), x1), 1), 2)';
  const [points] = onnx.emit(map, [turned, sizes], {expression});
  return onnx.emit(gridSample, [x, points], {mode, padding, aligned});
}

function lowerGridSample({attrs: {mode, padding, aligned}, types, inputs, outputs}: KernelContext<GridSampleAttrs>): KernelCall {
  const [x, grid] = [types[0]!.shape, types[1]!.shape];
  const [h, w] = x.slice(-2) as [number, number];
  const fields = {
    ...{n: x[0]!, c: x[1]!, d: x.length === 5 ? x[2]! : 1, h, w, axes: x.length - 2, points: elements(grid.slice(1, -1))},
    ...{mode: modes.indexOf(mode), padding: paddings.indexOf(padding), aligned: Number(aligned)},
  };
  const reads = {x: inputs[0]!.view(), grid: inputs[1]!.view()};
  return ownKernel('grid_sample', 'grid_sample_f32', fields, reads, {y: outputs[0]!});
}
