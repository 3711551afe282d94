/** A process of its own that computes one result: time from its first import to the result, and what became resident meanwhile. */
import {readFileSync} from 'node:fs';
import {type Tensor, zeros} from '../../ir/tensor.js';
import type {TensorType} from '../../ir/types.js';

const [runtime, place, inputsFile, target] = process.argv.slice(2) as [string, string, string, string];
const types = JSON.parse(readFileSync(inputsFile, 'utf8')) as readonly TensorType[];
const inputs = types.map((type): Tensor => zeros(type.dtype, type.shape));

const [started, before] = [performance.now(), process.memoryUsage.rss()];
if (runtime === 'dnnc') {
  const {load} = await import('../../runtime/index.js');
  const session = load(place, {target});
  const entry = session.entry(session.manifest.variants[0]!.task);
  entry.bench(
    inputs.map(({data}) => data),
    entry.newOutputs(),
    1,
    0,
  );
} else {
  const {openPeer} = await import('../../compiler/onnxruntime.js');
  await (await openPeer(place)).run(inputs);
}
const milliseconds = performance.now() - started;
process.stdout.write(JSON.stringify({milliseconds, bytes: process.memoryUsage.rss() - before}));
