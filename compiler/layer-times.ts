/** Time of each step of a build, beside what this machine could do at best, and how the step is computed. */
import {join} from 'node:path';
import {type Chooser, whyOf} from '../codegen/kernels/ways.js';
import {fail} from '../ir/diagnostics.js';
import type {Step} from '../ir/plan.js';
import {load} from '../runtime/index.js';
import {build} from './build.js';
import {floorOf, workingSetOf} from './floors.js';
import {targetsNamed} from './host.js';
import {percentiles} from './measure.js';
import {type Opened, temporaryFolder} from './open.js';
import {measurePeaks, type Peaks} from './peaks.js';
import {randomInput} from './random-inputs.js';

export type LayerTime = {
  readonly task: string;
  readonly step: number;
  readonly layer: string;
  readonly microseconds: number;
  /** Of the operations that the layer's definition has: a faster algorithm may exceed the machine's peak. */
  readonly gflops: number | null;
  /** What the machine needs at least: multiply-adds at its peak rate, or bytes at the rate of the memory that they lie in. */
  readonly floorMicroseconds: number;
  readonly bound: 'compute' | 'memory';
  /** floor / time, in percent. */
  readonly ofPeak: number;
  /** How it is computed, and why so where there was a choice. */
  readonly way: string;
};

export type LayerReport = {readonly peaks: Peaks; readonly layers: readonly LayerTime[]};

export async function timeLayers(
  {tasks, bound}: Opened,
  chooser: Chooser,
  targetName: string,
  show: (doing: string) => void,
): Promise<LayerReport> {
  const [target] = targetsNamed([targetName]);
  show('measuring the machine');
  const peaks = await measurePeaks(target!);
  const directory = join(temporaryFolder(), 'traced');
  const built = await build(tasks, {
    directory,
    name: 'traced',
    targets: [target!],
    weights: 'blob',
    bind: bound,
    chooser,
    measure: false,
    typed: false,
    flags: ['-DDNNC_TRACE'],
    progress: show,
  });
  const session = load(directory, {target: target!.name});
  const {plan} = built.compiled;
  const layers = plan.entries.flatMap(({name: task, steps}, at) => {
    const variant = built.manifest.variants.find(each => each.task === task);
    const workingSet = workingSetOf(plan, at, variant?.loadBytes ?? 0);
    const times = medianTimes(session.entry(task), steps.length);
    return steps.map((step, i) => layerOf(task, step, i, times[i]!, workingSet, peaks));
  });
  return {peaks, layers};
}

/** Microseconds of each step: medians over rounds, since one interruption of the machine must not become a layer's time. */
function medianTimes(entry: ReturnType<ReturnType<typeof load>['entry']>, steps: number): readonly number[] {
  const trace = entry.trace ?? fail('bug', 'bench.trace', entry.task.variants[0] ?? '', 'the library has no trace entry');
  const inputs = entry.task.inputs.map((input, i) => randomInput(input, 1 + i).data);
  const [rounds, iterations] = [15, 5];
  const outputs = entry.newOutputs();
  const samples = Array.from({length: rounds}, () => trace(inputs, outputs, steps, iterations, 2));
  return Array.from({length: steps}, (_, step) => percentiles(samples.map(sums => sums[step] ?? 0)).p50 / iterations / 1000);
}

function layerOf(task: string, step: Step, index: number, microseconds: number, workingSet: number, peaks: Peaks): LayerTime {
  const {text, work, macs} = step;
  const floor = floorOf(step, workingSet, peaks);
  return {
    task,
    step: index,
    layer: text === '' ? (work.kind === 'loop' ? 'copy' : work.kind) : text,
    microseconds: Number(microseconds.toFixed(2)),
    gflops: macs > 0 ? Number(((2 * macs) / microseconds / 1000).toFixed(1)) : null,
    floorMicroseconds: Number((floor.seconds * 1e6).toFixed(2)),
    bound: floor.bound,
    ofPeak: Number(((100 * floor.seconds * 1e6) / microseconds).toFixed(1)),
    way: work.kind === 'kernel' ? whyOf(work) : 'generated loop',
  };
}
