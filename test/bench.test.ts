/** What the bench table concludes from its rows. */
import test from 'ava';
import {changesOf, type Failure, meansOf, type Row} from './bench/rows.js';

const row = (model: string, ratio: number, target = 'generic'): Row => ({
  ...{model, target, ratio},
  ...{macs: 1, weightBytes: 1, packedBytes: 1, floor: 1, arenaBytes: 1, arenaLowerBound: 1, codeBytes: 1},
  ...{buildSeconds: 1, compileSeconds: 1, ours: {p10: 1, p50: 1, p90: 1}},
});
const failure: Failure = {model: 'c.onnx', error: 'no'};

test('means are geometric, apart for quantized models and for each target', t => {
  const rows = [row('a.onnx', 2), row('b.onnx', 8), row('a.qdq.onnx', 3), row('a.onnx', 5, 'x86-64-avx2'), failure];
  t.deepEqual(meansOf(rows), [
    {models: 'float', target: 'generic', count: 2, ratio: 4, least: 2},
    {models: 'quantized', target: 'generic', count: 1, ratio: 3, least: 3},
    {models: 'float', target: 'x86-64-avx2', count: 1, ratio: 5, least: 5},
  ]);
});

test('changes are of models that both tables have', t => {
  const before = [row('a.onnx', 2), row('gone.onnx', 2), failure];
  t.deepEqual(changesOf(before, [row('a.onnx', 3), row('new.onnx', 1), failure]), [
    {model: 'a.onnx', target: 'generic', before: 2, now: 3},
  ]);
});
