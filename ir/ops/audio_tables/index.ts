/** What audio models multiply with before the network proper: ONNX's window functions and mel filters. Constants, no ops. */
import type {FromOnnx, OnnxCall} from '../../op.js';
import {numberAt, type Tensor, tensorFrom, zeros} from '../../tensor.js';
import type {DType, Value} from '../../types.js';

export const audioTableImporters: Readonly<Record<string, FromOnnx>> = {
  HannWindow: onnx => cosines(onnx, [0.5, -0.5]),
  HammingWindow: onnx => cosines(onnx, [25 / 46, 25 / 46 - 1]),
  BlackmanWindow: onnx => cosines(onnx, [0.42, -0.5, 0.08]),
  MelWeightMatrix: onnx => [onnx.literal(melFilters(onnx))],
};

function numberOf(onnx: OnnxCall, index: number, what: string): number {
  const tensor = onnx.constant(index, what);
  if (tensor.data.length !== 1) onnx.invalid(`${what} has ${tensor.data.length} elements`);
  return numberAt(tensor, 0);
}

function dtypeOf(onnx: OnnxCall): DType {
  const type = onnx.int('output_datatype', 1);
  return onnx.dtypeOf(type) ?? onnx.unsupported(`ONNX element type ${type}`);
}

/** y[n] = sum over k of factors[k] * cos(2 pi k n / period); a periodic window is one longer and loses its last element. */
function cosines(onnx: OnnxCall, factors: readonly number[]): readonly Value[] {
  const size = numberOf(onnx, 0, 'the size');
  if (size < 1) onnx.invalid(`the size is ${size}`);
  const period = onnx.int('periodic', 1) !== 0 ? size : size - 1;
  const at = (n: number): number =>
    factors.reduce((sum, factor, k) => sum + factor * Math.cos((2 * Math.PI * k * n) / period), 0);
  const values = Array.from({length: size}, (_, n) => (size === 1 ? 1 : at(n)));
  return [onnx.literal(tensorFrom(dtypeOf(onnx), [size], values))];
}

/** [bin][filter]: triangles whose corners are evenly spaced in mel (O'Shaughnessy 1987), rounded down to bins. */
function melFilters(onnx: OnnxCall): Tensor {
  const [filters, length, rate] = [
    numberOf(onnx, 0, 'the number of filters'),
    numberOf(onnx, 1, 'the length of the transform'),
    numberOf(onnx, 2, 'the sample rate'),
  ];
  const mel = (hertz: number): number => 2595 * Math.log10(1 + hertz / 700);
  const [low, high] = [mel(numberOf(onnx, 3, 'the lowest frequency')), mel(numberOf(onnx, 4, 'the highest frequency'))];
  const bins = Math.floor(length / 2) + 1;
  const corners = Array.from({length: filters + 2}, (_, i) => {
    const hertz = 700 * (10 ** ((low + (i * (high - low)) / (filters + 2)) / 2595) - 1);
    return Math.floor(((length + 1) * hertz) / rate);
  });
  if (filters < 1 || corners.some(corner => corner < 0 || corner >= bins))
    onnx.invalid(`filters from bin ${corners[0]} to ${corners.at(-1)} of ${bins} bins`);
  const weights = zeros(dtypeOf(onnx), [bins, filters]);
  const values = new Array<number>(bins * filters).fill(0);
  for (let filter = 0; filter < filters; filter++) {
    const [left, centre, right] = corners.slice(filter, filter + 3) as [number, number, number];
    for (let bin = left; bin < centre; bin++) values[bin * filters + filter] = (bin - left) / (centre - left);
    values[centre * filters + filter] = 1;
    for (let bin = centre + 1; bin < right; bin++) values[bin * filters + filter] = (right - bin) / (right - centre);
  }
  return tensorFrom(weights.dtype, weights.shape, values);
}
