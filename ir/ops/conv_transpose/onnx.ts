/** ONNX's ConvTranspose over one, two or three spatial axes. */
import type {Builder, OnnxCall, OpDef} from '../../op.js';
import type {Value} from '../../types.js';
import {span} from '../common/window.js';
import {asRow} from '../conv2d/onnx.js';
import {add} from '../elementwise/index.js';
import {placeAlong} from '../pad/index.js';
import {reshapeTo} from '../reshape/index.js';
import {sliceAxis} from '../slice/index.js';
import {transposeTo} from '../transpose/index.js';
import type {ConvTransposeAttrs} from './attributes.js';

type Op = OpDef<ConvTransposeAttrs>;

export function importConvTranspose(onnx: OnnxCall, op: Op): readonly Value[] {
  const [x, w] = [onnx.input(0), onnx.input(1)];
  const b = onnx.inputs[2] ?? null;
  const rank = x.type.shape.length - 2;
  if (rank < 1 || rank > 3) onnx.unsupported(`${rank} spatial axes`, 'only one, two or three spatial axes are supported');
  if (w.type.shape.length !== rank + 2) onnx.invalid(`x is [${x.type.shape}] and w [${w.type.shape}]`);
  const attrs = attributesOf(onnx, x.type.shape.slice(2), w.type.shape.slice(2));
  if (rank === 2) return onnx.emit(op, [x, w, b], attrs);
  if (rank === 3) {
    const y = inDepth(onnx, op, x, w, attrs);
    return b ? onnx.emit(add, [y, reshapeTo(onnx, b, [...b.type.shape, 1, 1, 1])[0]], {}) : [y];
  }
  const row = {
    strides: [1, ...attrs.strides],
    dilations: [1, ...attrs.dilations],
    start: [0, ...attrs.start],
    size: [1, ...attrs.size],
    groups: attrs.groups,
  };
  const [y] = onnx.emit(op, [asRow(onnx, x), asRow(onnx, w), b], row);
  return reshapeTo(onnx, y, [y.type.shape[0]!, y.type.shape[1]!, y.type.shape[3]!]);
}

/** x [n][c][d][h][w]: each slice of the kernel makes slices of the result, which are put in their places and added up. */
function inDepth(build: Builder, op: Op, x: Value, w: Value, attrs: ConvTransposeAttrs): Value {
  const [n, c, depth, ...image] = x.type.shape as [number, number, number, ...number[]];
  const [inputs, outputs, kernel, ...window] = w.type.shape as [number, number, number, ...number[]];
  const [stride, dilation] = [attrs.strides[0]!, attrs.dilations[0]!];
  const flat = {
    ...attrs,
    strides: attrs.strides.slice(1),
    dilations: attrs.dilations.slice(1),
    start: attrs.start.slice(1),
    size: attrs.size.slice(1),
  };
  const [slices] = reshapeTo(build, transposeTo(build, x, [0, 2, 1, 3, 4]), [n * depth, c, ...image]);
  const parts = Array.from({length: kernel}, (_, r) => {
    const [weights] = reshapeTo(build, sliceAxis(build, w, 2, r, 1), [inputs, outputs, ...window]);
    const [y] = build.emit(op, [slices, weights, null], flat);
    const rest = y.type.shape.slice(1);
    const apart = placeAlong(build, reshapeTo(build, y, [n, depth, 1, ...rest])[0], 2, 0, stride);
    const [spread] = reshapeTo(build, apart, [n, depth * stride, ...rest]);
    return placeAlong(build, spread, 1, r * dilation - attrs.start[0]!, attrs.size[0]!);
  });
  const sum = parts.reduce((total, part) => build.emit(add, [total, part], {})[0]);
  return transposeTo(build, sum, [0, 2, 1, 3, 4]);
}

/** Which part of the full result is kept: as padding says, or an output shape, or automatic padding. */
function attributesOf(onnx: OnnxCall, size: readonly number[], window: readonly number[]): ConvTransposeAttrs {
  const rank = size.length;
  const list = (name: string, absent: readonly number[]): readonly number[] => {
    const given = onnx.ints(name, absent);
    if (given.length !== absent.length) onnx.invalid(`${name} has ${given.length} entries, not ${absent.length}`);
    return given;
  };
  const kernel = list('kernel_shape', window);
  const all = (value: number): readonly number[] => size.map(() => value);
  const [strides, dilations] = [list('strides', all(1)), list('dilations', all(1))];
  const [extra, pads] = [list('output_padding', all(0)), list('pads', [...all(0), ...all(0)])];
  if ([...kernel, ...strides, ...dilations].some(n => n < 1))
    onnx.invalid('kernel_shape, strides and dilations must be positive');
  const auto = onnx.string('auto_pad', 'NOTSET');
  const same = auto.startsWith('SAME');
  // Without padding, and as asked for; the difference is cut off, on one side more where it is odd.
  const full = size.map((length, i) => (length - 1) * strides[i]! + extra[i]! + span(kernel[i]!, dilations[i]!));
  const asked = onnx.has('output_shape')
    ? onnx.ints('output_shape').slice(-rank)
    : same
      ? size.map((length, i) => Math.min(full[i]!, length * strides[i]!))
      : null;
  const half = (total: number): number => (auto === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2));
  const start = asked
    ? full.map((length, i) => half(Math.max(0, length - asked[i]!)))
    : auto === 'VALID'
      ? all(0)
      : pads.slice(0, rank);
  const result = asked ?? full.map((length, i) => (auto === 'VALID' ? length : length - pads[i]! - pads[i + rank]!));
  return {strides, dilations, start, size: result, groups: onnx.int('group', 1)};
}
