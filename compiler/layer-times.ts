import {type Chooser, whyOf} from '../codegen/kernels/ways.js';
import type {Step} from '../ir/plan.js';
import {floorOf, workingSetOf} from './floors.js';
import {targetsNamed} from './host.js';
import type {Opened} from './open.js';
import {measurePeaks, type Peaks} from './peaks.js';
import {buildTraced, timeSteps} from './traced.js';

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
  const traced = await buildTraced(tasks, {targets: [target!], bind: bound, chooser, progress: show});
  const {compiled, manifest} = traced.built;
  const {plan} = compiled;
  show('timing each step');
  const times = timeSteps([traced])[0]!;
  const steps = plan.entries.flatMap(({name: task, steps: own}, at) => {
    const variant = manifest.variants.find(each => each.task === task);
    const workingSet = workingSetOf(plan, at, variant?.loadBytes ?? 0);
    return own.map((step, i) => ({task, step, i, workingSet}));
  });
  const layers = steps.map(({task, step, i, workingSet}, at) => layerOf(task, step, i, times[at]!, workingSet, peaks));
  return {peaks, layers};
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
