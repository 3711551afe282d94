/** ONNX's CausalConvWithState: each channel convolved with what came before, of which the end is kept for the next call. No op of its own. */
import type {FromOnnx, OnnxCall} from '../../op.js';
import type {Value} from '../../types.js';
import {concat} from '../concat/index.js';
import {conv2d} from '../conv2d/index.js';
import {asRow} from '../conv2d/onnx.js';
import {add, mul} from '../elementwise/index.js';
import {map} from '../map/index.js';
import {pad} from '../pad/index.js';
import {reshapeTo} from '../reshape/index.js';
import {sliceAxis} from '../slice/index.js';

export const causalConvImporters: Readonly<Record<string, FromOnnx>> = {CausalConvWithState: importCausal};

/** Operands: x [b][c][n], weights [c][1][k], a bias [c], and the state [b][c][k - 1], zeros at first. */
function importCausal(onnx: OnnxCall): readonly (Value | null)[] {
  const [x, w] = [onnx.input(0), onnx.input(1)];
  if (x.type.shape.length !== 3) onnx.invalid(`x is [${x.type.shape}], not [batch][channels][places]`);
  const [batch, channels, places] = x.type.shape as [number, number, number];
  const kernel = w.type.shape[2] ?? 0;
  if (String(w.type.shape) !== `${[channels, 1, kernel]}` || kernel < 1)
    onnx.invalid(`the weights are [${w.type.shape}], not [${channels}][1][kernel]`);
  const before = kernel - 1;
  const state = onnx.inputs[3] ?? null;
  if (state && String(state.type.shape) !== `${[batch, channels, before]}`)
    onnx.invalid(`the state is [${state.type.shape}], not [${batch}][${channels}][${before}]`);
  const whole = before === 0 ? x : extended(onnx, x, state, before);
  const sums = convolved(onnx, whole, w, places);
  const activation = onnx.string('activation', 'none');
  if (!['none', 'silu', 'swish'].includes(activation)) onnx.invalid(`activation "${activation}" is not silu, swish or none`);
  const y = activation === 'none' ? sums : onnx.emit(map, [sums], {expression: 'mul(x0, sigmoid(x0))'})[0];
  return [y, onnx.outputCount > 1 ? sliceAxis(onnx, whole, 2, places, before) : null];
}

function extended(onnx: OnnxCall, x: Value, state: Value | null, before: number): Value {
  return state ? onnx.emit(concat, [state, x], {axis: 2})[0] : onnx.emit(pad, [x], {pads: [0, 0, before, 0, 0, 0], value: 0})[0];
}

/** Weights that are known make a convolution; others are read tap by tap. */
function convolved(onnx: OnnxCall, x: Value, w: Value, places: number): Value {
  const [channels, , kernel] = w.type.shape as [number, number, number];
  const bias = onnx.inputs[2] ?? null;
  if (onnx.isConstant(1) && (!bias || onnx.isConstant(2)) && x.type.dtype === 'f32') {
    const attrs = {strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], groups: channels, epilogue: ''};
    const [y] = onnx.emit(conv2d, [asRow(onnx, x), asRow(onnx, w), bias], attrs);
    return reshapeTo(onnx, y, [x.type.shape[0]!, channels, places])[0];
  }
  const taps = Array.from({length: kernel}, (_, k) => {
    const [weight] = reshapeTo(onnx, sliceAxis(onnx, w, 2, k, 1), [channels, 1]);
    return onnx.emit(mul, [sliceAxis(onnx, x, 2, k, places), weight], {})[0];
  });
  const terms = bias ? [...taps, reshapeTo(onnx, bias, [channels, 1])[0]] : taps;
  return terms.reduce((sum, term) => onnx.emit(add, [sum, term], {})[0]);
}
