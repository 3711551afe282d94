/** ONNX's DepthToSpace and SpaceToDepth: channels become pixels of b x b blocks, and back. Reshapes around a transposition. */
import type {FromOnnx, OnnxCall} from '../../op.js';
import type {Value} from '../../types.js';
import {reshapeTo} from '../reshape/index.js';
import {transposeTo} from '../transpose/index.js';

export const depthToSpaceImporters: Readonly<Record<string, FromOnnx>> = {
  DepthToSpace: importDepthToSpace,
  SpaceToDepth: importSpaceToDepth,
};

/** DCR: [n][b][b][c][h][w] -> [n][c][h][b][w][b]; CRD has the channels in front of the blocks. */
function importDepthToSpace(onnx: OnnxCall): readonly Value[] {
  const [x, b] = [onnx.input(0), onnx.int('blocksize')];
  const [n, channels, h, w] = imageOf(onnx, x);
  const mode = onnx.string('mode', 'DCR');
  if (channels % (b * b) !== 0) onnx.invalid(`${channels} channels do not make blocks of ${b} x ${b}`);
  const c = channels / (b * b);
  const [apart] = reshapeTo(onnx, x, mode === 'CRD' ? [n, c, b, b, h, w] : [n, b, b, c, h, w]);
  return reshapeTo(onnx, transposeTo(onnx, apart, mode === 'CRD' ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]), [
    n,
    c,
    h * b,
    w * b,
  ]);
}

/** [n][c][h][b][w][b] -> [n][b][b][c][h][w]; CRD has the channels in front of the blocks. */
function importSpaceToDepth(onnx: OnnxCall): readonly Value[] {
  const [x, b] = [onnx.input(0), onnx.int('blocksize')];
  const [n, c, height, width] = imageOf(onnx, x);
  if (height % b !== 0 || width % b !== 0) onnx.invalid(`${height} x ${width} pixels do not make blocks of ${b} x ${b}`);
  const [h, w] = [height / b, width / b];
  const [apart] = reshapeTo(onnx, x, [n, c, h, b, w, b]);
  const perm = onnx.string('mode', 'DCR') === 'CRD' ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4];
  return reshapeTo(onnx, transposeTo(onnx, apart, perm), [n, c * b * b, h, w]);
}

function imageOf(onnx: OnnxCall, x: Value): readonly [number, number, number, number] {
  const {shape} = x.type;
  if (shape.length !== 4) onnx.invalid(`x is [${shape}], not [n][c][h][w]`);
  return shape as [number, number, number, number];
}
