/** Latency of entries and of a peer in one run: they take turns in short rounds, so that what disturbs one disturbs all. */
import type {Tensor} from '../ir/tensor.js';
import type {Entry} from '../runtime/index.js';
import type {Input} from '../runtime/manifest.js';
import type {Built} from './build.js';
import {type Percentiles, percentiles} from './measure.js';
import type {Peer} from './onnxruntime.js';
import {randomInput} from './random-inputs.js';

export type Timed = {readonly peer: Peer; readonly inputs: readonly Tensor[]};
/** Milliseconds per call, four digits. */
export type Interleaved = {readonly ours: readonly Percentiles[]; readonly peer: Percentiles | null};

/** About `seconds` for all together, at least five rounds. Entries share inputs: they are of one task. */
export async function interleave(
  entries: readonly Entry[],
  inputs: readonly Tensor[],
  peer: Timed | null,
  seconds: number,
): Promise<Interleaved> {
  const arrays = inputs.map(({data}) => data);
  const outputs = entries.map(entry => entry.newOutputs());
  const bench = (at: number, calls: number, warmup: number): readonly number[] =>
    Array.from(entries[at]!.bench(arrays, outputs[at]!, calls, warmup), nanoseconds => nanoseconds / 1e6);
  const firsts = entries.map((_, at) => bench(at, 1, 2)[0] ?? 1);
  // A round of about 20 ms each.
  const calls = Math.max(1, Math.min(200, Math.floor(20 / Math.max(...firsts, 1e-6))));
  if (peer) await peer.peer.time(peer.inputs, 3);
  const ours: number[][] = entries.map(() => []);
  const theirs: number[] = [];
  const end = performance.now() + seconds * 1000;
  for (let round = 0; round < 5 || performance.now() < end; round++) {
    for (const [at, times] of ours.entries()) times.push(...bench(at, calls, 1));
    if (peer) theirs.push(...(await peer.peer.time(peer.inputs, calls)));
  }
  return {ours: ours.map(times => rounded(percentiles(times))), peer: peer && rounded(percentiles(theirs))};
}

/** How many times as long the peer takes. */
export const ratioOf = (peer: Percentiles, ours: Percentiles): number => Number((peer.p50 / ours.p50).toFixed(3));

/** onnxruntime wants every input of the file, also those that the optimized network does not read. */
export function peerInputs(built: Built | null, declared: readonly Input[], inputs: readonly Tensor[]): readonly Tensor[] {
  if (built?.loaded.module.heads.length !== 1) return inputs;
  return built.loaded.module.graph.inputs.map(value => {
    const at = declared.findIndex(input => input.name === value.name);
    return at >= 0 ? inputs[at]! : randomInput({name: value.name, ...value.type}, 1);
  });
}

const rounded = ({p10, p50, p90}: Percentiles): Percentiles => ({
  p10: Number(p10.toPrecision(4)),
  p50: Number(p50.toPrecision(4)),
  p90: Number(p90.toPrecision(4)),
});
