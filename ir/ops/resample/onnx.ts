/** ONNX's Resize and Upsample: axis by axis, nearest neighbours as gathers and interpolation as weighted sums. */
import type {OnnxCall, OpDef} from '../../op.js';
import {filled, numbersOf, tensorFrom} from '../../tensor.js';
import type {Value} from '../../types.js';
import {gather} from '../gather/index.js';
import {map} from '../map/index.js';
import {axisOf} from '../reshape/index.js';
import type {ResampleAttrs} from './attributes.js';
import {type Axis, coordinates, cropped, cubicKernel, linearKernel, nearest, normalized, taps} from './coordinates.js';

type Resample = OpDef<ResampleAttrs>;

/** How coordinates become values. */
type Mode = {readonly mode: string; readonly coordinate: string; readonly rounding: string};

/** Before opset 11, Upsample and Resize knew scales and no modes of coordinates. */
const old: Mode = {mode: 'nearest', coordinate: 'asymmetric', rounding: 'simple'};

export function importUpsample(onnx: OnnxCall, resample: Resample): readonly Value[] {
  const scales = onnx.opset < 9 ? onnx.floats('scales') : numbersOf(onnx.constant(1, 'the scales'));
  const {shape} = onnx.input(0).type;
  const axes = shape.map((from, i) => byScale(from, scales[i] ?? 1));
  return [resized(onnx, resample, axes, {...old, mode: onnx.string('mode', 'nearest')})];
}

const byScale = (from: number, scale: number): Axis => ({from, to: Math.floor(from * scale), scale, roi: [0, 1]});

export function importResize(onnx: OnnxCall, resample: Resample): readonly Value[] {
  if (onnx.opset < 11) {
    const scales = numbersOf(onnx.constant(1, 'the scales'));
    const axes = onnx.input(0).type.shape.map((from, i) => byScale(from, scales[i] ?? 1));
    return [resized(onnx, resample, axes, {...old, mode: onnx.string('mode', 'nearest')})];
  }
  const mode = {
    mode: onnx.string('mode', 'nearest'),
    coordinate: onnx.string('coordinate_transformation_mode', 'half_pixel'),
    rounding: onnx.string('nearest_mode', 'round_prefer_floor'),
  };
  return [resized(onnx, resample, axesOf(onnx), mode)];
}

function axesOf(onnx: OnnxCall): readonly Axis[] {
  const {shape} = onnx.input(0).type;
  const named = onnx.has('axes') ? onnx.ints('axes').map(axis => axisOf(onnx, axis, shape.length)) : shape.map((_, i) => i);
  const list = (index: number, what: string): readonly number[] =>
    onnx.inputs[index] ? numbersOf(onnx.constant(index, what)) : [];
  const [roi, scales, sizes] = [list(1, 'the roi'), list(2, 'the scales'), list(3, 'the sizes')];
  const given = sizes.length > 0 ? sizes : scales;
  if (given.length !== named.length) onnx.invalid(`scales or sizes have ${given.length} entries for ${named.length} axes`);
  const policy = onnx.string('keep_aspect_ratio_policy', 'stretch');
  const ratios = named.map((axis, i) => (sizes.length > 0 ? sizes[i]! / shape[axis]! : scales[i]!));
  const common = policy === 'stretch' ? null : policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
  return shape.map((from, axis) => {
    const i = named.indexOf(axis);
    if (i < 0) return {from, to: from, scale: 1, roi: [0, 1]};
    const scale = sizes.length > 0 && common !== null ? common : ratios[i]!;
    const to = sizes.length === 0 ? Math.floor(from * scale) : common === null ? sizes[i]! : Math.floor(from * scale + 0.5);
    return {from, to, scale: Math.fround(scale), roi: roi.length > 0 ? [roi[i]!, roi[i + named.length]!] : [0, 1]};
  });
}

function resized(onnx: OnnxCall, resample: Resample, axes: readonly Axis[], {mode, coordinate, rounding}: Mode): Value {
  const place = coordinates[coordinate] ?? onnx.invalid(`coordinate_transformation_mode "${coordinate}" is unknown`);
  const round = nearest[rounding] ?? onnx.invalid(`nearest_mode "${rounding}" is unknown`);
  const kernel = mode === 'cubic' ? cubicKernel(onnx.float('cubic_coeff_a', Math.fround(-0.75))) : linearKernel;
  if (!['nearest', 'linear', 'cubic'].includes(mode)) onnx.invalid(`mode "${mode}" is not one of nearest, linear, cubic`);
  const [antialias, exclude] = [onnx.int('antialias', 0) !== 0, onnx.int('exclude_outside', 0) !== 0];
  const crops = coordinate === 'tf_crop_and_resize';
  const value = axes.reduce((x, axis, i) => {
    if (axis.to < 1) onnx.invalid(`axis ${i} of [${x.type.shape}] would have ${axis.to} elements`);
    if (axis.to === axis.from && axis.scale === 1 && !crops) return x;
    const inside = (at: number): number => Math.min(Math.max(at, 0), axis.from - 1);
    const places = Array.from({length: axis.to}, (_, at) => place(at, axis));
    if (mode === 'nearest') {
      const chosen = places.map(at => inside(round(at, axis.scale)));
      return onnx.emit(gather, [x, onnx.literal(tensorFrom('i64', [axis.to], chosen))], {axis: i})[0];
    }
    if (x.type.dtype !== 'f32' && x.type.dtype !== 'f64') onnx.unsupported(`${mode} Resize of ${x.type.dtype}`);
    const rows = places.map(at => {
      const all = taps(at, kernel, antialias ? Math.min(axis.scale, 1) : 1);
      return exclude ? normalized(all.map(tap => (inside(tap.place) === tap.place ? tap : {...tap, weight: 0}))) : all;
    });
    const shape = [axis.to, rows[0]!.length];
    const table = tensorFrom(
      'i32',
      shape,
      rows.flatMap(row => row.map(tap => inside(tap.place))),
    );
    const weights = tensorFrom(
      x.type.dtype,
      shape,
      rows.flatMap(row => row.map(tap => tap.weight)),
    );
    return onnx.emit(resample, [x, onnx.literal(table), onnx.literal(weights)], {axis: i})[0];
  }, onnx.input(0));
  return crops ? extrapolated(onnx, value, axes) : value;
}

/** Points that lie outside along some axis get one value. */
function extrapolated(onnx: OnnxCall, x: Value, axes: readonly Axis[]): Value {
  const outside = onnx.literal(filled(x.type.dtype, [1], onnx.float('extrapolation_value', 0)));
  return axes.reduce((value, axis, i) => {
    const kept = Array.from({length: axis.to}, (_, to) => cropped(to, axis)).map(at => at >= 0 && at <= axis.from - 1);
    if (kept.every(inside => inside)) return value;
    const mask = tensorFrom('bool', [axis.to, ...axes.slice(i + 1).map(() => 1)], kept.map(Number));
    return onnx.emit(map, [onnx.literal(mask), value, outside], {expression: 'select(x0, x1, x2)'})[0];
  }, x);
}
