/** What one core of this machine reaches, measured once per target and compiler: the yardstick for layers. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {panelSize} from '../codegen/kernels/inventory.js';
import {libraryCommands, libraryFile} from '../codegen/project.js';
import type {Target} from '../codegen/targets/index.js';
import {arrayTypes, openLoader} from '../runtime/index.js';
import {keep, recall} from './cache.js';
import {compilerVersion, runCommands} from './cc.js';
import {collectHeaders} from './headers.js';
import {cpuModel} from './host.js';
import {writeLoader} from './loader.js';
import {temporaryFolder} from './open.js';

export type Peaks = {
  /** Floating-point operations per second, two for a multiply-add. */
  readonly flops: number;
  /** Bytes per second that reading a working set of up to `bytes` reaches; the last one for all larger ones. */
  readonly bandwidths: readonly {readonly bytes: number; readonly perSecond: number}[];
};

const source = `#include "kernels/peaks.h"
int peaks_invoke(const void *weights, void *arena, const void *const *in, void *const *out);
int peaks_invoke(const void *weights, void *arena, const void *const *in, void *const *out) {
  (void)weights;
  (void)in;
  dnnc_peaks((float *)arena, (double *)out[0], (float *)out[1]);
  return 0;
}
`;

/** Sizes as in peaks.h. */
const sizes = [256 * 1024, 4 * 1024 * 1024, 64 * 1024 * 1024] as const;

/** Takes about a second the first time. */
export async function measurePeaks(target: Target): Promise<Peaks> {
  const headers = collectHeaders(['peaks.h']);
  const texts = Array.from(headers, ([, text]) => text);
  const key = [cpuModel(), compilerVersion(), target.name, source, ...texts].join('\n');
  const known = ratesOf(recall('peaks', key));
  const [flops = 0, ...bandwidths] = known ?? (await measured(target, headers));
  if (!known) keep('peaks', key, [flops, ...bandwidths]);
  return {flops, bandwidths: sizes.map((bytes, i) => ({bytes, perSecond: bandwidths[i] ?? 0}))};
}

async function measured(target: Target, headers: Iterable<readonly [string, string]>): Promise<readonly number[]> {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'kernels'));
  for (const [name, text] of headers) writeFileSync(join(folder, 'kernels', name), text);
  writeFileSync(join(folder, 'peaks.c'), source);
  writeFileSync(join(folder, 'none.weights'), new Uint8Array(64));
  await runCommands(libraryCommands('peaks', 'peaks.c', target, []), folder, target.format);
  await writeLoader(folder);
  const loader = openLoader(folder);
  const library = loader.open(join(folder, libraryFile('peaks', target)));
  const [rates, sink] = [new Float64Array(4), new Float32Array(panelSize)];
  const outputs = [
    {bytes: rates.byteLength, type: arrayTypes.f64.napi},
    {bytes: sink.byteLength, type: arrayTypes.f32.napi},
  ];
  const blob = loader.map(join(folder, 'none.weights'));
  loader.bind(library, 'peaks_invoke', blob, sizes[2], [], outputs).call([], [rates, sink]);
  return Array.from(rates);
}

function ratesOf(kept: unknown): readonly number[] | null {
  const isRate = (rate: unknown): rate is number => typeof rate === 'number' && rate > 0;
  return Array.isArray(kept) && kept.length === 4 && kept.every(isRate) ? kept : null;
}
