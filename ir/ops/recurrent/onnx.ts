/** ONNX's RNN, GRU and LSTM: the input's part of the gates as one matrix product, then a recurrence per direction. */
import type {OnnxCall, OpDef} from '../../op.js';
import {zeros} from '../../tensor.js';
import type {Value} from '../../types.js';
import {noEpilogue} from '../common/epilogue.js';
import {concat} from '../concat/index.js';
import {add} from '../elementwise/index.js';
import {matmul} from '../matmul/index.js';
import {reshapeTo} from '../reshape/index.js';
import {sliceAxis} from '../slice/index.js';
import {transposeTo} from '../transpose/index.js';
import type {RecurrentAttrs} from './attributes.js';
import {isActivation, parameters} from './cells.js';

const usual: Readonly<Record<string, readonly string[]>> = {
  rnn: ['tanh'],
  gru: ['sigmoid', 'tanh'],
  lstm: ['sigmoid', 'tanh', 'tanh'],
};

export function importRecurrent(onnx: OnnxCall, op: OpDef<RecurrentAttrs>, cell: string): readonly Value[] {
  const batchFirst = onnx.int('layout', 0) !== 0;
  const swap = (value: Value): Value =>
    batchFirst ? transposeTo(onnx, value, [1, 0, ...value.type.shape.map((_, i) => i).slice(2)]) : value;
  const [x, w] = [swap(onnx.input(0)), onnx.input(1)];
  if (x.type.shape.length !== 3 || w.type.shape.length !== 3) onnx.invalid('X and W must have three axes');
  if (x.type.dtype !== 'f32') onnx.unsupported(`${onnx.op} of ${x.type.dtype}`);
  const direction = onnx.string('direction', 'forward');
  const reverses = direction === 'bidirectional' ? [false, true] : [direction === 'reverse'];
  if (w.type.shape[0] !== reverses.length) onnx.invalid(`W has ${w.type.shape[0]} directions, not ${reverses.length}`);
  const attrs = attributesOf(onnx, cell, reverses.length);
  const ends = reverses.map((reverse, d) => oneDirection(onnx, op, x, d, swap, {...attrs[d]!, reverse}));
  const joined = (index: number): Value => {
    const parts = ends.map(outputs => {
      const {shape} = outputs[index]!.type;
      return reshapeTo(onnx, outputs[index]!, shape.toSpliced(shape.length - 2, 0, 1))[0];
    });
    const axis = parts[0]!.type.shape.length - 3;
    return parts.length === 1 ? parts[0]! : onnx.emit(concat, parts, {axis})[0];
  };
  // Y is [steps][directions][batch][hidden], and [batch][steps][directions][hidden] with the batch first.
  const y = batchFirst ? transposeTo(onnx, joined(0), [2, 0, 1, 3]) : joined(0);
  return [y, swap(joined(1)), ...(cell === 'lstm' ? [swap(joined(2))] : [])];
}

function oneDirection(
  onnx: OnnxCall,
  op: OpDef<RecurrentAttrs>,
  x: Value,
  d: number,
  swap: (value: Value) => Value,
  attrs: RecurrentAttrs,
) {
  const part = (value: Value): Value => reshapeTo(onnx, sliceAxis(onnx, value, 0, d, 1), value.type.shape.slice(1))[0];
  const optional = (index: number): Value | null => onnx.inputs[index] ?? null;
  const [w, r] = [part(onnx.input(1)), part(onnx.input(2))];
  const [rows, hidden] = r.type.shape as [number, number];
  const [product] = onnx.emit(matmul, [x, transposeTo(onnx, w, [1, 0])], noEpilogue);
  const start = (index: number): Value => {
    const given = optional(index);
    return given ? part(swap(given)) : onnx.literal(zeros('f32', [x.type.shape[1]!, hidden]));
  };
  const bias = optional(3) && part(onnx.input(3));
  const [input, own] = bias ? biases(onnx, bias, rows, hidden, attrs.linearBeforeReset) : [null, null];
  const gates = input ? onnx.emit(add, [product, input], {})[0] : product;
  const lstm = attrs.cell === 'lstm';
  const peephole = lstm ? optional(7) && part(onnx.input(7)) : null;
  return onnx.emit(op, [gates, r, start(5), optional(4), lstm ? start(6) : null, peephole, own], attrs);
}

/** The biases of input and state add up, but for the last gate of a GRU that multiplies the state before it is reset. */
function biases(onnx: OnnxCall, bias: Value, rows: number, hidden: number, apart: boolean): readonly [Value, Value | null] {
  const [input, state] = [sliceAxis(onnx, bias, 0, 0, rows), sliceAxis(onnx, bias, 0, rows, rows)];
  if (!apart) return [onnx.emit(add, [input, state], {})[0], null];
  const first = (value: Value): Value => sliceAxis(onnx, value, 0, 0, rows - hidden);
  const last = (value: Value): Value => sliceAxis(onnx, value, 0, rows - hidden, hidden);
  const [both] = onnx.emit(add, [first(input), first(state)], {});
  return [onnx.emit(concat, [both, last(input)], {axis: 0})[0], last(state)];
}

/** Attributes of each direction. Parameters are listed only for the activations that have them. */
function attributesOf(onnx: OnnxCall, cell: string, directions: number): readonly Omit<RecurrentAttrs, 'reverse'>[] {
  const count = usual[cell]!.length;
  const given = onnx.has('activations') ? onnx.strings('activations').map(name => name.toLowerCase()) : null;
  const names = given ?? Array.from({length: directions}, () => usual[cell]!).flat();
  if (names.length !== count * directions) onnx.invalid(`${names.length} activations for ${directions} directions`);
  const lists = [[...onnx.floats('activation_alpha', [])], [...onnx.floats('activation_beta', [])]];
  const values = names.map(name => {
    if (!isActivation(name)) return onnx.invalid(`"${name}" is not an activation`);
    return parameters[name].map((absent, i) => (absent === null ? 0 : (lists[i]!.shift() ?? absent)));
  });
  return Array.from({length: directions}, (_, d) => {
    const [from, to] = [d * count, (d + 1) * count];
    return {
      cell,
      activations: names.slice(from, to),
      alphas: values.slice(from, to).map(([alpha]) => alpha!),
      betas: values.slice(from, to).map(([, beta]) => beta!),
      clip: onnx.float('clip', 0),
      linearBeforeReset: cell === 'gru' && onnx.int('linear_before_reset', 0) !== 0,
      inputForget: onnx.int('input_forget', 0) !== 0,
    };
  });
}
