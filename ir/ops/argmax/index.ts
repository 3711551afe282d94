/** Where x is largest or smallest along an axis; Hardmax is a comparison with it. */
import {defineOp, type KernelContext, type OnnxCall, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {elements, setElement, tensorFrom, zeros} from '../../tensor.js';
import type {Value} from '../../types.js';
import {foldAxes} from '../common/fold.js';
import {cast} from '../elementwise/index.js';
import {map} from '../map/index.js';
import {axisOf, flatAxisOf, reshapeTo} from '../reshape/index.js';

/** `last`: of several equal elements the last one counts, else the first. */
export type ArgmaxAttrs = {readonly axis: number; readonly largest: boolean; readonly last: boolean};

export const argmax: OpDef<ArgmaxAttrs> = defineOp<ArgmaxAttrs>({
  name: 'argmax',
  summary: 'the index of the largest (or smallest) element along an axis, which goes',
  operands: ['x'],
  defaults: {largest: true, last: false},
  rules: [
    {
      id: 'argmax.axis',
      says: 'axis is one of x, which has at most four',
      holds: ({attrs: {axis}, inputs: [x]}) => axis >= 0 && axis < (x?.shape.length ?? 0) && (x?.shape.length ?? 0) <= 4,
    },
  ],
  infer: call => [{dtype: 'i64', shape: typeAt(call, 0).shape.toSpliced(call.attrs.axis, 1)}],
  evaluate: ({attrs: {axis, largest, last}}, inputs) => {
    const x = tensorAt(inputs, 0);
    const [size, inner] = [x.shape[axis]!, elements(x.shape.slice(axis + 1))];
    const y = zeros('i64', x.shape.toSpliced(axis, 1));
    for (let at = 0; at < y.data.length; at++) {
      const start = Math.floor(at / inner) * size * inner + (at % inner);
      let best = 0;
      for (let i = 1; i < size; i++) {
        const [a, b] = [x.data[start + i * inner]!, x.data[start + best * inner]!];
        if ((largest ? a > b : a < b) || (last && a === b)) best = i;
      }
      setElement(y, at, best);
    }
    return [y];
  },
  fromOnnx: {
    ArgMax: onnx => importArg(onnx, true),
    ArgMin: onnx => importArg(onnx, false),
    Hardmax: importHardmax,
  },
  kernel: {
    layout: 'any',
    dtypes: ['f32', 'f64', 'i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64'],
    lower: lowerArgmax,
  },
});

function importArg(onnx: OnnxCall, largest: boolean): readonly Value[] {
  const x = onnx.input(0);
  const axis = axisOf(onnx, onnx.int('axis', 0), x.type.shape.length);
  const y = argAlong(onnx, x, {axis, largest, last: onnx.int('select_last_index', 0) !== 0});
  return onnx.int('keepdims', 1) === 0 ? [y] : reshapeTo(onnx, y, x.type.shape.with(axis, 1));
}

/** More than four axes become three. */
function argAlong(onnx: OnnxCall, x: Value, attrs: ArgmaxAttrs): Value {
  const {shape} = x.type;
  if (shape.length <= 4) return onnx.emit(argmax, [x], attrs)[0];
  const {axis} = attrs;
  const [few] = reshapeTo(onnx, x, [elements(shape.slice(0, axis)), shape[axis]!, elements(shape.slice(axis + 1))]);
  return reshapeTo(onnx, onnx.emit(argmax, [few], {...attrs, axis: 1})[0], shape.toSpliced(axis, 1))[0];
}

/** 1 at the first maximum, 0 elsewhere. Before opset 13 the axes from `axis` on are one (default 1). */
function importHardmax(onnx: OnnxCall): readonly Value[] {
  const x = onnx.input(0);
  const {dtype, shape} = x.type;
  const old = onnx.opset < 13;
  const axis = old ? flatAxisOf(onnx) : axisOf(onnx, onnx.int('axis', -1), shape.length);
  const size = old ? elements(shape.slice(axis)) : shape[axis]!;
  const inner = old ? 1 : elements(shape.slice(axis + 1));
  const [rows] = reshapeTo(onnx, x, [elements(shape) / (size * inner), size, inner]);
  const best = argAlong(onnx, rows, {axis: 1, largest: true, last: false});
  const [chosen] = reshapeTo(onnx, best, rows.type.shape.with(1, 1));
  const places = onnx.literal(
    tensorFrom(
      'i64',
      [size, 1],
      Array.from({length: size}, (_, i) => i),
    ),
  );
  const [hits] = onnx.emit(map, [chosen, places], {expression: 'eq(x0, x1)'});
  return reshapeTo(onnx, onnx.emit(cast, [hits], {to: dtype})[0], shape);
}

function lowerArgmax({attrs: {axis, largest, last}, inputs, outputs}: KernelContext<ArgmaxAttrs>): KernelCall {
  const [x, y] = [inputs[0]!.view(), outputs[0]!];
  const k = foldAxes(x.shape.toSpliced(axis, 1), [x.strides.toSpliced(axis, 1), y.strides], 3);
  const named = (letter: string, list: readonly number[]) => Object.fromEntries(list.map((value, i) => [`${letter}${i}`, value]));
  return {
    kind: 'kernel',
    contract: `argmax_${x.dtype}`,
    header: 'argmax/kernel.h',
    struct: 'argmax_shape',
    fields: {
      ...{largest: Number(largest), last: Number(last)},
      ...named(
        'k',
        k.map(({size}) => size),
      ),
      ...named(
        'x',
        k.map(({steps}) => steps[0]!),
      ),
      ...named(
        'y',
        k.map(({steps}) => steps[1]!),
      ),
      ...{size: x.shape[axis]!, step: x.strides[axis]!},
    },
    params: [
      {name: 'x', role: 'read', view: x},
      {name: 'y', role: 'write', view: y},
    ],
    epilogue: null,
  };
}
