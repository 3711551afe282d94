/** Time to the first result and memory, each in fresh processes. */
import {execFileSync} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {percentiles} from '../../compiler/measure.js';
import type {TensorType} from '../../ir/types.js';

/** `bytes` became resident on the way: code, weights and what the runtime itself needs. */
export type FirstResult = {readonly milliseconds: number; readonly bytes: number};

type Runtime = 'dnnc' | 'onnxruntime';
const worker = fileURLToPath(new URL('./first-result-worker.js', import.meta.url));
const times = 3;

/** Medians of a few processes each. `directory` is scratch. */
export function firstResults(
  directory: string,
  built: {readonly place: string; readonly target: string; readonly inputs: readonly TensorType[]},
  peer: {readonly place: string; readonly inputs: readonly TensorType[]} | null,
): {readonly ours: FirstResult; readonly onnxruntime: FirstResult | null} {
  const runs = (runtime: Runtime, place: string, inputs: readonly TensorType[], target = ''): FirstResult => {
    const file = join(directory, `${runtime}.json`);
    writeFileSync(file, JSON.stringify(inputs.map(({dtype, shape}) => ({dtype, shape}))));
    const results = Array.from({length: times}, () => {
      const text = execFileSync(process.execPath, [worker, runtime, place, file, target], {encoding: 'utf8'});
      return JSON.parse(text) as FirstResult;
    });
    const median = (of: keyof FirstResult): number => percentiles(results.map(result => result[of])).p50;
    return {milliseconds: Number(median('milliseconds').toPrecision(4)), bytes: median('bytes')};
  };
  return {
    ours: runs('dnnc', built.place, built.inputs, built.target),
    onnxruntime: peer && runs('onnxruntime', peer.place, peer.inputs),
  };
}
